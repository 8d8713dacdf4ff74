package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// sink moves operations past branches into the only successor that uses them,
// so that the common path does not pay for the rare one: pure operations,
// loads, calls that only read (stack traces, strings), and what fills a slot.
// Nothing moves into a loop, upward, or past an operation that it depends on.
func sink(f *ir.Func) bool {
	changed := sinkPure(f)
	m := analyse(f)
	s := &sinker{mem: m, flow: flowOf(f, m), dom: ir.Dominators(f), uses: usersOf(f), budget: 4*f.NumValues() + 1000}
	for _, b := range s.dom.RPO {
		if b.Term.Kind == ir.Branch {
			s.block(b)
		}
	}
	return changed || s.changed
}

// users lists by value ID the operations and the blocks whose terminators use
// a value.
type users struct {
	values [][]*ir.Value
	terms  [][]*ir.Block
}

func usersOf(f *ir.Func) users {
	u := users{make([][]*ir.Value, f.NumValues()), make([][]*ir.Block, f.NumValues())}
	for _, b := range f.Blocks {
		for _, v := range b.Values {
			for _, a := range v.Args {
				u.values[a.ID] = append(u.values[a.ID], v)
			}
		}
		if b.Term.Cond != nil {
			u.terms[b.Term.Cond.ID] = append(u.terms[b.Term.Cond.ID], b)
		}
		for _, e := range b.Term.Succs {
			for _, a := range e.Args {
				u.terms[a.ID] = append(u.terms[a.ID], b)
			}
		}
	}
	return u
}

// isTimeless reports whether v can run anywhere between its operands and its
// uses.
func isTimeless(v *ir.Value) bool {
	if h, ok := v.Aux.(*ir.Helper); ok && h.Writes >= 0 {
		return false
	}
	return v.Effect().Fixed() && !runsCode(v)
}

// sinkPure moves pure operations to the block that dominates all uses.
func sinkPure(f *ir.Func) bool {
	dom := ir.Dominators(f)
	loops := dom.Loops()
	uses := usersOf(f)
	moved := make([][]*ir.Value, f.NumBlocks()) // by target, last first
	changed := false
	for i := len(dom.RPO) - 1; i >= 0; i-- {
		b := dom.RPO[i]
		keep := make([]bool, len(b.Values))
		n := 0
		for j := len(b.Values) - 1; j >= 0; j-- {
			v := b.Values[j]
			to := b
			if isTimeless(v) {
				to = lowest(dom, loops, uses, v)
			}
			if keep[j] = to == b; keep[j] {
				n++
				continue
			}
			v.Block = to
			moved[to.ID] = append(moved[to.ID], v)
			changed = true
		}
		retain(b, keep, n)
	}
	for _, b := range dom.RPO {
		b.Prepend(reversed(moved[b.ID])...)
	}
	return changed
}

func retain(b *ir.Block, keep []bool, n int) {
	if n == len(keep) {
		return
	}
	kept := make([]*ir.Value, 0, n)
	for i, v := range b.Values {
		if keep[i] {
			kept = append(kept, v)
		}
	}
	b.Values = kept
}

func reversed(values []*ir.Value) []*ir.Value {
	out := make([]*ir.Value, len(values))
	for i, v := range values {
		out[len(out)-1-i] = v
	}
	return out
}

// lowest returns the lowest block that v can move to: it dominates all uses
// and is in no loop that the block of v is not in.
func lowest(dom *ir.Dom, loops *ir.Loops, uses users, v *ir.Value) *ir.Block {
	var to *ir.Block
	join := func(b *ir.Block) {
		switch {
		case to == v.Block || !dom.Reachable(b) || to != nil && dom.Dominates(to, b):
		case to == nil:
			to = b
		default:
			to = dom.Common(to, b)
		}
	}
	for _, u := range uses.values[v.ID] {
		join(u.Block)
	}
	for _, b := range uses.terms[v.ID] {
		join(b)
	}
	if to == nil {
		return v.Block
	}
	for to != v.Block && !loops.In(v.Block, loops.Header(to)) {
		to = dom.Idom(to)
	}
	return to
}

type sinker struct {
	mem     *memory
	flow    *slotFlow
	dom     *ir.Dom
	uses    users
	budget  int // moves left, so that time stays linear
	changed bool
	rest    effects
}

// effects is what the operations that stay behind do.
type effects struct {
	reads, writes map[*ir.Slot]bool
	outside       bool // memory other than slots is written, or pointers to it end
	addressable   bool // memory is written that a script can have the address of
	maps          bool // a map is changed
}

