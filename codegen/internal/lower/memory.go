package lower

import (
	"math/bits"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Above these numbers of memory accesses a helper call is cheaper.
const (
	maxCopyChunks = 16
	maxZeroChunks = 32
)

// chunk is one access of an expanded OpZero or OpCopy.
type chunk struct {
	off   int64
	width uint8
}

// expandMemory turns OpZero and OpCopy into stores, or into a call of
// probe_read_kernel where they are large.
func expandMemory(f *ir.Func) {
	rewriteBlocks(f, func(r *rewriter, v *ir.Value) {
		switch v.Op {
		case ir.OpZero:
			r.zero(v)
		case ir.OpCopy:
			r.copy(v)
		default:
			r.keep(v)
		}
	})
}

func (r *rewriter) zero(v *ir.Value) {
	p := v.Args[0]
	parts := chunks(v.Size, placeOf(p, v.Imm))
	zero := r.constant(0)
	if len(parts) > maxZeroChunks {
		// A read that fails clears its destination, and a read of address 0
		// always fails: the kernel's own memset, in one call.
		r.refer(ir.OpCall, probeReadKernel(), r.offset(p, v.Imm), r.constant(v.Size), zero)
		return
	}
	for _, c := range parts {
		r.access(ir.OpStore, ir.Void, v.Imm+c.off, c.width, p, zero)
	}
}

func (r *rewriter) copy(v *ir.Value) {
	dst, src := v.Args[0], v.Args[1]
	parts := chunks(v.Size, placeOf(dst, v.Imm), placeOf(src, v.Imm2))
	if len(parts) > maxCopyChunks {
		r.refer(ir.OpCall, probeReadKernel(), r.offset(dst, v.Imm), r.constant(v.Size), r.offset(src, v.Imm2))
		return
	}
	for _, c := range parts {
		x := r.access(ir.OpLoad, ir.I64, v.Imm2+c.off, c.width, src)
		r.access(ir.OpStore, ir.Void, v.Imm+c.off, c.width, dst, x)
	}
}

// refer appends an operation that refers to aux.
func (r *rewriter) refer(op ir.Op, aux ir.Aux, args ...*ir.Value) *ir.Value {
	v := r.value(op, op.Info().Result, args...)
	v.Aux = aux
	return v
}

func (r *rewriter) access(op ir.Op, t ir.Type, off int64, width uint8, args ...*ir.Value) *ir.Value {
	v := r.value(op, t, args...)
	v.Imm, v.Width = off, width
	return v
}

// offset returns p+off.
func (r *rewriter) offset(p *ir.Value, off int64) *ir.Value {
	if off == 0 {
		return p
	}
	return r.value(ir.OpAdd, ir.Ptr, p, r.constant(off))
}

// place is what the verifier knows of the alignment of an address. It matters
// for the stack only, whose slots start at multiples of 8: other memory may be
// accessed at any address on the supported machines.
type place struct {
	off     int64 // from a multiple of 8
	unknown bool  // somewhere on the stack
}

// placeOf returns the place of p+off.
func placeOf(p *ir.Value, off int64) place {
	variable := false
	p, n := constOffset(p)
	for off += n; p.Op == ir.OpAdd || p.Op == ir.OpSub; off += n {
		variable = true
		p, n = constOffset(p.Args[0])
	}
	return place{off, variable && p.Op == ir.OpSlotAddr}
}

// width returns the largest power of two up to 8 that divides the address off
// bytes behind p.
func (p place) width(off int64) int64 {
	off += p.off
	switch {
	case p.unknown:
		return 1
	case off == 0:
		return 8
	}
	return min(8, off&-off)
}

// chunks cuts size bytes into accesses that are aligned at all places.
func chunks(size int64, places ...place) []chunk {
	var cs []chunk
	for off := int64(0); off < size; {
		w := int64(1) << (bits.Len64(uint64(size-off)) - 1)
		for _, p := range places {
			w = min(w, p.width(off))
		}
		cs = append(cs, chunk{off, uint8(w)})
		off += w
	}
	return cs
}

func probeReadKernel() *ir.Helper {
	return &ir.Helper{Name: "probe_read_kernel", Fn: asm.FnProbeReadKernel, Effect: ir.MemWrite,
		Result: ir.I64, Writes: 0, SizeArg: 1, MayFail: true}
}
