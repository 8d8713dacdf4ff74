package parse

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/source"
)

// item is a part of a script at the top level: one of the item structs.
type item any

// stmt is a statement as parsed. A value statement is one that may be the
// result of its block.
type stmt interface{ lowerStmt(*builder) ast.Stmt }

// body is a block in braces.
type body interface {
	lowerBlock(b *builder, value bool) *ast.Block
}

// attachList is the attach points of a probe.
type attachList interface{ points() []lexer.Token }

// forRange is what a for loop runs over.
type forRange interface {
	// lowerRange fills in the loop; false means that it has no range.
	lowerRange(*ast.For) bool
}

type mapRange struct{ over *ast.MapRef }

func (r mapRange) lowerRange(f *ast.For) bool {
	f.Map = r.over
	return true
}

// boundRange is without hi when the dots are missing.
type boundRange struct{ lo, hi ast.Expr }

func (r boundRange) lowerRange(f *ast.For) bool {
	f.Lo, f.Hi = r.lo, r.hi
	return r.hi != nil
}

// cdefItem is a C definition, one token.
type cdefItem struct{ text lexer.Token }

// badItem stands for an item that could not be parsed; what was understood of
// it is kept, for the errors in it.
type badItem struct {
	tokens
	err  error
	part item
}

type badStmt struct {
	tokens
	err  error
	part stmt
}

// exprStmt is an expression as a statement; semi says that a semicolon
// follows, without which it may be the result of its block.
type exprStmt struct {
	x    ast.Expr
	semi bool
}

type assignStmt struct {
	tokens
	target ast.Expr
	op     string
	value  ast.Expr
}

// blockStmt and ifStmt are statements, and results when nothing follows.
type blockStmt struct {
	block *block
	semi  bool
}

type ifStmt struct {
	*ifExpr
	semi bool
}

type block struct {
	tokens
	stmts []stmt
}

type attachPoints []lexer.Token

func (a attachPoints) points() []lexer.Token { return a }

func (p *parser) parseItem(lex *lexer.PeekingLexer) (item, error) {
	if lex.Peek().EOF() {
		return nil, participle.NextMatch
	}
	start := lex.MakeCheckpoint()
	it, err := p.itemAt(lex)
	if err == nil {
		return it, nil
	}
	lex.LoadCheckpoint(start)
	skipItem(lex)
	return &badItem{tokens{lex.Range(start.RawCursor(), lex.RawCursor())}, err, it}, nil
}

func (p *parser) itemAt(lex *lexer.PeekingLexer) (item, error) {
	t := lex.Peek()
	switch {
	case t.Type == tokCText:
		return &cdefItem{*lex.Next()}, nil
	case t.Type == tokAttach && t.Value[0] == '}':
		return nil, strayBrace(t)
	case t.Type != tokKeyword:
		return run(p.probe, lex)
	}
	switch t.Value {
	case "config":
		return run(p.config, lex)
	case "import":
		return run(p.imports, lex)
	case "let":
		if second(lex).Type == tokVar {
			return nil, syntaxErrorf(tokenSpan(t), "outside of probes let makes a map declaration, as in let @m = hash(100)")
		}
		return run(p.maps, lex)
	case "macro":
		return run(p.macro, lex)
	}
	return run(p.fn, lex)
}

// skipItem goes to the next token that begins an item, at least one on. An
// attach point behind a comma belongs to the item that is skipped, as does one
// that another follows: it would be the same error again.
func skipItem(lex *lexer.PeekingLexer) {
	for {
		comma := isOp(lex.Next(), ",")
		switch lex.Peek().Type {
		case lexer.EOF, tokKeyword, tokCText:
			return
		case tokAttach:
			if !comma && second(lex).Type != tokAttach {
				return
			}
		}
	}
}

// parseAttach parses a list of attach points, in which one comma may stand
// last.
func (p *parser) parseAttach(lex *lexer.PeekingLexer) (attachList, error) {
	var list attachPoints
	for lex.Peek().Type == tokAttach {
		list = append(list, *lex.Next())
		if lex.Peek().Value != "," {
			return list, nil
		}
		lex.Next()
	}
	if t := lex.Peek(); list == nil || t.Type != tokPred && t.Value != "{" {
		return nil, unexpected(t, "an attach point")
	}
	return list, nil
}

// parseBody parses a block. It has no error but at its first token: whatever
// is wrong within is kept as bad statements.
func (p *parser) parseBody(lex *lexer.PeekingLexer) (body, error) {
	if lex.Peek().Value != "{" || lex.Peek().Type != tokPunct {
		return nil, unexpected(lex.Peek(), "'{'")
	}
	return p.block(lex), nil
}

func (p *parser) block(lex *lexer.PeekingLexer) *block {
	start := lex.RawCursor()
	lex.Next()
	b := &block{}
	for bad := 0; ; {
		switch t := lex.Peek(); {
		case t.Type == tokPunct && t.Value == "}":
			lex.Next()
			b.Tokens = lex.Range(start, lex.RawCursor())
			return b
		case endsBlock(t):
			b.Tokens = lex.Range(start, lex.RawCursor())
			b.stmts = append(b.stmts, &badStmt{tokens: b.tokens, err: notClosed(t, &b.Tokens[0])})
			return b
		}
		s := p.stmt(lex)
		b.stmts = append(b.stmts, s)
		if _, isBad := s.(*badStmt); isBad {
			bad++
		}
		for bad >= maxBad && !isOp(lex.Peek(), "}") && !endsBlock(lex.Peek()) {
			skipStmt(lex)
		}
	}
}

