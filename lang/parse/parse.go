// Package parse turns the text of a script into its syntax tree.
//
// Input is one source.File, output an ast.Script and the syntax errors found.
// The work is shared out as follows. A hand-written lexer splits the text,
// because an attach point, a C definition and the slash of a predicate can
// only be recognised by their place. A participle grammar (struct tags) reads
// items, statements and types; expressions are parsed by precedence climbing.
// The grammar's structs are then lowered to the tree, where what the grammar
// can not say is checked.
//
// Invariants: no input makes the parser panic or run longer than linear time;
// every node of the tree has a valid span; a script with errors still gives a
// tree, in which Bad nodes stand for what was not understood. Positional
// parameters are kept, not replaced. One error a line is reported, and at most
// maxErrors of them, as what follows the first error of a line is mostly noise.
package parse

import (
	"fmt"
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// maxErrors is how many syntax errors of one file are reported.
const maxErrors = 10

// File parses a file of set. The list holds syntax errors only; the script is
// complete when there are none and never nil.
func File(set *source.Set, f *source.File) (*ast.Script, *diag.List) {
	b := &builder{file: f, list: &diag.List{Files: set}}
	shebang, skip := shebangOf(f.Text)
	s := &scanner{text: f.Text, base: f.Base(), pos: skip}
	lex, err := lexer.Upgrade(s)
	if err != nil {
		panic(fmt.Sprintf("parse: the lexer failed: %v", err)) // it never does
	}
	if s.full() {
		at := f.Span(s.pos, s.pos)
		b.fail(syntaxErrorf(at, "the script has more than %d tokens", maxTokens))
		b.report()
		return &ast.Script{Base: ast.Base{Span: f.Span(0, len(f.Text))}, File: f}, b.list
	}
	tree, err := grammar().script.ParseFromLexer(lex)
	out := b.script(tree)
	if err != nil {
		b.fail(err)
	}
	b.report()
	out.Shebang = shebang
	for _, sp := range s.comments {
		out.Comments = append(out.Comments, &ast.Comment{Base: ast.Base{Span: sp}, Text: f.Slice(sp)})
	}
	return out, b.list
}

// shebangOf returns a first line that starts with #! and its length.
func shebangOf(text string) (string, int) {
	if len(text) < 2 || text[:2] != "#!" {
		return "", 0
	}
	n := lineEnd(text)
	return text[:n], n
}

// parser holds the productions. It is built once and never changed.
type parser struct {
	script   *participle.Parser[script]
	config   *participle.Parser[configItem]
	imports  *participle.Parser[importItem]
	maps     *participle.Parser[mapItem]
	macro    *participle.Parser[macroItem]
	fn       *participle.Parser[fnItem]
	probe    *participle.Parser[probeItem]
	let      *participle.Parser[letStmt]
	discard  *participle.Parser[discardStmt]
	forLoop  *participle.Parser[forStmt]
	while    *participle.Parser[whileStmt]
	unroll   *participle.Parser[unrollStmt]
	jump     *participle.Parser[jumpStmt]
	ret      *participle.Parser[returnStmt]
	importIn *participle.Parser[importStmt]
	ifExpr   *participle.Parser[ifExpr]
	typeExpr *participle.Parser[typeExpr]
}

// shared is the parser for all files, built when the first one is parsed:
// reading the struct tags takes longer than parsing a short script.
var shared struct {
	once   sync.Once
	parser *parser
}

func grammar() *parser {
	shared.once.Do(func() { shared.parser = newParser() })
	return shared.parser
}

func newParser() *parser {
	p := &parser{}
	p.script = participle.MustBuild[script](
		participle.Lexer(definition{}),
		participle.UseLookahead(0), // commit on the first token: errors point at the right one
		participle.ParseTypeWith(p.parseItem),
		participle.ParseTypeWith(p.parseAttach),
		participle.ParseTypeWith(p.parseBody),
		participle.ParseTypeWith(p.parseRange),
		participle.ParseTypeWith(p.parseTypeOrExpr),
		participle.ParseTypeWith(p.parseCondition),
		participle.ParseTypeWith(p.parseExpr),
		// The unions only make these structs known to the parser: items and
		// statements are told apart in parseItem and parseStmt by their first
		// token, which costs less than trying one after the other.
		participle.Union[production](configItem{}, importItem{}, mapItem{}, macroItem{}, fnItem{}, probeItem{},
			letStmt{}, discardStmt{}, forStmt{}, whileStmt{}, unrollStmt{}, jumpStmt{}, returnStmt{},
			importStmt{}, ifExpr{}, typeExpr{}),
	)
	bind(p, &p.config)
	bind(p, &p.imports)
	bind(p, &p.maps)
	bind(p, &p.macro)
	bind(p, &p.fn)
	bind(p, &p.probe)
	bind(p, &p.let)
	bind(p, &p.discard)
	bind(p, &p.forLoop)
	bind(p, &p.while)
	bind(p, &p.unroll)
	bind(p, &p.jump)
	bind(p, &p.ret)
	bind(p, &p.importIn)
	bind(p, &p.ifExpr)
	bind(p, &p.typeExpr)
	return p
}

// production is any struct that Go code parses by name.
type production interface{ span() source.Span }

func bind[T any](p *parser, to **participle.Parser[T]) {
	prod, err := participle.ParserForProduction[T](p.script)
	if err != nil {
		panic(err) // the grammar above is wrong
	}
	*to = prod
}

// run parses one production where lex stands. What could be parsed of it comes
// back even with an error.
func run[T any](prod *participle.Parser[T], lex *lexer.PeekingLexer) (*T, error) {
	return prod.ParseFromLexer(lex, participle.AllowTrailing(true))
}
