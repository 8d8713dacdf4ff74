package parse

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
)

// isCast looks whether the parenthesis ahead holds a type. A name alone, or
// with an index, may be a value as well; then the token behind the closing
// parenthesis decides, see section 4.9 of the language reference.
func (e *exprParser) isCast() bool {
	at := e.lex.MakeCheckpoint()
	defer e.lex.LoadCheckpoint(at)
	e.lex.Next()
	t := e.lex.Next()
	switch {
	case t.Type != tokIdent || isKnownName(t.Value):
		return false
	case t.Value == "typeof":
		skipParens(e.lex)
	case isTypeKeyword(t.Value):
		return true
	}
	pointer := skipSuffixes(e.lex)
	if !e.accept(")") {
		return false
	}
	return pointer || startsOperand(e.lex.Peek())
}

// isTypeKeyword reports whether word can only begin a type.
func isTypeKeyword(word string) bool {
	switch word {
	case "struct", "union", "enum", "typeof":
		return true
	}
	return false
}

// skipParens passes over a pair of parentheses. How deep they nest is bounded,
// so that looking ahead from each of them stays linear in the text.
func skipParens(lex *lexer.PeekingLexer) {
	depth := 0
	for t := lex.Peek(); !t.EOF(); t = lex.Peek() {
		switch {
		case isOp(t, "("):
			depth++
		case isOp(t, ")"):
			depth--
		}
		if depth <= 0 && !isOp(t, ")") {
			return
		}
		lex.Next()
		if depth == 0 {
			return
		}
	}
}

// skipSuffixes passes over stars and lengths in brackets; last reports whether
// the last one is a star, which no value can end with.
func skipSuffixes(lex *lexer.PeekingLexer) (last bool) {
	for {
		switch t := lex.Peek(); {
		case isOp(t, "*"):
			lex.Next()
			last = true
		case isOp(t, "["):
			lex.Next()
			if lex.Peek().Type == tokInt {
				lex.Next()
			}
			if !isOp(lex.Peek(), "]") {
				return false
			}
			lex.Next()
			last = false
		default:
			return last
		}
	}
}

// startsOperand reports whether t can begin the operand of a cast.
func startsOperand(t *lexer.Token) bool {
	switch t.Type {
	case tokInt, tokString, tokVar, tokMap, tokParam, tokIdent:
		return true
	case tokPunct:
		switch t.Value {
		case "(", "-", "!", "~", "*", "&", "--":
			return true
		}
	}
	return false
}

func (e *exprParser) cast() (ast.Expr, error) {
	start := e.mark()
	e.lex.Next()
	typ, err := e.typ()
	if err == nil {
		err = e.expect(")")
	}
	if err != nil {
		return nil, err
	}
	x, err := e.unary()
	if err != nil {
		return nil, err
	}
	return &ast.Cast{Base: e.since(start), Type: typ, X: x}, nil
}

func (e *exprParser) typ() (*ast.TypeExpr, error) {
	t, err := run(e.p.typeExpr, e.lex)
	if err != nil {
		return nil, err
	}
	return t.lower()
}

// maxSuffixes bounds the stars and lengths of a type.
const maxSuffixes = 100

// lower makes the type of the tree.
func (t *typeExpr) lower() (*ast.TypeExpr, error) {
	if len(t.Suffixes) > maxSuffixes {
		return nil, syntaxErrorf(t.Suffixes[maxSuffixes].span(), "a type has more than %d stars and lengths", maxSuffixes)
	}
	out := &ast.TypeExpr{Base: ast.Base{Span: t.span()}, Tag: t.Tag}
	if t.Typeof != nil {
		out.Typeof = t.Typeof.operand()
	} else {
		out.Name = identOf(t.Name)
	}
	for _, s := range t.Suffixes {
		suffix := ast.TypeSuffix{Base: ast.Base{Span: s.span()}, Array: s.Array}
		if s.Len != nil {
			n, err := intLit(s.Len)
			if err != nil {
				return nil, err
			}
			suffix.Len = n
		}
		out.Suffixes = append(out.Suffixes, suffix)
	}
	return out, nil
}

// operand is a parsed typeOrExpr.
type operand struct{ x *ast.TypeOrExpr }

func (o operand) operand() *ast.TypeOrExpr { return o.x }

// parseTypeOrExpr parses the operand of sizeof and its kin. A name that is
// followed by the end of the operand is a type.
func (p *parser) parseTypeOrExpr(lex *lexer.PeekingLexer) (typeOrExpr, error) {
	e := &exprParser{p: p, lex: lex}
	start := e.mark()
	if e.isType() {
		typ, err := e.typ()
		if err != nil {
			return nil, err
		}
		return operand{&ast.TypeOrExpr{Base: ast.Base{Span: typ.Span}, Type: typ}}, nil
	}
	x, err := e.expr()
	if err != nil {
		return nil, err
	}
	return operand{&ast.TypeOrExpr{Base: e.since(start), Expr: x}}, nil
}

// isType looks whether a type comes up to the end of an operand.
func (e *exprParser) isType() bool {
	t := e.lex.Peek()
	switch {
	case t.Type != tokIdent || isKnownName(t.Value):
		return false
	case isTypeKeyword(t.Value):
		return true
	}
	at := e.lex.MakeCheckpoint()
	defer e.lex.LoadCheckpoint(at)
	e.lex.Next()
	skipSuffixes(e.lex)
	return isOp(e.lex.Peek(), ")") || isOp(e.lex.Peek(), ",")
}
