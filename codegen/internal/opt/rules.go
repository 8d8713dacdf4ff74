package opt

import (
	"math/bits"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// fold computes an operation on numbers as eBPF does. It fails for a division
// by zero.
func fold(op ir.Op, x, y int64) (int64, bool) {
	shift := uint64(y) & 63
	switch op {
	case ir.OpAdd:
		return x + y, true
	case ir.OpSub:
		return x - y, true
	case ir.OpMul:
		return x * y, true
	case ir.OpUDiv, ir.OpUMod:
		return foldDiv(op, uint64(x), uint64(y))
	case ir.OpAnd:
		return x & y, true
	case ir.OpOr:
		return x | y, true
	case ir.OpXor:
		return x ^ y, true
	case ir.OpShl:
		return x << shift, true
	case ir.OpLShr:
		return int64(uint64(x) >> shift), true
	case ir.OpAShr:
		return x >> shift, true
	}
	return foldCompare(op, x, y)
}

func foldDiv(op ir.Op, x, y uint64) (int64, bool) {
	switch {
	case y == 0:
		return 0, false
	case op == ir.OpUDiv:
		return int64(x / y), true
	}
	return int64(x % y), true
}

func foldCompare(op ir.Op, x, y int64) (int64, bool) {
	var r bool
	switch op {
	case ir.OpEq:
		r = x == y
	case ir.OpNe:
		r = x != y
	case ir.OpULt:
		r = uint64(x) < uint64(y)
	case ir.OpULe:
		r = uint64(x) <= uint64(y)
	case ir.OpSLt:
		r = x < y
	case ir.OpSLe:
		r = x <= y
	default:
		return 0, false
	}
	if r {
		return 1, true
	}
	return 0, true
}

// foldUnary computes an operation with one operand.
func foldUnary(op ir.Op, width uint8, x int64) (int64, bool) {
	switch op {
	case ir.OpNeg:
		return -x, true
	case ir.OpZExt:
		return int64(uint64(x) & mask(width)), true
	case ir.OpSExt:
		return x << (64 - width) >> (64 - width), true
	case ir.OpBSwap:
		return int64(bits.ReverseBytes64(uint64(x)) >> (64 - width)), true
	}
	return 0, false
}

func isCompare(op ir.Op) bool { return ir.OpEq <= op && op <= ir.OpSLe }

func commutes(op ir.Op) bool {
	switch op {
	case ir.OpAdd, ir.OpMul, ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpEq, ir.OpNe:
		return true
	}
	return false
}

func (s *simplifier) binary(v *ir.Value) *ir.Value {
	x, y := v.Args[0], v.Args[1]
	if isConst(x) && isConst(y) {
		if n, ok := fold(v.Op, x.Imm, y.Imm); ok {
			become(v, ir.OpConst).Imm = n
			return v
		}
		return nil
	}
	if commutes(v.Op) && isConst(x) {
		v.Args[0], v.Args[1] = y, x
		return v
	}
	if x == y {
		if r := s.sameOperands(v, x); r != nil {
			return r
		}
	}
	if isCompare(v.Op) {
		return s.compare(v, x, y)
	}
	if isConst(y) {
		return s.withConst(v, x, y.Imm)
	}
	return nil
}

func (s *simplifier) sameOperands(v, x *ir.Value) *ir.Value {
	switch v.Op {
	case ir.OpSub, ir.OpXor, ir.OpNe, ir.OpULt, ir.OpSLt:
		return become(v, ir.OpConst)
	case ir.OpEq, ir.OpULe, ir.OpSLe:
		become(v, ir.OpConst).Imm = 1
		return v
	case ir.OpAnd, ir.OpOr:
		return x
	}
	return nil
}

// withConst simplifies arithmetic with the number n on the right.
func (s *simplifier) withConst(v, x *ir.Value, n int64) *ir.Value {
	switch v.Op {
	case ir.OpSub:
		return become(v, ir.OpAdd, x, s.konst(-n))
	case ir.OpAdd, ir.OpXor, ir.OpOr, ir.OpMul:
		if r := s.identity(v, x, n); r != nil {
			return r
		}
		return s.reassociate(v, x, n)
	case ir.OpUDiv, ir.OpUMod:
		return s.divide(v, x, uint64(n))
	case ir.OpAnd:
		return s.and(v, x, n)
	case ir.OpShl, ir.OpLShr, ir.OpAShr:
		return s.shift(v, x, uint64(n))
	}
	return nil
}

func (s *simplifier) identity(v, x *ir.Value, n int64) *ir.Value {
	switch {
	case v.Op == ir.OpMul && n == 0:
		return become(v, ir.OpConst)
	case v.Op == ir.OpMul && n == 1, v.Op != ir.OpMul && n == 0:
		return x
	case v.Op == ir.OpOr && n == -1:
		become(v, ir.OpConst).Imm = -1
		return v
	case v.Op == ir.OpMul && bits.OnesCount64(uint64(n)) == 1:
		return become(v, ir.OpShl, x, s.konst(int64(bits.TrailingZeros64(uint64(n)))))
	case v.Op == ir.OpMul && n == -1:
		return become(v, ir.OpNeg, x)
	}
	return nil
}

// reassociate turns (a op m) op n into a op (m op n).
func (s *simplifier) reassociate(v, x *ir.Value, n int64) *ir.Value {
	if x.Op != v.Op || !isConst(x.Args[1]) || s.opaque(v, x) {
		return nil
	}
	m, ok := fold(v.Op, x.Args[1].Imm, n)
	if !ok {
		return nil
	}
	return become(v, v.Op, x.Args[0], s.konst(m))
}

func (s *simplifier) divide(v, x *ir.Value, n uint64) *ir.Value {
	switch {
	case n == 1 && v.Op == ir.OpUDiv:
		return x
	case n == 1:
		return become(v, ir.OpConst)
	case bits.OnesCount64(n) != 1:
		return nil
	case v.Op == ir.OpUDiv:
		return become(v, ir.OpLShr, x, s.konst(int64(bits.TrailingZeros64(n))))
	}
	return become(v, ir.OpAnd, x, s.konst(int64(n-1)))
}

func (s *simplifier) and(v, x *ir.Value, n int64) *ir.Value {
	switch {
	case n == 0:
		return become(v, ir.OpConst)
	case n == -1:
		return x
	case uint64(n)&mask(s.bits[x.ID]) == mask(s.bits[x.ID]) && !s.isGuarded(v):
		return x
	case x.Op == ir.OpZExt && uint64(n) <= mask(x.Width) && !s.opaque(v, x):
		return become(v, ir.OpAnd, x.Args[0], v.Args[1])
	}
	return s.reassociate(v, x, n)
}

func (s *simplifier) shift(v, x *ir.Value, n uint64) *ir.Value {
	switch {
	case n == 0:
		return x
	case n > 63:
		v.Args[1] = s.konst(int64(n & 63))
		return v
	case v.Op == ir.OpAShr && s.bits[x.ID] < 64:
		return become(v, ir.OpLShr, x, v.Args[1])
	case v.Op == ir.OpLShr && uint64(s.bits[x.ID]) <= n && !s.isGuarded(v):
		return become(v, ir.OpConst)
	case x.Op != v.Op || !isConst(x.Args[1]) || uint64(x.Args[1].Imm) > 63 || s.opaque(v, x):
		return nil
	}
	n += uint64(x.Args[1].Imm)
	switch {
	case n <= 63:
	case v.Op == ir.OpAShr:
		n = 63
	default:
		return become(v, ir.OpConst)
	}
	return become(v, v.Op, x.Args[0], s.konst(int64(n)))
}

// pointerAdd simplifies the sum of a pointer and a number.
func (s *simplifier) pointerAdd(v *ir.Value) *ir.Value {
	p, y := v.Args[0], v.Args[1]
	switch {
	case !isConst(y):
		return nil
	case y.Imm == 0:
		return p
	case v.Op == ir.OpSub:
		return become(v, ir.OpAdd, p, s.konst(-y.Imm))
	case p.Op == ir.OpAdd && isConst(p.Args[1]):
		return become(v, ir.OpAdd, p.Args[0], s.konst(p.Args[1].Imm+y.Imm))
	case p.Op == ir.OpMapValue && y.Imm > 0 && p.Imm+y.Imm < int64(p.Aux.(*ir.Map).ValueSize):
		become(v, ir.OpMapValue)
		v.Imm, v.Aux = p.Imm+y.Imm, p.Aux
		return v
	}
	return nil
}

func (s *simplifier) unary(v *ir.Value) *ir.Value {
	x := v.Args[0]
	if isConst(x) {
		n, ok := foldUnary(v.Op, v.Width, x.Imm)
		if !ok {
			return nil
		}
		become(v, ir.OpConst).Imm = n
		return v
	}
	switch v.Op {
	case ir.OpNeg:
		if x.Op == ir.OpNeg {
			return x.Args[0]
		}
	case ir.OpZExt:
		return s.zext(v, x)
	case ir.OpSExt:
		return s.sext(v, x)
	}
	return nil
}

func (s *simplifier) zext(v, x *ir.Value) *ir.Value {
	switch {
	case v.Width >= 64, s.bits[x.ID] <= v.Width && !s.isGuarded(v):
		return x
	case s.opaque(v, x):
		return nil
	case (x.Op == ir.OpZExt || x.Op == ir.OpSExt) && x.Width >= v.Width:
		v.Args[0] = x.Args[0]
		return v
	case x.Op == ir.OpAnd && isConst(x.Args[1]):
		n := uint64(x.Args[1].Imm) & mask(v.Width)
		return become(v, ir.OpAnd, x.Args[0], s.konst(int64(n)))
	}
	return nil
}

func (s *simplifier) sext(v, x *ir.Value) *ir.Value {
	switch {
	case v.Width >= 64, s.bits[x.ID] < v.Width && !s.isGuarded(v), x.Op == ir.OpSExt && x.Width <= v.Width:
		return x
	case s.opaque(v, x):
		return nil
	case (x.Op == ir.OpZExt || x.Op == ir.OpSExt) && x.Width >= v.Width:
		v.Args[0] = x.Args[0]
		return v
	}
	return nil
}
