package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// defaultFrames is the limit of a stack that gives none.
const defaultFrames = 127

// comptime checks an expression that must fold to a constant.
func (c *checker) comptime(x *ast.Comptime) operand {
	y := c.expr(x.X)
	if y.Expr == nil || isUnknown(y.Type()) || y.lit {
		return y
	}
	c.diags.Errorf(diag.BadOperand, x.Pos(), "Unable to evaluate at compile time: comptime needs a constant")
	return c.bad(x.Pos())
}

func (c *checker) sizeof(x *ast.Sizeof) operand {
	t := c.typeOrExpr(x.X)
	if isUnknown(t) {
		return c.bad(x.Pos())
	}
	return intLit(uint64(sizeOf(t)), false, x.Pos())
}

// sizeOf is the size that scripts see. Stacks and aggregations are kept in
// another form than the reference keeps them; their sizes are the reference's.
func sizeOf(t types.Type) int {
	switch t := t.(type) {
	case types.Stack:
		if t.User {
			return 8*t.Limit + 16
		}
		return 8*t.Limit + 8
	case types.Agg:
		return 8
	case types.Opaque:
		if t.Kind == types.Inet {
			return 24
		}
	}
	return t.Size()
}

func (c *checker) offsetof(x *ast.Offsetof) operand {
	t := c.typeOrExpr(x.X)
	if isUnknown(t) {
		return c.bad(x.Pos())
	}
	off := 0
	for _, name := range x.Path {
		s, ok := t.(*types.Struct)
		if !ok {
			c.diags.Errorf(diag.BadOperand, x.Pos(), "offsetof: '%s' is no struct or record and has no field '%s'", t, name.Name)
			return c.bad(x.Pos())
		}
		f, ok := s.Lookup(name.Name)
		if !ok {
			d := c.diags.Errorf(diag.UnknownName, x.Pos(), "%s does not contain a field named '%s'", structName(s), name.Name)
			if near := c.nearest(name.Name, fieldNames(s)); near != "" {
				d.Hint("did you mean %q?", near)
			}
			return c.bad(x.Pos())
		}
		off += f.Offset
		t = f.Type
	}
	return intLit(uint64(off), false, x.Pos())
}

func (c *checker) typeinfo(x *ast.Typeinfo) operand {
	if !c.unstable("typeinfo", x.Pos()) {
		return c.bad(x.Pos())
	}
	t := c.typeOrExpr(x.X)
	if isUnknown(t) {
		return c.bad(x.Pos())
	}
	elems := []operand{
		intLit(0, false, x.Pos()),
		strLit(baseKind(t), x.Pos()),
		strLit(t.String(), x.Pos()),
	}
	return c.tupleOf([]string{"btf_id", "base_type", "full_type"}, elems, node(nil, x.Pos()))
}

// baseKind is the base_type of typeinfo.
func baseKind(t types.Type) string {
	switch t := t.(type) {
	case types.Int:
		return "int"
	case types.Bool:
		return "bool"
	case types.String:
		return "string"
	case types.Pointer:
		return "pointer"
	case types.Array:
		return "array"
	case types.Buffer:
		return "buffer"
	case *types.Enum:
		return "int"
	case types.Stack:
		if t.User {
			return "ustack"
		}
		return "kstack"
	case *types.Struct:
		switch t.Kind {
		case types.TupleKind:
			return "tuple"
		case types.RecordKind, types.CStruct, types.CUnion:
			return "record"
		}
	case types.Opaque:
		if t.Kind == types.Inet {
			return "inet"
		}
	}
	return t.String()
}

// constInt is a literal integer argument; ok is false after a report.
func (c *checker) constInt(x operand, sp source.Span, what string) (int64, bool) {
	if isUnknown(x.Type()) {
		return 0, false
	}
	n, ok := constOf(x.Expr)
	if !ok || !x.lit || !isInt(x.Type()) {
		c.diags.Errorf(diag.BadArgument, sp, "%s must be a literal integer", what)
		return 0, false
	}
	return int64(n), true
}

// constUint is a typed.Const of type uint64.
func constUint(n uint64, sp source.Span) typed.Expr {
	return &typed.Const{Node: node(uint64Type, sp), Value: n}
}
