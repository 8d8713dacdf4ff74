package parse

import (
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// primary parses an expression without operators.
func (e *exprParser) primary() (ast.Expr, error) {
	t := e.lex.Peek()
	switch t.Type {
	case tokInt:
		e.lex.Next()
		return orNil(intLit(t))
	case tokString:
		e.lex.Next()
		return orNil(strLit(t))
	case tokVar:
		e.lex.Next()
		return varOf(t), nil
	case tokMap:
		return e.mapRef()
	case tokParam:
		e.lex.Next()
		return param(t)
	case tokIdent:
		return e.named()
	case tokPunct:
		switch t.Value {
		case "(":
			return e.paren()
		case "{":
			return e.block()
		}
	}
	return nil, unexpected(t, "an expression")
}

// orNil keeps a nil pointer from becoming an expression.
func orNil[T ast.Expr](x T, err error) (ast.Expr, error) {
	if err != nil {
		return nil, err
	}
	return x, nil
}

// mapRef parses a map or an element of one.
func (e *exprParser) mapRef() (ast.Expr, error) {
	t := e.lex.Next()
	m := mapOf(t)
	if !e.accept("[") {
		return m, nil
	}
	keys, err := e.list("]")
	if err != nil {
		return nil, err
	}
	return &ast.MapIndex{Base: e.since(m.Span.Start), Map: m, Keys: keys}, nil
}

// list parses expressions between commas, at least one, and the closing
// bracket.
func (e *exprParser) list(shut string) ([]ast.Expr, error) {
	var out []ast.Expr
	for {
		x, err := e.expr()
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		if !e.accept(",") {
			return out, e.expect(shut)
		}
	}
}

// block parses a block as an expression. The statements within are lowered
// here, so that an error in them is one of the expression.
func (e *exprParser) block() (ast.Expr, error) {
	b := &builder{}
	out := e.p.block(e.lex).lowerBlock(b, true)
	return out, b.first()
}

func (e *exprParser) ifExpr() (ast.Expr, error) {
	x, err := run(e.p.ifExpr, e.lex)
	if err != nil {
		return nil, err
	}
	b := &builder{}
	out := x.lower(b, true)
	return out, b.first()
}

// named parses what begins with a name or keyword.
func (e *exprParser) named() (ast.Expr, error) {
	t := e.lex.Peek()
	switch t.Value {
	case "true", "false":
		e.lex.Next()
		return &ast.BoolLit{Base: ast.Base{Span: tokenSpan(t)}, Value: t.Value == "true"}, nil
	case "if":
		return e.ifExpr()
	case "sizeof", "typeinfo", "offsetof", "typeof":
		return e.ofType(t)
	case "comptime":
		return e.prefix(func(b ast.Base, x ast.Expr) (ast.Expr, error) {
			return &ast.Comptime{Base: b, X: x}, nil
		})
	}
	if isTypeKeyword(t.Value) {
		return nil, unexpected(t, "an expression")
	}
	e.lex.Next()
	name := identOf(t)
	if !e.accept("(") {
		return name, nil
	}
	args, err := e.args()
	if err != nil {
		return nil, err
	}
	return &ast.Call{Base: e.since(name.Span.Start), Fun: name, Args: args}, nil
}

// args parses the arguments of a call and its closing parenthesis.
func (e *exprParser) args() ([]ast.Expr, error) {
	if e.accept(")") {
		return nil, nil
	}
	return e.list(")")
}

// typeOperand parses the operand in parentheses of an operator on types, up to
// the operator shut.
func (e *exprParser) typeOperand(shut string) (*ast.TypeOrExpr, error) {
	if err := e.expect("("); err != nil {
		return nil, err
	}
	x, err := e.p.parseTypeOrExpr(e.lex)
	if err != nil {
		return nil, err
	}
	return x.operand(), e.expect(shut)
}

// ofType parses sizeof, typeinfo, offsetof, and typeof as a value.
func (e *exprParser) ofType(t *lexer.Token) (ast.Expr, error) {
	start := e.mark()
	e.lex.Next()
	if t.Value == "offsetof" {
		return e.offsetof(start)
	}
	x, err := e.typeOperand(")")
	if err != nil {
		return nil, err
	}
	switch t.Value {
	case "sizeof":
		return &ast.Sizeof{Base: e.since(start), X: x}, nil
	case "typeinfo":
		return &ast.Typeinfo{Base: e.since(start), X: x}, nil
	}
	return &ast.TypeArg{Base: e.since(start), X: x}, nil
}

func (e *exprParser) offsetof(start uint32) (ast.Expr, error) {
	x, err := e.typeOperand(",")
	if err != nil {
		return nil, err
	}
	out := &ast.Offsetof{X: x}
	for {
		name, err := e.ident()
		if err != nil {
			return nil, err
		}
		out.Path = append(out.Path, name)
		if !e.accept(".") {
			break
		}
	}
	err = e.expect(")")
	out.Base = e.since(start)
	return out, err
}

// paren parses what stands in parentheses: an expression, tuple or record.
func (e *exprParser) paren() (ast.Expr, error) {
	start := e.mark()
	if err := e.expect("("); err != nil {
		return nil, err
	}
	if e.accept(")") {
		return &ast.Tuple{Base: e.since(start)}, nil
	}
	if e.lex.Peek().Type == tokIdent && isOp(second(e.lex), "=") {
		return e.record(start)
	}
	x, err := e.expr()
	if err != nil {
		return nil, err
	}
	if !isOp(e.lex.Peek(), ",") {
		return x, e.expect(")")
	}
	elems := []ast.Expr{x}
	for e.accept(",") && !isOp(e.lex.Peek(), ")") {
		if x, err = e.expr(); err != nil {
			return nil, err
		}
		elems = append(elems, x)
	}
	err = e.expect(")")
	return &ast.Tuple{Base: e.since(start), Elems: elems}, err
}

// record parses the fields of a record and the closing parenthesis.
func (e *exprParser) record(start uint32) (ast.Expr, error) {
	out := &ast.Record{}
	seen := map[string]bool{}
	for {
		from := e.mark()
		name, err := e.ident()
		if err == nil {
			err = e.expect("=")
		}
		if err == nil {
			err = fieldName(name, e.since(from).Span, seen)
		}
		if err != nil {
			return nil, err
		}
		value, err := e.expr()
		if err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, &ast.RecordField{Base: e.since(from), Name: name, Value: value})
		if !e.accept(",") {
			break
		}
	}
	err := e.expect(")")
	out.Base = e.since(start)
	return out, err
}

