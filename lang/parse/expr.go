package parse

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/source"
)

// maxDepth bounds the operators that are nested or chained in one expression,
// and the arms of one if.
const maxDepth = 500

// exprParser parses one expression by precedence climbing. It makes tree nodes
// at once; a syntax error within ends the whole expression.
type exprParser struct {
	p     *parser
	lex   *lexer.PeekingLexer
	depth int // operators around the place
}

func (p *parser) parseExpr(lex *lexer.PeekingLexer) (ast.Expr, error) {
	return (&exprParser{p: p, lex: lex}).expr()
}

// parseCondition parses what if, while and unroll take.
func (p *parser) parseCondition(lex *lexer.PeekingLexer) (condition, error) {
	e := &exprParser{p: p, lex: lex}
	if e.accept("(") {
		x, err := e.expr()
		if err != nil {
			return nil, err
		}
		return x, e.expect(")")
	}
	return e.unary()
}

// assignOrExpr parses a statement that begins with a variable or map. Without
// an assignment it is an expression, in which there is no `?:`.
func (p *parser) assignOrExpr(lex *lexer.PeekingLexer) (stmt, error) {
	e := &exprParser{p: p, lex: lex}
	start, from := lex.RawCursor(), e.mark()
	x, err := e.postfix()
	if err != nil {
		return nil, err
	}
	if op := lex.Peek(); isAssignOp(op) {
		if !isTarget(x) {
			return nil, syntaxErrorf(x.Pos(), "this can not be assigned to, only a variable, map or map element")
		}
		lex.Next()
		value, err := e.expr()
		return &assignStmt{tokens{lex.Range(start, lex.RawCursor())}, x, op.Value, value}, err
	}
	x, err = e.climb(from, x, ast.LowestPrecedence)
	return &exprStmt{x: x}, err
}

// mark returns the offset of the next token.
func (e *exprParser) mark() uint32 { return uint32(e.lex.Peek().Pos.Offset) }

// since is the place from a mark to the end of the last token.
func (e *exprParser) since(mark uint32) ast.Base {
	at := e.lex.RawCursor()
	last := &e.lex.Range(at-1, at)[0]
	return ast.Base{Span: source.Span{Start: mark, End: tokenSpan(last).End}}
}

// enter counts an operator, which leave takes back.
func (e *exprParser) enter() error {
	e.depth++
	return e.room(0)
}

func (e *exprParser) leave() { e.depth-- }

// room reports an error when n more operators do not fit.
func (e *exprParser) room(n int) error {
	if e.depth+n > maxDepth {
		return syntaxErrorf(tokenSpan(e.lex.Peek()), "expression has more than %d nested or chained operators", maxDepth)
	}
	return nil
}

// accept takes the operator op if it comes next.
func (e *exprParser) accept(op string) bool {
	if !isOp(e.lex.Peek(), op) {
		return false
	}
	e.lex.Next()
	return true
}

func (e *exprParser) expect(op string) error {
	if !e.accept(op) {
		return unexpected(e.lex.Peek(), "'"+op+"'")
	}
	return nil
}

func (e *exprParser) ident() (*ast.Ident, error) {
	t := e.lex.Peek()
	if t.Type != tokIdent {
		return nil, unexpected(t, "a name")
	}
	e.lex.Next()
	return identOf(t), nil
}

func (e *exprParser) expr() (ast.Expr, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	start := e.mark()
	x, err := e.unary()
	if err != nil {
		return nil, err
	}
	x, err = e.climb(start, x, ast.LowestPrecedence)
	if err != nil || !e.accept("?") {
		return x, err
	}
	c := &ast.Cond{Cond: x}
	if !e.accept(":") {
		if c.Then, err = e.expr(); err != nil {
			return nil, err
		}
		if err := e.expect(":"); err != nil {
			return nil, err
		}
	}
	c.Else, err = e.expr()
	c.Base = e.since(start)
	return c, err
}

func isAssignOp(t *lexer.Token) bool {
	if t.Type != tokPunct {
		return false
	}
	switch t.Value {
	case "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=":
		return true
	}
	return false
}

