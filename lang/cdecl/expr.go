package cdecl

import (
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
)

// maxNesting bounds the depth of expressions and declarations.
const maxNesting = 100

// value is the result of a constant expression.
type value struct {
	v        int64
	unsigned bool // of the type unsigned long: compares and divides as such
}

func isPowerOf2(n int64) bool { return n > 0 && n&(n-1) == 0 }

// expr reads a constant expression.
func (p *parser) expr() (value, *failure) {
	if p.nesting++; p.nesting > maxNesting {
		return value{}, p.fail("the expression nests too deeply")
	}
	defer func() { p.nesting-- }()
	c, err := p.binary(ast.LowestPrecedence)
	if err != nil || !p.accept("?") {
		return c, err
	}
	a, err := p.unevaluated(c.v == 0, (*parser).expr)
	if err != nil {
		return a, err
	}
	if err := p.expect(":"); err != nil {
		return a, err
	}
	b, err := p.unevaluated(c.v != 0, (*parser).expr)
	if c.v == 0 {
		a.v = b.v
	}
	a.unsigned = a.unsigned || b.unsigned
	return a, err
}

// unevaluated reads an operand; when dead, what can not be computed in it does
// not matter.
func (p *parser) unevaluated(dead bool, read func(*parser) (value, *failure)) (value, *failure) {
	if dead {
		p.dead++
		defer func() { p.dead-- }()
	}
	return read(p)
}

// binary reads operators of at least the given precedence, which is not 0.
func (p *parser) binary(least int) (value, *failure) {
	a, err := p.unary()
	for err == nil {
		op := p.peek()
		prec := ast.Precedence(op.text)
		if op.kind != tPunct || prec < least {
			return a, nil
		}
		p.pos++
		var b value
		dead := op.text == "||" && a.v != 0 || op.text == "&&" && a.v == 0
		b, err = p.unevaluated(dead, func(p *parser) (value, *failure) { return p.binary(prec + 1) })
		if err == nil {
			a, err = p.apply(op, a, b)
		}
	}
	return a, err
}

// apply computes a op b.
func (p *parser) apply(op token, a, b value) (value, *failure) {
	uns := a.unsigned || b.unsigned
	switch op.text {
	case "||":
		return truth(a.v != 0 || b.v != 0), nil
	case "&&":
		return truth(a.v != 0 && b.v != 0), nil
	case "|":
		return value{a.v | b.v, uns}, nil
	case "^":
		return value{a.v ^ b.v, uns}, nil
	case "&":
		return value{a.v & b.v, uns}, nil
	case "==":
		return truth(a.v == b.v), nil
	case "!=":
		return truth(a.v != b.v), nil
	case "<":
		return truth(less(a, b, uns)), nil
	case ">":
		return truth(less(b, a, uns)), nil
	case "<=":
		return truth(!less(b, a, uns)), nil
	case ">=":
		return truth(!less(a, b, uns)), nil
	case "+":
		return value{a.v + b.v, uns}, nil
	case "-":
		return value{a.v - b.v, uns}, nil
	case "*":
		return value{a.v * b.v, uns}, nil
	case "<<", ">>":
		return p.shift(op, a, b)
	}
	return p.divide(op, a, b, uns)
}

func truth(b bool) value {
	if b {
		return value{v: 1}
	}
	return value{}
}

func less(a, b value, unsigned bool) bool {
	if unsigned {
		return uint64(a.v) < uint64(b.v)
	}
	return a.v < b.v
}

func (p *parser) shift(op token, a, b value) (value, *failure) {
	switch {
	case b.v < 0 || b.v > 63:
		if p.dead > 0 {
			return value{}, nil
		}
		return value{}, &failure{span: op.span, msg: "shift by " + strconv.FormatInt(b.v, 10) + " bits"}
	case op.text == "<<":
		return value{a.v << b.v, a.unsigned}, nil
	case a.unsigned:
		return value{int64(uint64(a.v) >> b.v), true}, nil
	}
	return value{a.v >> b.v, false}, nil
}

func (p *parser) divide(op token, a, b value, unsigned bool) (value, *failure) {
	if b.v == 0 {
		if p.dead > 0 {
			return value{}, nil
		}
		return value{}, &failure{span: op.span, msg: "division by zero"}
	}
	switch {
	case op.text == "/" && unsigned:
		return value{int64(uint64(a.v) / uint64(b.v)), true}, nil
	case op.text == "/":
		return value{a.v / b.v, false}, nil
	case unsigned:
		return value{int64(uint64(a.v) % uint64(b.v)), true}, nil
	}
	return value{a.v % b.v, false}, nil
}

func (p *parser) unary() (value, *failure) {
	if p.nesting++; p.nesting > maxNesting {
		return value{}, p.fail("the expression nests too deeply")
	}
	defer func() { p.nesting-- }()
	t := p.peek()
	if t.kind == tPunct && len(t.text) == 1 && strings.Contains("+-!~", t.text) {
		p.pos++
		v, err := p.unary()
		switch t.text {
		case "-":
			v.v = -v.v
		case "~":
			v.v = ^v.v
		case "!":
			v = truth(v.v == 0)
		}
		return v, err
	}
	return p.primary()
}