// maxBad is how many statements of one block may be malformed before the rest
// of the block is passed over: it is no script, and far fewer are reported.
const maxBad = 100

// endsBlock reports whether t can not be in a block at all.
func endsBlock(t *lexer.Token) bool {
	switch t.Type {
	case lexer.EOF, tokAttach, tokKeyword, tokCText:
		return true
	}
	return false
}

// stmt parses one statement with its semicolon. After an error it goes to the
// end of the statement.
func (p *parser) stmt(lex *lexer.PeekingLexer) stmt {
	start := lex.MakeCheckpoint()
	s, err := p.stmtAt(lex)
	if err == nil {
		err = endStmt(lex, s)
	}
	if err == nil {
		return s
	}
	lex.LoadCheckpoint(start)
	skipStmt(lex)
	return &badStmt{tokens{lex.Range(start.RawCursor(), lex.RawCursor())}, err, s}
}

func (p *parser) stmtAt(lex *lexer.PeekingLexer) (stmt, error) {
	t := lex.Peek()
	switch t.Type {
	case tokVar, tokMap:
		return p.assignOrExpr(lex)
	case tokPunct:
		if t.Value == "{" {
			return &blockStmt{block: p.block(lex)}, nil
		}
	case tokIdent:
		if s, err, ok := p.keywordStmt(lex, t.Value); ok {
			return s, err
		}
	}
	x, err := p.parseExpr(lex)
	if err == participle.NextMatch {
		err = unexpected(lex.Peek(), "a statement")
	}
	return &exprStmt{x: x}, err
}

// keywordStmt parses a statement that begins with a keyword; ok is false when
// word is none.
func (p *parser) keywordStmt(lex *lexer.PeekingLexer, word string) (s stmt, err error, ok bool) {
	switch word {
	case "let":
		s, err = run(p.let, lex)
	case "for":
		s, err = run(p.forLoop, lex)
	case "while":
		s, err = run(p.while, lex)
	case "unroll":
		s, err = run(p.unroll, lex)
	case "break", "continue":
		s, err = run(p.jump, lex)
	case "return":
		s, err = run(p.ret, lex)
	case "import":
		s, err = run(p.importIn, lex)
	case "if":
		var x *ifExpr
		x, err = run(p.ifExpr, lex)
		s = &ifStmt{ifExpr: x}
	case "_":
		if !isOp(second(lex), "=") {
			return nil, nil, false
		}
		s, err = run(p.discard, lex)
	default:
		return nil, nil, false
	}
	return s, err, true
}

// parseRange parses a map or the bounds of a range.
func (p *parser) parseRange(lex *lexer.PeekingLexer) (forRange, error) {
	e := &exprParser{p: p, lex: lex}
	lo, err := e.bound()
	if err != nil {
		return nil, err
	}
	if m, ok := lo.(*ast.MapRef); ok && !isOp(lex.Peek(), "..") {
		return mapRange{m}, nil
	}
	if !e.accept("..") {
		return boundRange{lo: lo}, nil
	}
	hi, err := e.bound()
	return boundRange{lo, hi}, err
}

// bound parses an end of a range: a cast, or an expression without operators.
func (e *exprParser) bound() (ast.Expr, error) {
	if isOp(e.lex.Peek(), "(") && e.isCast() {
		return e.cast()
	}
	return e.primary()
}

// second returns the token after the next one.
func second(lex *lexer.PeekingLexer) *lexer.Token {
	at := lex.MakeCheckpoint()
	defer lex.LoadCheckpoint(at)
	lex.Next()
	return lex.Peek()
}

// endStmt takes the semicolon behind s. Before a closing brace it may be
// missing, behind a block it need not be there, behind a loop it must not.
func endStmt(lex *lexer.PeekingLexer, s stmt) error {
	t := lex.Peek()
	semi := t.Type == tokPunct && t.Value == ";"
	switch s := s.(type) {
	case *forStmt, *whileStmt, *unrollStmt:
		return nil
	case *blockStmt:
		s.semi = semi
	case *ifStmt:
		s.semi = semi
	case *exprStmt:
		s.semi = semi
		if !semi && (t.Type != tokPunct || t.Value != "}") {
			return notEnded(s.x, t)
		}
	default:
		if !semi && (t.Type != tokPunct || t.Value != "}") {
			return unexpected(t, "';'")
		}
	}
	if semi {
		lex.Next()
	}
	return nil
}

// skipStmt goes behind the next semicolon that is not within braces, behind
// the next block, or before the brace that closes the present one.
func skipStmt(lex *lexer.PeekingLexer) {
	for depth := 0; ; lex.Next() {
		t := lex.Peek()
		if endsBlock(t) {
			return
		}
		if t.Type != tokPunct {
			continue
		}
		switch t.Value {
		case "{":
			depth++
		case "}":
			if depth == 0 {
				return
			}
			if depth--; depth == 0 && second(lex).Value != "else" {
				lex.Next()
				return
			}
		case ";":
			if depth == 0 {
				lex.Next()
				return
			}
		}
	}
}

func isOp(t *lexer.Token, op string) bool { return t.Type == tokPunct && t.Value == op }

// span is the range of the tokens of a production.
func (t tokens) span() source.Span {
	if len(t.Tokens) == 0 {
		return source.Span{}
	}
	return tokenSpan(&t.Tokens[0]).Cover(tokenSpan(&t.Tokens[len(t.Tokens)-1]))
}

func tokenSpan(t *lexer.Token) source.Span {
	start := uint32(t.Pos.Offset)
	return source.Span{Start: start, End: start + uint32(len(t.Value))}
}
