package cdecl

import (
	"math"

	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// tag reads what stands behind struct, union or enum: attributes, and the name if
// there is one.
func (p *parser) tag() (attributes, token, *failure) {
	attr, err := p.attributes(attributes{})
	if err != nil {
		return attr, token{}, err
	}
	tag := p.peek()
	if tag.kind == tIdent {
		p.pos++
	} else {
		tag.text = ""
	}
	return attr, tag, nil
}

// structOrUnion reads a struct or union specifier: a reference by tag or a
// definition.
func (p *parser) structOrUnion() (ctype, *failure) {
	word := p.peek()
	p.pos++
	attr, tag, err := p.tag()
	if err != nil {
		return nil, err
	}
	c := p.compositeOf(word.text, tag.text)
	if !p.accept("{") {
		if tag.text == "" {
			return nil, p.unexpected("behind " + word.text)
		}
		return c, nil
	}
	if tag.text != "" {
		if err := p.claim(word.text+" "+tag.text, tag.span, c.borrowed); err != nil {
			return nil, err
		}
	}
	if err := p.body(c, attr); err != nil {
		return nil, err
	}
	return c, nil
}

// compositeOf returns the struct with a tag, a new one when it has none.
func (p *parser) compositeOf(word, tag string) *composite {
	kind := types.CStruct
	if word == "union" {
		kind = types.CUnion
	}
	if c, ok := p.unit.tags[word+" "+tag].(*composite); ok && tag != "" {
		return c
	}
	c := newComposite(p.unit, kind, tag)
	if tag != "" {
		p.unit.tags[word+" "+tag] = c
	}
	return c
}

// claim records that a tag is defined at sp, once.
func (p *parser) claim(tag string, sp, borrowed source.Span) *failure {
	if old, ok := p.unit.defined[tag]; ok {
		return &failure{span: sp, msg: "redefinition of " + quoted(tag), note: old}
	}
	if borrowed.IsValid() {
		return &failure{span: sp, msg: quoted(tag) + " is defined behind its use", note: borrowed}
	}
	p.unit.defined[tag] = sp
	return nil
}

// body reads the members behind the brace and the attributes at the end.
func (p *parser) body(c *composite, attr attributes) *failure {
	if p.nesting++; p.nesting > maxNesting {
		return p.fail("the definition nests too deeply")
	}
	c.open = true
	defer func() { p.nesting--; c.open = false }()
	var members []member
	for !p.peek().is("}") {
		list, err := p.members(members)
		if err != nil {
			return err
		}
		members = list
	}
	shut := p.peek()
	p.pos++
	attr, err := p.attributes(attr)
	if err != nil {
		return err
	}
	l := layouter{
		union: c.kind == types.CUnion, packed: attr.packed, pack: shut.pack,
		anonBits: p.unit.opts.Arch == "arm64",
	}
	names := map[string]bool{}
	for _, m := range members {
		if m.name != "" && names[m.name] {
			return &failure{span: m.span, msg: "duplicate member " + quoted(m.name)}
		}
		names[m.name] = true
		p.borrow(m.typ, m.span)
		if err := l.add(m); err != nil {
			return err
		}
	}
	c.place, err = l.finish(attr, shut.span)
	c.complete = err == nil
	return err
}

// borrow notes that the layout of a type which the program has only named so
// far was taken from the kernel.
func (p *parser) borrow(t ctype, at source.Span) {
	for {
		switch u := plain(t).(type) {
		case *array:
			t = u.elem
			continue
		case *composite:
			if !u.complete {
				u.borrowed = at
			}
		case *enumeration:
			if u.typ == nil {
				u.borrowed = at
			}
		}
		return
	}
}

// members reads one member declaration and appends to list.
func (p *parser) members(list []member) ([]member, *failure) {
	switch {
	case p.accept(";"):
		return list, nil
	case p.peek().is("_Static_assert"), p.peek().is("static_assert"):
		p.skipDeclaration()
		return list, nil
	case p.peek().kind == tEOF:
		return nil, p.unexpected("inside braces")
	}
	at := p.peek()
	base, err := p.specifiers()
	if err != nil {
		return nil, err
	}
	if p.peek().is(";") {
		p.pos++
		return append(list, anonymous(base, at)...), nil
	}
	for {
		m, err := p.member(base)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
		if !p.accept(",") {
			return list, p.expect(";")
		}
	}
}

// anonymous returns the member that a struct without declarators is; one with
// a tag only declares the tag.
func anonymous(base specified, at token) []member {
	c, ok := plain(base.typ).(*composite)
	if !ok || c.tag != "" {
		return nil
	}
	return []member{{typ: base.typ, span: at.span, packed: base.attr.packed, aligned: base.attr.aligned}}
}

// member reads one declarator of a member.
func (p *parser) member(base specified) (member, *failure) {
	at := p.peek().span
	d, err := p.declarator(base.typ)
	if err != nil {
		return member{}, err
	}
	m := member{name: d.name, typ: d.typ, span: d.span}
	if d.name == "" {
		m.span = at
	}
	if p.accept(":") {
		m.bits = true
		if m.width, err = p.width(d); err != nil {
			return m, err
		}
	} else if d.name == "" {
		return m, p.unexpected("where the name of a member is expected")
	}
	attr, err := p.attributes(base.attr)
	m.packed, m.aligned = attr.packed, attr.aligned
	if _, ok := d.typ.(function); ok && err == nil {
		err = &failure{span: m.span, msg: "member " + quoted(m.name) + " is a function"}
	}
	return m, err
}

// width reads the width of a bit-field.
func (p *parser) width(d declared) (int, *failure) {
	at := p.peek().span
	v, err := p.expr()
	if err != nil {
		return 0, err
	}
	size, _, ok := d.typ.layout()
	limit := int64(8 * size)
	switch t := plain(d.typ).(type) {
	case *basic:
		_, opaque := t.typ.(types.Array)
		ok = ok && !opaque
		if t.typ == (types.Bool{}) {
			limit = 1
		}
	case *enumeration:
	default:
		ok = false
	}
	switch {
	case !ok:
		return 0, &failure{span: at, msg: "a bit-field of this type is not possible"}
	case v.v < 0 || v.v > limit || v.v == 0 && d.name != "":
		return 0, &failure{span: at, msg: "a bit-field of this type can not have this width"}
	}
	return int(v.v), nil
}

// enum reads an enum specifier.
func (p *parser) enum() (ctype, *failure) {
	p.pos++
	attr, tag, err := p.tag()
	if err != nil {
		return nil, err
	}
	key := "enum " + tag.text
	e, ok := p.unit.tags[key].(*enumeration)
	if !ok || tag.text == "" {
		e = &enumeration{u: p.unit, tag: tag.text}
	}
	if !p.accept("{") {
		if tag.text == "" {
			return nil, p.unexpected("behind enum")
		}
		p.unit.tags[key] = e
		return e, nil
	}
	if tag.text != "" {
		if err := p.claim(key, tag.span, e.borrowed); err != nil {
			return nil, err
		}
		p.unit.tags[key] = e
	}
	values, err := p.enumerators(e)
	if err != nil {
		return nil, err
	}
	if attr, err = p.attributes(attr); err != nil {
		return nil, err
	}
	e.typ = enumType(tag.text, values, attr.packed)
	return e, nil
}

// enumerators reads the constants up to the closing brace.
func (p *parser) enumerators(e *enumeration) ([]enumerator, *failure) {
	var list []enumerator
	next := value{}
	for !p.accept("}") {
		name := p.peek()
		if name.kind != tIdent {
			return nil, p.unexpected("in an enum")
		}
		p.pos++
		if _, err := p.attributes(attributes{}); err != nil {
			return nil, err
		}
		if p.accept("=") {
			v, err := p.expr()
			if err != nil {
				return nil, err
			}
			next = v
		}
		if _, ok := p.unit.consts[name.text]; ok {
			return nil, &failure{span: name.span, msg: "redefinition of " + quoted(name.text)}
		}
		p.unit.consts[name.text] = constant{e, next.v}
		list = append(list, enumerator{types.EnumValue{Name: name.text, Value: next.v}, next.unsigned})
		next.v++
		if !p.accept(",") && !p.peek().is("}") {
			return nil, p.unexpected("in an enum")
		}
	}
	return list, nil
}

type enumerator struct {
	types.EnumValue
	unsigned bool
}

// enumType chooses the integer of an enum as gcc does: 32 bits, unsigned
// without negative values, wider when a value does not fit, the smallest one
// when packed.
func enumType(tag string, values []enumerator, packed bool) *types.Enum {
	e := &types.Enum{Name: tag, Bytes: 4}
	low, high := int64(0), uint64(0)
	for _, v := range values {
		e.Values = append(e.Values, v.EnumValue)
		if v.Value < 0 && !v.unsigned {
			low = min(low, v.Value)
		} else {
			high = max(high, uint64(v.Value))
		}
	}
	e.Signed = low < 0
	if packed {
		e.Bytes = 1
	}
	for e.Bytes < 8 && !fits(low, high, 8*e.Bytes) {
		e.Bytes *= 2
	}
	return e
}

// fits reports whether an integer of bits holds low and high.
func fits(low int64, high uint64, bits int) bool {
	if low < 0 {
		top := int64(1) << (bits - 1)
		return low >= -top && high < uint64(top)
	}
	return high <= math.MaxUint64>>(64-bits)
}
