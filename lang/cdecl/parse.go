package cdecl

import (
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// parser reads declarations and constant expressions from tokens.
type parser struct {
	unit      *unit
	toks      []token
	pos       int
	nesting   int
	dead      int  // inside an operand that is not evaluated
	directive bool // in a preprocessor line
}

// peek returns the next token; behind the last one, an empty one at its end.
func (p *parser) peek() token { return p.at(0) }

func (p *parser) at(n int) token {
	if p.pos+n < len(p.toks) {
		return p.toks[p.pos+n]
	}
	if len(p.toks) == 0 {
		return token{}
	}
	last := p.toks[len(p.toks)-1]
	return token{sys: last.sys, span: last.span}
}

func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.pos++
	return true
}

func (p *parser) expect(text string) *failure {
	if p.accept(text) {
		return nil
	}
	return p.unexpected("where " + quoted(text) + " is expected")
}

func (p *parser) fail(msg string) *failure { return &failure{span: p.peek().span, msg: msg} }

// unexpected is the error that the next token does not fit.
func (p *parser) unexpected(where string) *failure {
	t := p.peek()
	if t.kind == tEOF {
		return p.fail("the definition ends " + where)
	}
	return p.fail("unexpected " + quoted(t.text) + " " + where)
}

func quoted(s string) string { return "'" + s + "'" }

// translationUnit reads all declarations.
func (p *parser) translationUnit() {
	for p.pos < len(p.toks) {
		start := p.pos
		first := p.peek()
		p.nesting, p.dead = 0, 0
		if err := p.declaration(); err != nil {
			p.unit.report(err, first.sys)
			p.pos = start
			p.skipDeclaration()
		}
		if p.pos == start {
			p.pos++
		}
	}
}

// declaration reads one declaration of the top level.
func (p *parser) declaration() *failure {
	switch t := p.peek(); {
	case p.accept(";"):
		return nil
	case t.is("asm"), t.is("__asm__"), t.is("_Static_assert"), t.is("static_assert"), t.is("namespace"):
		p.skipDeclaration()
		return nil
	}
	base, err := p.specifiers()
	if err != nil {
		return err
	}
	if !base.isTypedef {
		if p.accept(";") {
			return nil
		}
		p.skipDeclaration() // functions and variables
		return nil
	}
	for {
		d, err := p.declarator(base.typ)
		if err != nil {
			return err
		}
		attr, err := p.attributes(base.attr)
		if err != nil {
			return err
		}
		if d.name != "" {
			p.unit.typedefs[d.name] = attr.apply(d.typ)
		}
		if !p.accept(",") {
			return p.expect(";")
		}
	}
}

// apply returns t with the alignment that attributes of a typedef give it.
func (a attributes) apply(t ctype) ctype {
	if a.aligned == 0 {
		return t
	}
	return realigned{t, a.aligned}
}

// skipDeclaration passes to the end of a declaration: its semicolon, or the
// brace that closes a function.
func (p *parser) skipDeclaration() {
	depth, params := 0, false
	for p.pos < len(p.toks) {
		t := p.toks[p.pos]
		p.pos++
		switch {
		case t.is("{"), t.is("("), t.is("["):
			depth++
		case t.is(")"), t.is("]"):
			depth--
			params = params || depth == 0 && t.is(")")
		case t.is("}"):
			if depth--; depth <= 0 && params && !p.peek().is(";") && !p.peek().is(",") {
				return
			}
		case t.is(";") && depth <= 0:
			return
		}
	}
}

// skipTo passes the closing bracket of a list that is open.
func (p *parser) skipTo(text string) {
	for depth := 0; p.pos < len(p.toks); p.pos++ {
		t := p.toks[p.pos]
		switch {
		case depth == 0 && t.is(text):
			p.pos++
			return
		case t.is("("), t.is("["), t.is("{"):
			depth++
		case t.is(")"), t.is("]"), t.is("}"):
			depth--
		}
	}
}

// declared is a name with its type.
type declared struct {
	name string
	span source.Span
	typ  ctype
}

