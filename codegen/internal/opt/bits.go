package opt

import (
	"math/bits"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// width returns how many low bits of the result of v can be set. Its operands
// must have been visited.
func (s *simplifier) width(v *ir.Value) uint8 {
	if v.Type != ir.I64 {
		return 64
	}
	arg := func(i int) uint8 { return s.bits[v.Args[i].ID] }
	switch v.Op {
	case ir.OpConst:
		return uint8(bits.Len64(uint64(v.Imm)))
	case ir.OpLoad:
		return 8 * v.Width
	case ir.OpZExt:
		return min(v.Width, arg(0))
	case ir.OpBSwap:
		return v.Width
	case ir.OpAnd, ir.OpUMod:
		return s.meetWidth(v, arg(0), arg(1))
	case ir.OpOr, ir.OpXor:
		return max(arg(0), arg(1))
	case ir.OpAdd:
		return min(64, max(arg(0), arg(1))+1)
	case ir.OpMul:
		return min(64, arg(0)+arg(1))
	case ir.OpUDiv:
		return arg(0)
	case ir.OpShl, ir.OpLShr:
		return s.shiftWidth(v, arg(0))
	}
	if isCompare(v.Op) {
		return 1
	}
	return 64
}

func (s *simplifier) meetWidth(v *ir.Value, x, y uint8) uint8 {
	if v.Op == ir.OpUMod && isZero(v.Args[1]) {
		return x
	}
	return min(x, y)
}

func (s *simplifier) shiftWidth(v *ir.Value, x uint8) uint8 {
	y := v.Args[1]
	if !isConst(y) {
		if v.Op == ir.OpLShr {
			return x
		}
		return 64
	}
	n := uint8(y.Imm & 63)
	if v.Op == ir.OpShl {
		return min(64, x+n)
	}
	return x - min(x, n)
}

// guardedValues finds the numbers that end up in an address or in the size
// argument of a helper, by ID. The kernel's verifier must see their bounds, and
// it knows less about values than simplify does (nothing about remainders, for
// one), so masks and checks of them stay even where they seem to do nothing.
func guardedValues(f *ir.Func) []bool {
	g := guard{marked: make([]bool, f.NumValues()), incoming: make([][]*ir.Value, f.NumValues())}
	for _, b := range f.Blocks {
		for _, e := range b.Term.Succs {
			for i, p := range e.To.Params {
				g.incoming[p.ID] = append(g.incoming[p.ID], e.Args[i])
			}
		}
		for _, v := range b.Values {
			h, call := v.Aux.(*ir.Helper)
			switch {
			case (v.Op == ir.OpAdd || v.Op == ir.OpSub) && v.Type == ir.Ptr:
				g.mark(v.Args[1])
			case call && h.SizeArg >= 0:
				g.mark(v.Args[h.SizeArg])
			}
		}
	}
	for len(g.work) > 0 {
		v := g.work[len(g.work)-1]
		g.work = g.work[:len(g.work)-1]
		for _, a := range g.incoming[v.ID] {
			g.mark(a)
		}
		if v.Effect() == ir.Pure {
			for _, a := range v.Args {
				g.mark(a)
			}
		}
	}
	return g.marked
}

// testedValues finds the numbers that are compared, by ID.
func testedValues(f *ir.Func) []bool {
	tested := make([]bool, f.NumValues())
	for _, b := range f.Blocks {
		for _, v := range b.Values {
			if isCompare(v.Op) {
				tested[v.Args[0].ID], tested[v.Args[1].ID] = true, true
			}
		}
		if b.Term.Cond != nil {
			tested[b.Term.Cond.ID] = true
		}
	}
	return tested
}

type guard struct {
	marked   []bool
	incoming [][]*ir.Value // by ID of a parameter
	work     []*ir.Value
}

func (g *guard) mark(v *ir.Value) {
	if v.Type == ir.I64 && !g.marked[v.ID] {
		g.marked[v.ID] = true
		g.work = append(g.work, v)
	}
}
