package check

import (
	"iter"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// field is x.name. Pointers are dereferenced as often as needed.
func (c *checker) field(x *ast.Field) operand {
	if op, ok := c.specialField(x); ok {
		return op
	}
	y := c.value(x.X)
	if isUnknown(y.Type()) {
		return y
	}
	for {
		p, ok := y.Type().(types.Pointer)
		if !ok {
			break
		}
		if _, void := p.Elem.(types.Void); void {
			break
		}
		y = of(c.load(y.Expr, p, x.X))
	}
	s, ok := y.Type().(*types.Struct)
	if !ok {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "Can not access field '%s' on expression of type '%s'", x.Name.Name, y.Type())
		return c.bad(x.Pos())
	}
	if s.Kind == types.TupleKind {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "Can not access field '%s' on a tuple; its elements are .0, .1 and so on", x.Name.Name)
		return c.bad(x.Pos())
	}
	f, ok := s.Lookup(x.Name.Name)
	if !ok {
		c.errNoField(x, s)
		return c.bad(x.Pos())
	}
	for i, g := range s.Fields() {
		if i < len(y.elems) && g.Name == f.Name && y.elems[i].lit {
			return y.elems[i]
		}
	}
	return of(c.member(y.Expr, f, x.Pos()))
}

func (c *checker) errNoField(x *ast.Field, s *types.Struct) {
	d := c.diags.Errorf(diag.UnknownName, x.Pos(), "%s does not contain a field named '%s'", structName(s), x.Name.Name)
	if near := c.nearest(x.Name.Name, fieldNames(s)); near != "" {
		d.Hint("did you mean %q?", near)
	}
}

func structName(s *types.Struct) string {
	if s.Kind == types.RecordKind {
		return "Record"
	}
	if s.Name == "" {
		return "Anonymous struct"
	}
	return s.String()
}

// fieldNames lists the fields of s, also those of anonymous members.
func fieldNames(s *types.Struct) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range s.Fields() {
			if inner, ok := f.Type.(*types.Struct); ok && f.Name == "" {
				for n := range fieldNames(inner) {
					if !yield(n) {
						return
					}
				}
			} else if !yield(f.Name) {
				return
			}
		}
	}
}

// member takes a field of a value; pointers among them inherit the address
// space of the pointer that the struct was reached through.
func (c *checker) member(x typed.Expr, f types.Field, sp source.Span) typed.Expr {
	t := f.Type
	if p, ok := reachedBy(x); ok {
		t = inherit(t, p)
	}
	if tup, ok := x.(*typed.Tuple); ok && pureTuple(tup) {
		for i, g := range tup.T.(*types.Struct).Fields() {
			if g.Offset == f.Offset && g.Name == f.Name {
				return tup.Elems[i]
			}
		}
	}
	return &typed.Field{Node: node(t, sp), X: x, F: f}
}

// pureTuple tells whether taking one element and dropping the others changes
// nothing.
func pureTuple(t *typed.Tuple) bool {
	for _, e := range t.Elems {
		switch e.(type) {
		case *typed.Const, *typed.Str, *typed.VarRef:
		default:
			return false
		}
	}
	return true
}

// reachedBy returns the pointer that the memory of x was reached through.
func reachedBy(x typed.Expr) (types.Pointer, bool) {
	for {
		switch y := x.(type) {
		case *typed.Field:
			x = y.X
		case *typed.Index:
			x = y.X
		case *typed.Deref:
			p, ok := y.X.Type().(types.Pointer)
			return p, ok
		default:
			return types.Pointer{}, false
		}
	}
}

func (c *checker) tupleField(x *ast.TupleField) operand {
	y := c.value(x.X)
	if isUnknown(y.Type()) {
		return y
	}
	return c.tupleElem(y, uint64(x.N), x.Pos())
}

func (c *checker) tupleElem(y operand, n uint64, sp source.Span) operand {
	s, ok := y.Type().(*types.Struct)
	if !ok || s.Kind != types.TupleKind {
		c.diags.Errorf(diag.BadOperand, sp, "Can not access index '%d' on expression of type '%s': it is no tuple", n, y.Type())
		return c.bad(sp)
	}
	if n >= uint64(len(s.Fields())) {
		c.diags.Errorf(diag.BadOperand, sp, "Invalid tuple index: %d. Found %d elements in tuple.", n, len(s.Fields()))
		return c.bad(sp)
	}
	if len(y.elems) == len(s.Fields()) {
		if e := y.elems[n]; e.lit {
			return e
		}
	}
	return of(c.member(y.Expr, s.Fields()[n], sp))
}

// index is x[i] of arrays, pointers, strings and tuples.
func (c *checker) index(x *ast.Index) operand {
	y := c.value(x.X)
	i := c.value(x.I)
	if isUnknown(y.Type()) || isUnknown(i.Type()) {
		return c.bad(x.Pos())
	}
	if _, ok := intOf(i.Type()); !ok {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "The array index operator [] only accepts integer indices, not %s", kindName(i.Type()))
		return c.bad(x.Pos())
	}
	n, constant := constOf(i.Expr)
	constant = constant && i.lit
	switch t := y.Type().(type) {
	case types.Array:
		return c.element1(y, t.Elem, t.Len, i, n, constant, x)
	case types.String:
		if s, ok := litBytes(y); ok && constant && y.lit && n <= uint64(len(s)) {
			return intLit(uint64((s + "\x00")[n]), false, x.Pos())
		}
		return c.element1(y, types.Int{Bits: 8}, t.Cap, i, n, constant, x)
	case types.Pointer:
		return c.pointerElem(y, t, i, x)
	case *types.Struct:
		if t.Kind == types.TupleKind {
			if constant {
				return c.tupleElem(y, n, x.Pos())
			}
			c.diags.Errorf(diag.BadOperand, x.Pos(), "The index of a tuple must be a literal")
			return c.bad(x.Pos())
		}
	}
	c.diags.Errorf(diag.BadOperand, x.Pos(), "The array index operator [] can not be used on values of type '%s'", y.Type())
	return c.bad(x.Pos())
}

func (c *checker) element1(y operand, elem types.Type, length int, i operand, n uint64, constant bool, x *ast.Index) operand {
	if constant && n >= uint64(length) {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "the index %d is out of bounds for array of size %d", int64(n), length)
		return c.bad(x.Pos())
	}
	t := elem
	if p, ok := reachedBy(y.Expr); ok {
		t = inherit(t, p)
	}
	return of(&typed.Index{Node: node(t, x.Pos()), X: y.Expr, I: convert(i.Expr, uint64Type)})
}

func (c *checker) pointerElem(y operand, p types.Pointer, i operand, x *ast.Index) operand {
	if _, void := p.Elem.(types.Void); void {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "The array index operator [] can not be used on a pointer to void")
		return c.bad(x.Pos())
	}
	at := y.Expr
	if n, ok := constOf(i.Expr); !ok || n != 0 {
		at = &typed.Binary{Node: node(p, x.Pos()), Op: typed.Add, X: y.Expr, Y: c.scale(i, p, x.Pos())}
	}
	return of(c.load(at, p, x))
}