// declarator reads pointers, a name and the brackets behind it. The name may be
// missing.
func (p *parser) declarator(base ctype) (declared, *failure) {
	if p.nesting++; p.nesting > maxNesting {
		return declared{}, p.fail("the declaration nests too deeply")
	}
	defer func() { p.nesting-- }()
	for {
		if err := p.qualifiers(); err != nil {
			return declared{}, err
		}
		if !p.accept("*") {
			break
		}
		base = &pointer{base, base.depth() + 1}
		if base.depth() > maxNesting {
			return declared{}, p.fail("the type nests too deeply")
		}
	}
	if p.peek().is("(") && p.groups() {
		return p.group(base)
	}
	d := declared{span: p.peek().span}
	if t := p.peek(); t.kind == tIdent {
		d.name = t.text
		p.pos++
	}
	var err *failure
	d.typ, err = p.suffixes(base)
	return d, err
}

// groups reports whether a parenthesis opens a declarator, not parameters.
func (p *parser) groups() bool {
	t := p.at(1)
	return t.is("*") || t.is("(") || t.is("__attribute__") || t.kind == tIdent && !p.isType(t)
}

// group reads a declarator in parentheses: the brackets behind it bind first.
func (p *parser) group(base ctype) (declared, *failure) {
	start := p.pos
	p.pos++
	p.skipTo(")")
	outer, err := p.suffixes(base)
	if err != nil {
		return declared{}, err
	}
	end := p.pos
	p.pos = start + 1
	d, err := p.declarator(outer)
	if err != nil {
		return d, err
	}
	if err := p.expect(")"); err != nil {
		return d, err
	}
	p.pos = end
	return d, nil
}

// suffixes reads array bounds and parameter lists.
func (p *parser) suffixes(elem ctype) (ctype, *failure) {
	if p.accept("(") {
		p.skipTo(")")
		_, err := p.suffixes(elem)
		return function{}, err
	}
	var sizes []int
	at := p.peek().span
	for p.accept("[") {
		n, err := p.bound()
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, n)
	}
	for i := len(sizes) - 1; i >= 0; i-- {
		size, _, ok := elem.layout()
		switch {
		case !ok:
			return nil, &failure{span: at, msg: "array of an incomplete type"}
		case size > 0 && sizes[i] > maxSize/size || sizes[i] > maxSize:
			return nil, &failure{span: at, msg: "the array is too large"}
		}
		elem = &array{elem, sizes[i], elem.depth() + 1}
		if elem.depth() > maxNesting {
			return nil, &failure{span: at, msg: "the type nests too deeply"}
		}
	}
	return elem, nil
}

// bound reads the size of an array behind its bracket; 0 when there is none.
func (p *parser) bound() (int, *failure) {
	if p.accept("]") {
		return 0, nil
	}
	at := p.peek()
	v, err := p.expr()
	if err != nil {
		return 0, err
	}
	if v.v < 0 || v.v > maxSize {
		return 0, &failure{span: at.span, msg: "an array can not have this size"}
	}
	return int(v.v), p.expect("]")
}

// typeName reads a type without a name, as in sizeof.
func (p *parser) typeName() (ctype, *failure) {
	base, err := p.specifiers()
	if err != nil {
		return nil, err
	}
	d, err := p.declarator(base.typ)
	if err == nil && d.name != "" {
		err = &failure{span: d.span, msg: "unexpected " + quoted(d.name) + " in a type"}
	}
	return d.typ, err
}

// startsType reports whether the next token begins a type.
func (p *parser) startsType() bool { return p.isType(p.peek()) }

func (p *parser) isType(t token) bool {
	if t.kind != tIdent {
		return false
	}
	switch t.text {
	case "struct", "union", "enum", "const", "volatile", "restrict", "__attribute__":
		return true
	}
	if isBaseWord(t.text) {
		return true
	}
	_, isConst := p.unit.consts[t.text]
	if isConst {
		return false
	}
	_, ok := p.unit.named(t.text)
	return ok
}

// named finds a type by its one-word name.
func (u *unit) named(name string) (ctype, bool) {
	if t, ok := u.typedefs[name]; ok {
		return t, true
	}
	if t, ok := types.CName(name); ok {
		return fromLang(t), true
	}
	if u.opts.Kernel == nil {
		return nil, false
	}
	t, ok := u.opts.Kernel.Named(name)
	if !ok {
		return nil, false
	}
	return fromLang(t), true
}