// maxUses bounds the uses that are looked at for one operation.
const maxUses = 64

func (s *sinker) block(b *ir.Block) {
	s.rest = effects{reads: map[*ir.Slot]bool{}, writes: map[*ir.Slot]bool{}}
	keep := make([]bool, len(b.Values))
	n := 0
	moved := [2][]*ir.Value{}
	for i := len(b.Values) - 1; i >= 0; i-- {
		v := b.Values[i]
		side := s.side(b, v)
		if side < 0 {
			s.stay(v)
			keep[i] = true
			n++
			continue
		}
		s.budget--
		v.Block = b.Term.Succs[side].To
		s.needs(v)
		moved[side] = append(moved[side], v)
		s.changed = true
	}
	retain(b, keep, n)
	for i, e := range b.Term.Succs {
		e.To.Prepend(reversed(moved[i])...)
	}
}

// needs tells that what v reads is needed in the block that v has moved to, so
// that what fills it can follow.
func (s *sinker) needs(v *ir.Value) {
	for _, a := range s.mem.accesses(v) {
		if slot := a.slot(); slot != nil && a.read {
			s.flow.in[v.Block.ID].add(s.flow.num[slot])
		}
	}
}

// stay adds what v does to the effects of the operations that stay behind.
func (s *sinker) stay(v *ir.Value) {
	for _, a := range s.mem.accesses(v) {
		slot := a.slot()
		switch {
		case slot == nil && a.write:
			s.rest.outside = true
			s.rest.addressable = s.rest.addressable || !isRecord(a.base)
		case slot == nil:
		default:
			s.rest.reads[slot] = s.rest.reads[slot] || a.read
			s.rest.writes[slot] = s.rest.writes[slot] || a.write
		}
	}
	if v.Effect().ChangesMaps() {
		s.rest.maps = true
		s.rest.outside = true
		s.rest.addressable = true
	}
}

// isRecord reports whether base is what a helper has given, such as a ring
// buffer record: nothing but base leads there.
func isRecord(base *ir.Value) bool { return base.Op == ir.OpCall && base.Effect() == ir.Emit }

// side returns the successor of b that v can move to, or -1.
func (s *sinker) side(b *ir.Block, v *ir.Value) int {
	if s.budget <= 0 || !s.movable(v) {
		return -1
	}
	for i, e := range b.Term.Succs {
		other := b.Term.Succs[1-i].To
		if len(e.To.Preds) == 1 && e.To != other && s.usedOnlyIn(v, e.To) && s.fillsOnlyFor(v, e.To, other) {
			return i
		}
	}
	return -1
}

// movable reports whether v commutes with the operations behind it that stay.
func (s *sinker) movable(v *ir.Value) bool {
	switch e := v.Effect(); {
	case runsCode(v), e == ir.Clock, e.ChangesMaps():
		return false
	case e == ir.KernelRead && s.rest.addressable:
		return false
	case e == ir.MapRead && s.rest.maps:
		return false
	case e == ir.MemWrite && s.mem.fills(v) == nil:
		return false
	}
	for _, a := range s.mem.accesses(v) {
		slot := a.slot()
		switch {
		case slot == nil && a.write:
			return false
		case slot == nil:
			if s.rest.outside && !s.mem.isContext(a.base) {
				return false
			}
		case s.rest.writes[slot], a.write && s.rest.reads[slot]:
			return false
		}
	}
	return true
}

// usedOnlyIn reports whether all uses of v are in blocks that to dominates.
func (s *sinker) usedOnlyIn(v *ir.Value, to *ir.Block) bool {
	values, terms := s.uses.values[v.ID], s.uses.terms[v.ID]
	if len(values)+len(terms) > maxUses {
		return false
	}
	for _, u := range values {
		if !s.dom.Dominates(to, u.Block) {
			return false
		}
	}
	for _, b := range terms {
		if !s.dom.Dominates(to, b) {
			return false
		}
	}
	return len(values)+len(terms) > 0 || s.mem.fills(v) != nil
}

// fillsOnlyFor reports whether the slot that v fills, if any, is needed in to
// and not in other.
func (s *sinker) fillsOnlyFor(v *ir.Value, to, other *ir.Block) bool {
	for _, a := range s.mem.accesses(v) {
		if slot := a.slot(); a.write && (!s.flow.needed(slot, to) || s.flow.needed(slot, other)) {
			return false
		}
	}
	return true
}