// climb continues x, which began at start, with the binary operators of at
// least the given precedence, which is not 0.
func (e *exprParser) climb(start uint32, x ast.Expr, least int) (ast.Expr, error) {
	for n := 1; ; n++ {
		op := e.lex.Peek()
		prec := ast.Precedence(op.Value)
		if op.Type != tokPunct || prec < least {
			return x, nil
		}
		if err := e.room(n); err != nil {
			return nil, err
		}
		e.lex.Next()
		from := e.mark()
		y, err := e.unary()
		if err != nil {
			return nil, err
		}
		if y, err = e.climb(from, y, prec+1); err != nil {
			return nil, err
		}
		x = &ast.Binary{Base: e.since(start), Op: op.Value, OpAt: uint32(op.Pos.Offset), X: x, Y: y}
	}
}

func (e *exprParser) unary() (ast.Expr, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	t := e.lex.Peek()
	if t.Type != tokPunct {
		return e.postfix()
	}
	switch t.Value {
	case "!", "~", "-", "*":
		return e.prefix(func(b ast.Base, x ast.Expr) (ast.Expr, error) {
			return &ast.Unary{Base: b, Op: t.Value, X: x}, nil
		})
	case "++", "--":
		return e.prefix(func(b ast.Base, x ast.Expr) (ast.Expr, error) {
			if !isTarget(x) {
				return nil, syntaxErrorf(x.Pos(), "%s (increment, decrement) needs a variable or map", t.Value)
			}
			return &ast.IncDec{Base: b, Op: t.Value, Prefix: true, X: x}, nil
		})
	case "&":
		return e.address()
	case "(":
		if e.isCast() {
			return e.cast()
		}
	}
	return e.postfix()
}

// prefix takes an operator and its operand.
func (e *exprParser) prefix(node func(ast.Base, ast.Expr) (ast.Expr, error)) (ast.Expr, error) {
	start := e.mark()
	e.lex.Next()
	x, err := e.unary()
	if err != nil {
		return nil, err
	}
	return node(e.since(start), x)
}

// address parses `&$x` and `&@m`.
func (e *exprParser) address() (ast.Expr, error) {
	start := e.mark()
	e.lex.Next()
	t := e.lex.Peek()
	if t.Type != tokVar && t.Type != tokMap {
		return nil, unexpected(t, "a variable or map to take the address of")
	}
	e.lex.Next()
	var x ast.Expr = varOf(t)
	if t.Type == tokMap {
		x = mapOf(t)
	}
	return &ast.Unary{Base: e.since(start), Op: "&", X: x}, nil
}

// isTarget reports whether x can be assigned to.
func isTarget(x ast.Expr) bool {
	switch x.(type) {
	case *ast.VarRef, *ast.MapRef, *ast.MapIndex:
		return true
	}
	return false
}

// postfix parses a primary expression and what is hung on it.
func (e *exprParser) postfix() (ast.Expr, error) {
	start := e.mark()
	x, err := e.primary()
	for n := 1; err == nil; n++ {
		t := e.lex.Peek()
		if t.Type != tokPunct {
			return x, nil
		}
		if err := e.room(n); err != nil {
			return nil, err
		}
		switch t.Value {
		case ".", "->":
			e.lex.Next()
			x, err = e.field(start, x, t.Value == "->")
		case "[":
			e.lex.Next()
			x, err = e.index(start, x)
		case "++", "--":
			if !isTarget(x) {
				return nil, syntaxErrorf(tokenSpan(t), "%s (increment, decrement) needs a variable or map", t.Value)
			}
			e.lex.Next()
			x = &ast.IncDec{Base: e.since(start), Op: t.Value, X: x}
		default:
			return x, nil
		}
	}
	return nil, err
}

func (e *exprParser) field(start uint32, x ast.Expr, arrow bool) (ast.Expr, error) {
	t := e.lex.Peek()
	if t.Type == tokInt && !arrow {
		n, err := tupleIndex(t)
		if err != nil {
			return nil, err
		}
		e.lex.Next()
		return &ast.TupleField{Base: e.since(start), X: x, N: n}, nil
	}
	name, err := e.ident()
	if err != nil {
		return nil, err
	}
	return &ast.Field{Base: e.since(start), X: x, Name: name, Arrow: arrow}, nil
}

func (e *exprParser) index(start uint32, x ast.Expr) (ast.Expr, error) {
	i, err := e.expr()
	if err == nil {
		err = e.expect("]")
	}
	if err != nil {
		return nil, err
	}
	return &ast.Index{Base: e.since(start), X: x, I: i}, nil
}
