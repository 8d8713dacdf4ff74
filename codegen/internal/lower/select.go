package lower

import (
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// simplify gives operations the form that has the shortest instruction.
func simplify(f *ir.Func) {
	rewriteBlocks(f, func(r *rewriter, v *ir.Value) {
		if v.Constraint() == ir.TiedCommutes && v.Args[0].Op == ir.OpConst && v.Args[1].Op != ir.OpConst {
			v.Args[0], v.Args[1] = v.Args[1], v.Args[0]
		}
		switch v.Op {
		case ir.OpShl, ir.OpLShr, ir.OpAShr:
			if c := v.Args[1]; c.Op == ir.OpConst && c.Imm != c.Imm&63 {
				v.Args[1] = r.constant(c.Imm & 63)
			}
		case ir.OpAnd:
			if c := v.Args[1]; c.Op == ir.OpConst && c.Imm == 1<<32-1 {
				v.Op, v.Width, v.Args = ir.OpZExt, 32, v.Args[:1]
			}
		case ir.OpSub:
			r.sub(v)
		}
		r.keep(v)
	})
}

// sub turns c-x into -x+c: the constant then needs no register.
func (r *rewriter) sub(v *ir.Value) {
	c := v.Args[0]
	switch {
	case c.Op != ir.OpConst || !ir.Fits32(c.Imm):
	case c.Imm == 0:
		v.Op, v.Args = ir.OpNeg, v.Args[1:]
	default:
		v.Op, v.Args = ir.OpAdd, []*ir.Value{r.value(ir.OpNeg, ir.I64, v.Args[1]), c}
	}
}

// expandMaps turns the map operations into helper calls.
func expandMaps(f *ir.Func) {
	rewriteBlocks(f, func(r *rewriter, v *ir.Value) {
		h := mapHelper(v.Op)
		if h != nil {
			args := append([]*ir.Value{r.refer(ir.OpMapPtr, v.Aux)}, v.Args...)
			if v.Op == ir.OpMapUpdate {
				args = append(args, r.constant(v.Imm))
			}
			v.Op, v.Aux, v.Imm, v.Args = ir.OpCall, h, 0, args
		}
		r.keep(v)
	})
}

// mapHelper returns the helper that implements a map operation, or nil.
func mapHelper(op ir.Op) *ir.Helper {
	switch op {
	case ir.OpMapLookup:
		return &ir.Helper{Name: "map_lookup_elem", Fn: asm.FnMapLookupElem, Effect: ir.MapRead, Result: ir.Ptr, Writes: -1, SizeArg: -1}
	case ir.OpMapUpdate:
		return &ir.Helper{Name: "map_update_elem", Fn: asm.FnMapUpdateElem, Effect: ir.MapWrite, Result: ir.I64, Writes: -1, SizeArg: -1, MayFail: true}
	case ir.OpMapDelete:
		return &ir.Helper{Name: "map_delete_elem", Fn: asm.FnMapDeleteElem, Effect: ir.MapWrite, Result: ir.I64, Writes: -1, SizeArg: -1, MayFail: true}
	}
	return nil
}

// fuseBranches lets branches evaluate their comparison, by a copy of it that
// nothing else uses.
func fuseBranches(f *ir.Func) {
	for _, b := range f.Blocks {
		if b.Term.Kind != ir.Branch {
			continue
		}
		c := stripTests(b)
		if !c.Op.IsCompare() && c.Op != ir.OpAnd {
			continue
		}
		v := f.NewValue(c.Op, c.Type, c.Args...)
		v.Span = c.Span
		b.Term.Cond = b.Append(v)
	}
}

// stripTests removes comparisons with 0 from the condition of b where the
// branch can test what was compared, and returns what is left.
func stripTests(b *ir.Block) *ir.Value {
	for {
		c := b.Term.Cond
		if c.Op != ir.OpNe && c.Op != ir.OpEq {
			return c
		}
		x, zero := c.Args[0], c.Args[1]
		if zero.Op != ir.OpConst || zero.Imm != 0 || !x.Op.IsCompare() && x.Op != ir.OpAnd {
			return c
		}
		b.Term.Cond = x
		if c.Op == ir.OpEq {
			s := b.Term.Succs
			s[0], s[1] = s[1], s[0]
			b.Likely = -b.Likely
		}
	}
}