func (p *parser) primary() (value, *failure) {
	t := p.peek()
	switch t.kind {
	case tNumber:
		p.pos++
		v, ok := parseInt(t.text)
		if !ok {
			return v, &failure{span: t.span, msg: "malformed number " + t.text}
		}
		return v, nil
	case tChar:
		p.pos++
		return charValue(t)
	case tIdent:
		return p.name(t)
	}
	if !p.accept("(") {
		return value{}, p.unexpected("in an expression")
	}
	if !p.directive && p.startsType() {
		return p.cast()
	}
	v, err := p.expr()
	if err != nil {
		return v, err
	}
	return v, p.expect(")")
}

// name reads a name in an expression: sizeof, or a constant. In a
// preprocessor line names that are no macro are zero.
func (p *parser) name(t token) (value, *failure) {
	p.pos++
	if p.directive {
		return p.directiveName(t)
	}
	switch t.text {
	case "sizeof", "_Alignof", "__alignof__":
		return p.sizeof(t)
	}
	if c, ok := p.unit.consts[t.text]; ok {
		return value{v: c.value}, nil
	}
	if p.unit.pp.satisfied {
		if v, ok := WellKnown(t.text, p.unit.opts.Arch); ok {
			return value{v: v}, nil
		}
	}
	if k := p.unit.opts.Kernel; k != nil {
		if _, v, ok := k.EnumConst(t.text); ok {
			return value{v: v}, nil
		}
	}
	return value{}, &failure{span: t.span, msg: "unknown constant " + t.text}
}

func (p *parser) directiveName(t token) (value, *failure) {
	if p.accept("(") {
		if p.dead > 0 {
			p.skipTo(")")
			return value{}, nil
		}
		return value{}, &failure{span: t.span, msg: "unknown macro " + t.text + "()"}
	}
	if t.text == haveBTF && p.unit.hasBTF() {
		return value{v: 1}, nil
	}
	if p.unit.pp.satisfied {
		v, _ := WellKnown(t.text, p.unit.opts.Arch)
		return value{v: v}, nil
	}
	return value{}, nil
}

// sizeof reads the operand of sizeof and _Alignof, which must be a type.
func (p *parser) sizeof(op token) (value, *failure) {
	if err := p.expect("("); err != nil {
		return value{}, err
	}
	if !p.startsType() {
		return value{}, p.fail(op.text + " takes a type here")
	}
	t, err := p.typeName()
	if err != nil {
		return value{}, err
	}
	size, align, ok := t.layout()
	if !ok {
		return value{}, &failure{span: op.span, msg: op.text + " of an incomplete type"}
	}
	if op.text != "sizeof" {
		size = align
	}
	return value{int64(size), true}, p.expect(")")
}

// cast reads what follows the parenthesis of a cast.
func (p *parser) cast() (value, *failure) {
	t, err := p.typeName()
	if err != nil {
		return value{}, err
	}
	if err := p.expect(")"); err != nil {
		return value{}, err
	}
	v, err := p.unary()
	if err != nil {
		return v, err
	}
	b, ok := t.(*basic)
	if !ok || b.size > 8 || b.size < 1 {
		return v, p.fail("a constant can be cast to integers only")
	}
	return b.truncate(v), nil
}

// parseInt reads an integer constant with its suffix.
func parseInt(text string) (value, bool) {
	digits := strings.TrimRight(text, "uUlL")
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x"), strings.HasPrefix(digits, "0X"):
		base, digits = 16, digits[2:]
	case strings.HasPrefix(digits, "0b"), strings.HasPrefix(digits, "0B"):
		base, digits = 2, digits[2:]
	case len(digits) > 1 && digits[0] == '0':
		base, digits = 8, digits[1:]
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return value{}, false
	}
	suffix := text[len(strings.TrimRight(text, "uUlL")):]
	return value{int64(n), strings.ContainsAny(suffix, "uU") || n > 1<<63-1}, true
}

// charValue reads a character constant.
func charValue(t token) (value, *failure) {
	bad := &failure{span: t.span, msg: "malformed character constant"}
	if len(t.text) < 3 || !strings.HasSuffix(t.text, "'") {
		return value{}, bad
	}
	body := t.text[1 : len(t.text)-1]
	if len(body) == 1 {
		return value{v: int64(int8(body[0]))}, nil
	}
	if body[0] != '\\' {
		return value{}, bad
	}
	if i := strings.IndexByte(`abtnvfr\'"?`, body[1]); i >= 0 && len(body) == 2 {
		return value{v: int64("\a\b\t\n\v\f\r\\'\"?"[i])}, nil
	}
	base, digits := 8, body[1:]
	if body[1] == 'x' {
		base, digits = 16, body[2:]
	}
	n, err := strconv.ParseUint(digits, base, 8)
	if err != nil {
		return value{}, bad
	}
	return value{v: int64(int8(n))}, nil
}
