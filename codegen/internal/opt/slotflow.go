package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// slotFlow tells at which block boundaries the contents of slots are needed.
// Slots whose address gets away have no number and are always needed.
type slotFlow struct {
	num  map[*ir.Slot]int
	in   []bitset // by block ID
	out  []bitset
	kill []bitset // overwritten as a whole before anything is read
}

type bitset []uint64

func (s bitset) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }

func (s bitset) add(i int) { s[i/64] |= 1 << (i % 64) }

func flowOf(f *ir.Func, m *memory) *slotFlow {
	n := f.NumBlocks()
	s := &slotFlow{num: map[*ir.Slot]int{}, in: make([]bitset, n), out: make([]bitset, n), kill: make([]bitset, n)}
	for _, slot := range f.Slots {
		if !m.escaped[slot] {
			s.num[slot] = len(s.num)
		}
	}
	words := (len(s.num) + 63) / 64
	rpo := ir.RPO(f)
	for _, b := range rpo {
		s.in[b.ID], s.out[b.ID], s.kill[b.ID] = make(bitset, words), make(bitset, words), make(bitset, words)
		s.local(m, b)
	}
	for changed := true; changed; {
		changed = false
		for i := len(rpo) - 1; i >= 0; i-- {
			changed = s.flow(rpo[i]) || changed
		}
	}
	return s
}

// local finds what b itself reads and overwrites.
func (s *slotFlow) local(m *memory, b *ir.Block) {
	for _, v := range b.Values {
		for _, a := range m.accesses(v) {
			slot := a.slot()
			if slot == nil {
				continue
			}
			switch i := s.num[slot]; {
			case a.read && !s.kill[b.ID].has(i):
				s.in[b.ID].add(i)
			case a.full && a.known() && a.off <= 0 && a.off+a.size >= slot.Size && !s.in[b.ID].has(i):
				s.kill[b.ID].add(i)
			}
		}
	}
}

func (s *slotFlow) flow(b *ir.Block) bool {
	changed := false
	in, out, kill := s.in[b.ID], s.out[b.ID], s.kill[b.ID]
	for w := range out {
		for _, e := range b.Term.Succs {
			out[w] |= s.in[e.To.ID][w]
		}
		if n := in[w] | out[w]&^kill[w]; n != in[w] {
			in[w], changed = n, true
		}
	}
	return changed
}

// needed reports whether the contents of slot may be read after the start of b.
func (s *slotFlow) needed(slot *ir.Slot, b *ir.Block) bool { return s.test(s.in, slot, b) }

// neededAfter reports whether they may be read after the end of b.
func (s *slotFlow) neededAfter(slot *ir.Slot, b *ir.Block) bool { return s.test(s.out, slot, b) }

func (s *slotFlow) test(sets []bitset, slot *ir.Slot, b *ir.Block) bool {
	i, ok := s.num[slot]
	return !ok || sets[b.ID].has(i)
}
