package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// compare simplifies the comparison v of x and y.
func (s *simplifier) compare(v, x, y *ir.Value) *ir.Value {
	if (v.Op == ir.OpEq || v.Op == ir.OpNe) && isConst(y) && x.Type == ir.I64 {
		return s.equal(v, x, y)
	}
	if x.Type != ir.I64 || y.Type != ir.I64 {
		return nil
	}
	if s.isGuarded(x) || s.isGuarded(y) {
		return nil
	}
	if r := extremes(v, x, y); r != nil {
		return r
	}
	return s.byRange(v, x, y)
}

// equal simplifies x == n and x != n.
func (s *simplifier) equal(v, x, y *ir.Value) *ir.Value {
	n := y.Imm
	switch {
	case isCompare(x.Op) && uint64(n) <= 1:
		if (n == 1) == (v.Op == ir.OpEq) {
			return x
		}
		return invert(v, x)
	case uint64(n) > mask(s.bits[x.ID]) && !s.isGuarded(x):
		return truth(v, v.Op == ir.OpNe)
	case s.isGuarded(x):
		// The check must stay on the very value that is used.
	case n == 0 && (x.Op == ir.OpSub || x.Op == ir.OpXor):
		return become(v, v.Op, x.Args[0], x.Args[1])
	case x.Op == ir.OpAdd && isConst(x.Args[1]):
		return become(v, v.Op, x.Args[0], s.konst(n-x.Args[1].Imm))
	case x.Op == ir.OpXor && isConst(x.Args[1]):
		return become(v, v.Op, x.Args[0], s.konst(n^x.Args[1].Imm))
	}
	return nil
}

// invert makes v the opposite of the comparison x.
func invert(v, x *ir.Value) *ir.Value {
	a, b := x.Args[0], x.Args[1]
	switch x.Op {
	case ir.OpEq:
		return become(v, ir.OpNe, a, b)
	case ir.OpNe:
		return become(v, ir.OpEq, a, b)
	case ir.OpULt:
		return become(v, ir.OpULe, b, a)
	case ir.OpULe:
		return become(v, ir.OpULt, b, a)
	case ir.OpSLt:
		return become(v, ir.OpSLe, b, a)
	}
	return become(v, ir.OpSLt, b, a)
}

func truth(v *ir.Value, t bool) *ir.Value {
	become(v, ir.OpConst)
	if t {
		v.Imm = 1
	}
	return v
}

// extremes resolves unsigned comparisons with the least and the greatest
// number.
func extremes(v, x, y *ir.Value) *ir.Value {
	switch {
	case v.Op == ir.OpULt && isZero(y):
		return truth(v, false)
	case v.Op == ir.OpULe && (isZero(x) || isConst(y) && y.Imm == -1):
		return truth(v, true)
	case v.Op == ir.OpULt && isZero(x):
		return become(v, ir.OpNe, y, x)
	case v.Op == ir.OpULe && isZero(y):
		return become(v, ir.OpEq, x, y)
	}
	return nil
}

// byRange resolves an order by how many bits its operands have.
func (s *simplifier) byRange(v, x, y *ir.Value) *ir.Value {
	wx, wy := s.bits[x.ID], s.bits[y.ID]
	switch v.Op {
	case ir.OpULt, ir.OpULe:
		if isConst(y) && wx < 64 && uint64(y.Imm) > mask(wx) {
			return truth(v, true)
		}
		if isConst(x) && wy < 64 && uint64(x.Imm) > mask(wy) {
			return truth(v, false)
		}
	case ir.OpSLt, ir.OpSLe:
		if wx < 64 && wy < 64 {
			op := ir.OpULt
			if v.Op == ir.OpSLe {
				op = ir.OpULe
			}
			return become(v, op, x, y)
		}
		if wx < 64 && isConst(y) && y.Imm < 0 {
			return truth(v, false)
		}
		if wy < 64 && isConst(x) && x.Imm < 0 {
			return truth(v, true)
		}
	}
	return nil
}
