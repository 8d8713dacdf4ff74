package check

import (
	"math/bits"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// foldInt computes x op y of literals. Here, unlike when run, division, modulo
// and right shift are signed, and overflow is an error. Numbers above the range
// of int64 (and those cast to uint64) are computed with as unsigned, and so are
// literals without a minus, whose result may be above that range.
func (c *checker) foldInt(op typed.Op, x operand, a uint64, y operand, b uint64, sp source.Span) operand {
	xi, _ := intOf(x.Type())
	yi, _ := intOf(y.Type())
	unsigned := isUint64(xi) && (!yi.Signed || int64(b) >= 0) || isUint64(yi) && (!xi.Signed || int64(a) >= 0)
	if isComparison(op) {
		return boolConst(compareConst(op, a, b, !unsigned), sp)
	}
	if (op == typed.Div || op == typed.Mod) && b == 0 {
		c.diags.Errorf(diag.ConstantFault, sp, "unable to fold: division by zero")
		return c.bad(sp)
	}
	if (op == typed.Shl || op == typed.Shr) && b >= 64 {
		c.diags.Errorf(diag.ConstantFault, sp, "unable to fold: overflow, shift by %d", int64(b))
		return c.bad(sp)
	}
	plain := x.flex && y.flex && op != typed.Sub
	var n uint64
	var overflow bool
	if unsigned || plain {
		n, overflow = foldUnsigned(op, a, b)
	} else {
		n, overflow = foldSigned(op, a, b)
	}
	if overflow {
		c.diags.Errorf(diag.ConstantFault, sp, "unable to fold: overflow")
		return c.bad(sp)
	}
	if x.cast || y.cast {
		signed := signedResult(x, xi, y, yi) || op == typed.Sub
		return operand{Expr: &typed.Const{Node: node(wide(signed), sp), Value: n}, lit: true, cast: true}
	}
	if unsigned {
		return operand{Expr: &typed.Const{Node: node(uint64Type, sp), Value: n}, lit: true, flex: true}
	}
	return intLit(n, int64(n) < 0 && !plain, sp)
}

func isUint64(t types.Int) bool { return t.Bits == 64 && !t.Signed }

func compareConst(op typed.Op, a, b uint64, signed bool) bool {
	less, equal := a < b, a == b
	if signed {
		less = int64(a) < int64(b)
	}
	switch op {
	case typed.Eq:
		return equal
	case typed.Ne:
		return !equal
	case typed.Lt:
		return less
	case typed.Le:
		return less || equal
	case typed.Gt:
		return !less && !equal
	}
	return !less
}

func foldUnsigned(op typed.Op, a, b uint64) (n uint64, overflow bool) {
	switch op {
	case typed.Add:
		s, carry := bits.Add64(a, b, 0)
		return s, carry != 0
	case typed.Sub:
		// A difference is signed.
		if a < b {
			return a - b, true
		}
		return a - b, false
	case typed.Mul:
		hi, lo := bits.Mul64(a, b)
		return lo, hi != 0
	case typed.Div:
		return a / b, false
	case typed.Mod:
		return a % b, false
	case typed.Shr:
		return a >> b, false
	}
	return foldBits(op, a, b), false
}

func foldSigned(op typed.Op, a, b uint64) (n uint64, overflow bool) {
	x, y := int64(a), int64(b)
	switch op {
	case typed.Add:
		s := x + y
		return uint64(s), (s > x) != (y > 0) && y != 0
	case typed.Sub:
		s := x - y
		return uint64(s), (s < x) != (y > 0) && y != 0
	case typed.Mul:
		if x == 0 || y == 0 {
			return 0, false
		}
		p := x * y
		return uint64(p), p/y != x || x == -1 && y == -1<<63 || y == -1 && x == -1<<63
	case typed.Div:
		return uint64(x / y), x == -1<<63 && y == -1
	case typed.Mod:
		return uint64(x % y), x == -1<<63 && y == -1
	case typed.Shr:
		return uint64(x >> b), false
	}
	return foldBits(op, a, b), false
}

func foldBits(op typed.Op, a, b uint64) uint64 {
	switch op {
	case typed.And:
		return a & b
	case typed.Or:
		return a | b
	case typed.Xor:
		return a ^ b
	}
	return a << b
}
