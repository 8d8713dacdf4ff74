package lower

import (
	"slices"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// lookupScratch inserts the lookup of the scratch memory and returns its
// address. It stands where all uses have passed, outside of loops, so that runs
// that leave early do not pay for it; a failed lookup, which can not happen for
// an array, returns 0.
func lookupScratch(pl *placement, p *ir.Program, key *ir.Slot) *ir.Value {
	b, i := scratchPoint(pl)
	return lookupAt(pl.f, b, i, p, key)
}

// lookupAt inserts the lookup before value i of block b.
func lookupAt(f *ir.Func, b *ir.Block, i int, p *ir.Program, key *ir.Slot) *ir.Value {
	rest := f.NewBlock()
	rest.Values, rest.Term, rest.Likely = slices.Clone(b.Values[i:]), b.Term, b.Likely
	for _, v := range rest.Values {
		v.Block = rest
	}
	for _, e := range rest.Term.Succs {
		e.To.Preds[slices.Index(e.To.Preds, b)] = rest
	}
	r := &rewriter{f: f, out: slices.Clone(b.Values[:i]), at: &ir.Value{}}
	if len(rest.Values) > 0 {
		r.at = rest.Values[0]
	}
	addr := r.refer(ir.OpSlotAddr, key)
	r.access(ir.OpStore, ir.Void, 0, 4, addr, r.constant(p.ScratchKey))
	base := r.refer(ir.OpMapLookup, p.Scratch, addr)
	b.Values = r.out
	for _, v := range b.Values {
		v.Block = b
	}
	b.Term, b.Likely = ir.Term{}, 1
	fail := f.NewBlock()
	zero := fail.Append(f.NewValue(ir.OpConst, ir.I64))
	fail.SetTerm(ir.Term{Kind: ir.Return, Cond: zero, Span: r.at.Span})
	b.SetTerm(ir.Term{Kind: ir.Branch, Cond: base, Succs: []ir.Edge{{To: rest}, {To: fail}}, Span: r.at.Span})
	f.Blocks = ir.RPO(f)
	return base
}

// scratchPoint returns where the lookup belongs: the block and the index of the
// value that it precedes. Nothing may be held there that a return would leak,
// so calls that acquire something count as uses.
func scratchPoint(pl *placement) (*ir.Block, int) {
	dom := ir.Dominators(pl.f)
	loops := dom.Loops()
	var b *ir.Block
	for _, c := range dom.RPO {
		if !slices.ContainsFunc(c.Values, pl.needsBase) {
			continue
		}
		if b == nil {
			b = c
		}
		b = dom.Common(b, c)
	}
	for loops.Depth(b) > 0 {
		b = dom.Idom(b)
	}
	if i := slices.IndexFunc(b.Values, pl.needsBase); i >= 0 {
		return b, i
	}
	return b, len(b.Values)
}

// needsBase reports whether the scratch memory must have been looked up
// before v.
func (pl *placement) needsBase(v *ir.Value) bool {
	switch aux := v.Aux.(type) {
	case *ir.Slot:
		_, ok := pl.scratch[aux]
		return ok
	case *ir.Helper:
		return acquires(aux.Fn)
	}
	return false
}

func acquires(fn asm.BuiltinFunc) bool {
	switch fn {
	case asm.FnRingbufReserve, asm.FnRingbufReserveDynptr, asm.FnSpinLock, asm.FnKptrXchg:
		return true
	}
	return false
}

// addressScratch makes the addresses of slots in scratch memory additions to
// base. Each operation gets its own, so that only base occupies a register.
func addressScratch(pl *placement, base *ir.Value) {
	slotOff := func(v *ir.Value) (int64, bool) {
		s, ok := v.Aux.(*ir.Slot)
		if !ok {
			return 0, false
		}
		off, ok := pl.scratch[s]
		return off + v.Imm, ok
	}
	edges := ir.NewSubst(pl.f)
	rewriteBlocks(pl.f, func(r *rewriter, v *ir.Value) {
		if off, ok := slotOff(v); ok {
			// For edges and terminators; dropped where none is left.
			edges.Set(v, r.offset(base, off))
			return
		}
		for i, a := range v.Args {
			if off, ok := slotOff(a); ok {
				v.Args[i] = r.offset(base, off)
			}
		}
		r.keep(v)
	})
	edges.Apply(pl.f)
}
