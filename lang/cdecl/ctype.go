package cdecl

import (
	"sync"

	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// ctype is a type of C. It has what layouts depend on; the type of the language
// is made from it when it is asked for, so that types may refer to what is
// defined further down.
type ctype interface {
	// layout returns size and alignment in bytes, false for a type that is
	// incomplete, void or a function.
	layout() (size, align int, ok bool)
	// lang returns the type of the language; only called after parsing.
	lang() types.Type
	// depth counts the pointers and arrays around what is declared.
	depth() int
}

// basic is a number of C. char has a mark of its own, as arrays of it are text.
type basic struct {
	typ         types.Type
	size, align int
	char        bool
}

// pointer is a pointer; one to a function is a pointer to void.
type pointer struct {
	elem   ctype
	nested int
}

type array struct {
	elem   ctype
	n      int
	nested int
}

// function is the type of a function, which has no values.
type function struct{}

// external is a type of the kernel.
type external struct{ typ types.Type }

// realigned is a type with the attribute aligned.
type realigned struct {
	ctype
	to int
}

// composite is a struct or union.
type composite struct {
	u        *unit
	kind     types.StructKind
	tag      string
	open     bool // inside its own definition
	complete bool
	borrowed source.Span // where the kernel's layout was used, as there was no other
	place    placement
	resolve  func() *types.Struct
}

// enumeration is an enum; typ is nil before its definition.
type enumeration struct {
	u        *unit
	tag      string
	typ      *types.Enum
	borrowed source.Span
}

var voidType = &basic{typ: types.Void{}}

func number(t types.Type) *basic { return &basic{typ: t, size: t.Size(), align: t.Align()} }

// bytesOf is a type that the language can not compute with.
func bytesOf(size int) *basic {
	return &basic{typ: types.Array{Elem: types.Int{Bits: 8}, Len: size}, size: size, align: size}
}

// fromLang wraps a type that was found by name.
func fromLang(t types.Type) ctype {
	switch t.(type) {
	case types.Int, types.Bool:
		return number(t)
	case types.Void:
		return voidType
	}
	return external{t}
}

func (b *basic) layout() (int, int, bool)    { return b.size, b.align, b.size > 0 }
func (p *pointer) layout() (int, int, bool)  { return 8, 8, true }
func (function) layout() (int, int, bool)    { return 0, 0, false }
func (e external) layout() (int, int, bool)  { return e.typ.Size(), e.typ.Align(), true }
func (b *basic) lang() types.Type            { return b.typ }
func (p *pointer) lang() types.Type          { return types.Pointer{Elem: p.elem.lang()} }
func (function) lang() types.Type            { return types.Void{} }
func (e external) lang() types.Type          { return e.typ }
func (c *composite) lang() types.Type        { return c.resolve() }
func (b *basic) depth() int                  { return 0 }
func (p *pointer) depth() int                { return p.nested }
func (a *array) depth() int                  { return a.nested }
func (function) depth() int                  { return 0 }
func (e external) depth() int                { return 0 }
func (c *composite) depth() int              { return 0 }
func (e *enumeration) depth() int            { return 0 }
func (c *composite) resolved() *types.Struct { return c.resolve() }
func (r realigned) layout() (int, int, bool) {
	size, _, ok := r.ctype.layout()
	return size, r.to, ok
}

func (a *array) layout() (int, int, bool) {
	size, align, ok := a.elem.layout()
	return size * a.n, align, ok
}

func (a *array) lang() types.Type {
	if b, ok := plain(a.elem).(*basic); ok && b.char && a.n > 0 {
		return types.String{Cap: a.n}
	}
	return types.Array{Elem: a.elem.lang(), Len: a.n}
}

// plain removes attributes.
func plain(t ctype) ctype {
	for {
		r, ok := t.(realigned)
		if !ok {
			return t
		}
		t = r.ctype
	}
}

// truncate casts a constant to an integer type.
func (b *basic) truncate(v value) value {
	bits := uint(8 * b.size)
	t, ok := b.typ.(types.Int)
	switch {
	case !ok: // bool
		return truth(v.v != 0)
	case t.Signed:
		return value{v.v << (64 - bits) >> (64 - bits), false}
	}
	return value{int64(uint64(v.v) << (64 - bits) >> (64 - bits)), bits == 64}
}

func newComposite(u *unit, kind types.StructKind, tag string) *composite {
	c := &composite{u: u, kind: kind, tag: tag}
	c.resolve = sync.OnceValue(c.build)
	return c
}

// layout of a struct that the program only names is that of the kernel's.
func (c *composite) layout() (int, int, bool) {
	if c.complete {
		return c.place.size, c.place.align, true
	}
	if c.open {
		return 0, 0, false
	}
	if s, ok := c.kernel(); ok && s.Bytes > 0 {
		return s.Bytes, s.Align(), true
	}
	return 0, 0, false
}

func (c *composite) kernel() (*types.Struct, bool) {
	k := c.u.opts.Kernel
	if k == nil || c.tag == "" {
		return nil, false
	}
	if c.kind == types.CUnion {
		return k.Union(c.tag)
	}
	return k.Struct(c.tag)
}

// build makes the type of the language. Its alignment is at most 8, what maps
// and the stack of a program can give; offsets inside follow C.
func (c *composite) build() *types.Struct {
	if c.complete {
		return types.NewStruct(c.kind, c.tag, c.place.size, min(8, c.place.align), c.place.fields)
	}
	if s, ok := c.kernel(); ok {
		return s
	}
	return types.NewStruct(c.kind, c.tag, 0, 1, func() []types.Field { return nil })
}

func (e *enumeration) layout() (int, int, bool) {
	if t, ok := e.known(); ok {
		return t.Bytes, t.Bytes, true
	}
	return 0, 0, false
}

func (e *enumeration) known() (*types.Enum, bool) {
	if e.typ != nil {
		return e.typ, true
	}
	if k := e.u.opts.Kernel; k != nil && e.tag != "" {
		return k.Enum(e.tag)
	}
	return nil, false
}

func (e *enumeration) lang() types.Type {
	if t, ok := e.known(); ok {
		return t
	}
	return types.Int{Bits: 32}
}