// fieldName checks the name of a record field, whose name and equals sign are
// at sp.
func fieldName(name *ast.Ident, sp source.Span, seen map[string]bool) error {
	switch {
	case isKnownName(name.Name):
		return syntaxErrorf(source.Span{Start: sp.End - 1, End: sp.End}, "'%s' is a builtin and can not name a field", name.Name)
	case seen[name.Name]:
		return syntaxErrorf(sp, "duplicate field '%s' in record", name.Name)
	}
	seen[name.Name] = true
	return nil
}

// param parses a positional parameter; the digits of its number go to the end
// of the token.
func param(t *lexer.Token) (ast.Expr, error) {
	base := ast.Base{Span: tokenSpan(t)}
	if t.Value == "$#" {
		return &ast.ParamCount{Base: base}, nil
	}
	n, err := strconv.ParseInt(t.Value[1:], 10, 32)
	switch {
	case err != nil:
		return nil, newError(diag.BadParam, base.Span, "number of positional parameter %s is out of range", clip(t.Value))
	case n == 0:
		return nil, newError(diag.BadParam, base.Span, "positional parameters count from $1, there is no %s", clip(t.Value))
	}
	return &ast.Param{Base: base, N: int(n)}, nil
}

// isKnownName reports whether the grammar itself knows name as a value, so
// that it is no type and no name of the program's own.
func isKnownName(name string) bool {
	switch name {
	case "args", "ctx", "kstack", "nsecs", "pid", "tid", "ustack":
		return true
	}
	if strings.HasPrefix(name, "__builtin_") {
		return true
	}
	digits, ok := strings.CutPrefix(strings.TrimPrefix(name, "s"), "arg")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

func identOf(t *lexer.Token) *ast.Ident {
	return &ast.Ident{Base: ast.Base{Span: tokenSpan(t)}, Name: t.Value}
}

func varOf(t *lexer.Token) *ast.VarRef {
	return &ast.VarRef{Base: ast.Base{Span: tokenSpan(t)}, Name: t.Value[1:]}
}

func mapOf(t *lexer.Token) *ast.MapRef {
	return &ast.MapRef{Base: ast.Base{Span: tokenSpan(t)}, Name: t.Value}
}
