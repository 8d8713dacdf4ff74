package lower

import (
	"maps"
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// mergeStores makes wide stores of the constants that a block writes next to one
// another, such as the members of a key and the gaps between them.
func mergeStores(f *ir.Func) {
	var run storeRun
	rewriteBlocks(f, func(r *rewriter, v *ir.Value) {
		to := placeStored(v)
		switch {
		case isConstStore(v):
			if len(run.stores) > 0 && run.at.object != to.object {
				run.flush(r)
			}
			run.add(v, to, len(r.out))
		case run.disturbed(v, to):
			run.flush(r)
		}
		r.keep(v)
		if v == v.Block.Values[len(v.Block.Values)-1] {
			run.flush(r)
		}
	})
}

// stored is a place that is written: an offset into a slot or behind a pointer.
type stored struct {
	object any // *ir.Slot or *ir.Value
	off    int64
}

func placeStored(v *ir.Value) stored {
	if v.Op != ir.OpStore {
		return stored{}
	}
	p := v.Args[0]
	if p.Op == ir.OpSlotAddr {
		return stored{p.Aux, p.Imm + v.Imm}
	}
	return stored{p, v.Imm}
}

func isConstStore(v *ir.Value) bool {
	return v.Op == ir.OpStore && v.Args[1].Op == ir.OpConst && v.Args[1].Type == ir.I64
}

// storeRun is constant stores to one object with nothing between them that could
// tell in which order, and how, the bytes are written.
type storeRun struct {
	stores []*ir.Value
	last   int            // index of the last store in the new block
	at     stored         // of the first store
	bytes  map[int64]byte // by offset
}

func (s *storeRun) add(v *ir.Value, to stored, index int) {
	if len(s.stores) == 0 {
		s.at, s.bytes = to, map[int64]byte{}
	}
	s.stores = append(s.stores, v)
	s.last = index
	for i := range int64(v.Width) {
		s.bytes[to.off+i] = byte(v.Args[1].Imm >> (8 * i))
	}
}

// disturbed reports whether the run must be written before v.
func (s *storeRun) disturbed(v *ir.Value, to stored) bool {
	if v.Op != ir.OpStore {
		return v.Effect() != ir.Pure
	}
	if to.object != s.at.object {
		return true
	}
	for i := range int64(v.Width) {
		if _, ok := s.bytes[to.off+i]; ok {
			return true
		}
	}
	return false
}

// flush makes the run fewer stores if it can, in place of the last one.
func (s *storeRun) flush(r *rewriter) {
	defer func() { *s = storeRun{} }()
	merged := s.widest()
	if len(merged) >= len(s.stores) {
		return
	}
	behind := slices.Clone(r.out[s.last+1:])
	r.out = slices.DeleteFunc(r.out[:s.last+1], func(v *ir.Value) bool { return slices.Contains(s.stores, v) })
	first := s.stores[0]
	r.at = first
	for _, c := range merged {
		r.access(ir.OpStore, ir.Void, first.Imm+c.off-s.at.off, c.width, first.Args[0], r.constant(s.number(c)))
	}
	r.out = append(r.out, behind...)
}

// widest cuts the bytes into as wide and aligned stores as an instruction can
// make with its 32 bits, of which the highest is extended.
func (s *storeRun) widest() []chunk {
	var list []chunk
	offs := slices.Sorted(maps.Keys(s.bytes))
	for len(offs) > 0 {
		c := chunk{offs[0], 8}
		for c.width > 1 && (c.off%int64(c.width) != 0 || !s.filled(c) || !ir.Fits32(s.number(c))) {
			c.width /= 2
		}
		list = append(list, c)
		offs = offs[c.width:]
	}
	return list
}

func (s *storeRun) filled(c chunk) bool {
	for i := range int64(c.width) {
		if _, ok := s.bytes[c.off+i]; !ok {
			return false
		}
	}
	return true
}

// number is what a store of c writes, as a signed number of its width.
func (s *storeRun) number(c chunk) int64 {
	var n uint64
	for i := range int64(c.width) {
		n |= uint64(s.bytes[c.off+i]) << (8 * i)
	}
	unused := 64 - 8*c.width
	return int64(n<<unused) >> unused
}
