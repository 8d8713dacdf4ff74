package lower

import "github.com/gotrace/gotrace/codegen/internal/ir"

// foldAddresses moves constant additions into what uses the address: the offset
// of a memory access, of a slot or of a map value. The verifier depends on it
// for the context, which may only be read at constant offsets.
func foldAddresses(f *ir.Func) {
	rewriteBlocks(f, func(r *rewriter, v *ir.Value) {
		switch v.Op {
		case ir.OpAdd, ir.OpSub:
			r.foldAdd(v)
		case ir.OpLoad, ir.OpStore, ir.OpAtomicAdd, ir.OpAtomicFetchAdd:
			base, off := constOffset(v.Args[0])
			if base != v.Args[0] && fitsAccess(base, v.Imm+off) {
				v.Args[0] = base
				v.Imm += off
			}
		}
		r.keep(v)
	})
}

// foldAdd merges v, an addition of a constant, with its first operand.
func (r *rewriter) foldAdd(v *ir.Value) {
	if v.Op == ir.OpAdd && v.Args[0].Op == ir.OpConst {
		v.Args[0], v.Args[1] = v.Args[1], v.Args[0]
	}
	base, off := constOffset(v)
	switch {
	case base.Op == ir.OpSlotAddr && inSlot(base, off), base.Op == ir.OpMapValue && inValue(base, off):
		v.Op, v.Aux, v.Imm, v.Args = base.Op, base.Aux, base.Imm+off, nil
	case base != v && base != v.Args[0]:
		v.Op = ir.OpAdd
		v.Args = []*ir.Value{base, r.constant(off)}
	}
}

// fitsAccess reports whether an access at offset off of base can be encoded.
// Slots lie below the frame pointer, by at most the size of the stack.
func fitsAccess(base *ir.Value, off int64) bool {
	if base.Op == ir.OpSlotAddr {
		return ir.FitsOffset(off - ir.StackSize)
	}
	return ir.FitsOffset(off)
}

// inSlot reports whether the address of a slot stays within the slot, or at its
// end, when off is added. Behind a bounds check that is known to fail it does
// not.
func inSlot(v *ir.Value, off int64) bool {
	n := v.Imm + off
	return n >= 0 && n <= v.Aux.(*ir.Slot).Size
}

// inValue reports whether the address of a map value stays within the value
// when off is added.
func inValue(v *ir.Value, off int64) bool {
	n := v.Imm + off
	return n >= 0 && n < int64(v.Aux.(*ir.Map).ValueSize)
}

// constOffset strips constant additions from p.
func constOffset(p *ir.Value) (base *ir.Value, off int64) {
	for {
		if p.Op != ir.OpAdd && p.Op != ir.OpSub || p.Args[1].Op != ir.OpConst {
			return p, off
		}
		c := p.Args[1].Imm
		if p.Op == ir.OpSub {
			c = -c
		}
		p, off = p.Args[0], off+c
	}
}

// fitOffsets adds offsets that an instruction can not hold to the address.
func fitOffsets(f *ir.Func) {
	rewriteBlocks(f, func(r *rewriter, v *ir.Value) {
		switch v.Op {
		case ir.OpLoad, ir.OpStore, ir.OpAtomicAdd, ir.OpAtomicFetchAdd:
			if !ir.FitsOffset(v.Imm) {
				v.Args[0] = r.offset(v.Args[0], v.Imm)
				v.Imm = 0
			}
		}
		r.keep(v)
	})
}
