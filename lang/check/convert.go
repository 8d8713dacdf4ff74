package check

import (
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// convert returns x as a value of type t. The caller has made sure that the
// conversion exists.
func convert(x typed.Expr, t types.Type) typed.Expr {
	if identical(x.Type(), t) || isUnknown(x.Type()) || isUnknown(t) {
		return x
	}
	n := node(t, x.Pos())
	switch k := x.(type) {
	case *typed.Const:
		if v, ok := convertConst(k.Value, t); ok {
			return &typed.Const{Node: n, Value: v}
		}
	case *typed.Zero:
		return &typed.Zero{Node: n}
	case *typed.Str:
		if st, ok := t.(types.String); ok {
			return &typed.Str{Node: n, Value: k.Value[:min(len(k.Value), max(0, st.Cap-1))]}
		}
	case *typed.Tuple:
		if to, ok := t.(*types.Struct); ok {
			if y := convertTuple(k, to, n); y != nil {
				return y
			}
		}
	}
	return &typed.Convert{Node: n, X: x}
}

// convertTuple converts a tuple that is made here by converting its elements.
// Records whose fields come in another order are left to the general case, as
// their elements must be evaluated in the order written.
func convertTuple(x *typed.Tuple, to *types.Struct, n typed.Node) typed.Expr {
	fields := x.T.(*types.Struct).Fields()
	out := &typed.Tuple{Node: n}
	for i, f := range to.Fields() {
		if i >= len(fields) || fields[i].Name != f.Name {
			return nil
		}
		out.Elems = append(out.Elems, convert(x.Elems[i], f.Type))
	}
	return out
}

// convertConst gives the number n the width and sign of the scalar type t.
func convertConst(n uint64, t types.Type) (uint64, bool) {
	switch t := t.(type) {
	case types.Bool:
		if n != 0 {
			n = 1
		}
		return n, true
	case types.Pointer:
		return n, true
	case types.Int:
		return truncate(n, t), true
	case *types.Enum:
		return truncate(n, enumInt(t)), true
	}
	return 0, false
}

// truncate keeps the low bits of n and extends them by t's sign.
func truncate(n uint64, t types.Int) uint64 {
	shift := 64 - uint(t.Bits)
	if t.Signed {
		return uint64(int64(n<<shift) >> shift)
	}
	return n << shift >> shift
}

// fits reports whether the literal n lies in the range of t.
func fits(n uint64, negative bool, t types.Int) bool {
	if t.Signed {
		if !negative && int64(n) < 0 {
			return false
		}
		return truncate(n, t) == n
	}
	return !negative && truncate(n, t) == n
}

// condition turns x into a bool: integers, pointers, enums, bools and string
// literals.
func (c *checker) condition(x operand, sp source.Span, what string) typed.Expr {
	t := x.Type()
	if isUnknown(t) {
		// No constant: that would decide for one side, whose type may be another
		// one than that of both.
		return &typed.Convert{Node: node(types.Bool{}, x.Pos()), X: x.Expr}
	}
	switch t.(type) {
	case types.Bool:
		return x.Expr
	case types.Int, *types.Enum, types.Pointer:
		return convert(x.Expr, types.Bool{})
	case types.String:
		if s, ok := litStr(x); ok {
			return boolConst(s != "", x.Pos()).Expr
		}
	}
	c.errCondition(sp, what, t)
	return boolConst(false, x.Pos()).Expr
}

// widen returns an integer, bool or pointer as a 64-bit integer of the given
// sign, extended by the sign of its own type.
func widen(x typed.Expr, signed bool) typed.Expr { return convert(x, wide(signed)) }
