package opt

import (
	"maps"
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Bounds of what a state remembers, so that the time for a block is bounded.
const (
	maxSlots   = 32
	maxLoads   = 32
	maxLookups = 16
)

// state is what is known about memory at one point.
type state struct {
	slots   map[*ir.Slot]contents
	loads   []loadFact
	lookups []lookupFact
}

// loadFact tells what an integer or pointer in memory outside of slots is.
type loadFact struct {
	at  access
	val *ir.Value
}

// lookupFact tells the pointer that a lookup gave. Keys with equal signatures
// are equal.
type lookupFact struct {
	m   *ir.Map
	key string
	ptr *ir.Value
}

func newState() *state { return &state{slots: map[*ir.Slot]contents{}} }

func (st *state) clone() *state {
	return &state{slots: maps.Clone(st.slots), loads: slices.Clone(st.loads), lookups: slices.Clone(st.lookups)}
}

// meet keeps what o knows as well.
func (st *state) meet(o *state) {
	for s, c := range st.slots {
		if c = c.meet(o.slots[s]); len(c) == 0 {
			delete(st.slots, s)
		} else {
			st.slots[s] = c
		}
	}
	st.loads = slices.DeleteFunc(st.loads, func(l loadFact) bool { return !slices.Contains(o.loads, l) })
	st.lookups = slices.DeleteFunc(st.lookups, func(l lookupFact) bool { return !slices.Contains(o.lookups, l) })
}

func (st *state) set(slot *ir.Slot, c contents) {
	switch _, ok := st.slots[slot]; {
	case len(c) == 0:
		delete(st.slots, slot)
	case ok || len(st.slots) < maxSlots:
		st.slots[slot] = c
	}
}

// pushFact appends x and forgets the oldest fact when there are too many.
func pushFact[T any](list []T, x T, limit int) []T {
	if len(list) >= limit {
		list = list[1:]
	}
	return append(list, x)
}

// tracker follows the contents of memory through a function in reverse
// postorder. At the head of a loop nothing is known.
type tracker struct {
	f     *ir.Func
	mem   *memory
	subst *ir.Subst
	out   []*ir.Value // of the current block so far
	blk   *ir.Block
	fills map[valueKey]*ir.Value // first of equal calls that fill memory
	// visit may change v, or return what replaces it; drop removes it.
	visit   func(st *state, v *ir.Value) (x *ir.Value, drop bool)
	changed bool
}

func newTracker(f *ir.Func) *tracker {
	return &tracker{f: f, mem: analyse(f), subst: ir.NewSubst(f), fills: map[valueKey]*ir.Value{}}
}

func (t *tracker) run() bool {
	states := make([]*state, t.f.NumBlocks())
	pending := make([]int, t.f.NumBlocks()) // edges whose target is not done
	for _, b := range ir.RPO(t.f) {
		st := t.entry(b, states, pending)
		t.block(b, st)
		if len(b.Term.Succs) > 0 {
			states[b.ID], pending[b.ID] = st, len(b.Term.Succs)
		}
	}
	if t.changed {
		t.subst.Apply(t.f)
	}
	return t.changed
}

// entry joins the states of the predecessors and drops those that are not
// needed any more.
func (t *tracker) entry(b *ir.Block, states []*state, pending []int) *state {
	var st *state
	for i, p := range b.Preds {
		from := states[p.ID]
		switch {
		case from == nil: // an edge back
			st = newState()
		case i == 0 && pending[p.ID] == 1:
			st = from
		case i == 0:
			st = from.clone()
		default:
			st.meet(from)
		}
		if pending[p.ID]--; pending[p.ID] == 0 {
			states[p.ID] = nil
		}
	}
	if st == nil {
		st = newState()
	}
	return st
}

func (t *tracker) block(b *ir.Block, st *state) {
	t.blk, t.out = b, make([]*ir.Value, 0, len(b.Values))
	for _, v := range b.Values {
		t.subst.ApplyList(v.Args)
		x, drop := t.visit(st, v)
		if x != nil {
			t.subst.Set(v, x)
		}
		if x != nil || drop {
			t.changed = true
			continue
		}
		t.out = append(t.out, v)
		t.transfer(st, v)
	}
	b.Values = t.out
}

// insert adds an operation in front of the one being visited.
func (t *tracker) insert(v *ir.Value, like *ir.Value) *ir.Value {
	v.Span, v.Block = like.Span, t.blk
	t.out = append(t.out, v)
	t.mem.add(v)
	return v
}

// transfer updates st by what v does.
func (t *tracker) transfer(st *state, v *ir.Value) {
	if v.Op == ir.OpCopy {
		t.copy(st, v)
		return
	}
	accesses := t.mem.accesses(v)
	for _, a := range accesses {
		if a.write {
			t.clobber(st, a)
		}
	}
	switch v.Op {
	case ir.OpStore, ir.OpZero:
		t.fill(st, v, accesses[0], written(v))
	case ir.OpLoad:
		t.load(st, v, accesses[0])
	case ir.OpMapLookup:
		t.lookup(st, v)
	case ir.OpMapUpdate, ir.OpMapDelete:
		t.forgetMap(st, v.Aux.(*ir.Map))
	case ir.OpCall:
		t.call(st, v, accesses)
	}
}

// written returns the sym of what a store or zeroing leaves.
func written(v *ir.Value) sym {
	switch {
	case v.Op == ir.OpZero:
		return sym{}
	case isConst(v.Args[1]):
		return sym{imm: int64(uint64(v.Args[1].Imm) & mask(8*v.Width))}
	}
	return sym{kind: symValue, v: v.Args[1]}
}

// clobber forgets what is known of the memory that a writes.
func (t *tracker) clobber(st *state, a access) {
	if s := a.slot(); s != nil {
		switch c := st.slots[s]; {
		case !a.exact:
			st.set(s, nil)
		case a.size < 0:
			st.set(s, c.without(a.off, 1<<62))
		default:
			st.set(s, c.without(a.off, a.off+a.size))
		}
		return
	}
	st.loads = slices.DeleteFunc(st.loads, func(l loadFact) bool { return t.mem.mayAlias(l.at, a) })
}

func (t *tracker) fill(st *state, v *ir.Value, a access, s sym) {
	if slot := a.slot(); slot != nil {
		if a.known() {
			st.set(slot, st.slots[slot].with(seg{off: a.off, size: a.size, sym: s}))
		}
		return
	}
	if v.Op == ir.OpStore && a.known() {
		st.loads = pushFact(st.loads, loadFact{plain(a), v.Args[1]}, maxLoads)
	}
}

// plain drops what does not belong to the place of an access.
func plain(a access) access {
	return access{addr: a.addr, size: a.size, escaped: a.escaped}
}

func (t *tracker) load(st *state, v *ir.Value, a access) {
	switch slot := a.slot(); {
	case !a.known():
	case slot == nil:
		st.loads = pushFact(st.loads, loadFact{plain(a), v}, maxLoads)
	case st.slots[slot].unknown(a.off, a.size):
		st.set(slot, st.slots[slot].with(seg{off: a.off, size: a.size, sym: sym{kind: symValue, v: v}}))
	}
}

// copy moves what is known of the source.
func (t *tracker) copy(st *state, v *ir.Value) {
	accesses := t.mem.accesses(v)
	src, dst := accesses[0], accesses[1]
	var moved contents
	if slot := src.slot(); slot != nil && src.known() {
		st.set(slot, st.slots[slot].named(src.off, src.off+src.size, v))
		moved = st.slots[slot]
	}
	t.clobber(st, dst)
	slot := dst.slot()
	if slot == nil || !dst.known() {
		return
	}
	c := st.slots[slot]
	for _, s := range moved {
		off, end := max(s.off, src.off), min(s.end(), src.off+src.size)
		if off >= end {
			continue
		}
		n := s.part(off, end)
		n.from = place{src.slot(), off}
		n.off += dst.off - src.off
		c = c.with(n)
	}
	st.set(slot, c)
}

func (t *tracker) lookup(st *state, v *ir.Value) {
	if key, ok := t.key(st, v); ok {
		st.lookups = pushFact(st.lookups, lookupFact{v.Aux.(*ir.Map), key, v}, maxLookups)
	}
}

// key returns the signature of the key of a lookup.
func (t *tracker) key(st *state, v *ir.Value) (string, bool) {
	a := t.mem.accesses(v)[0]
	slot := a.slot()
	if slot == nil || !a.known() {
		return "", false
	}
	st.set(slot, st.slots[slot].named(a.off, a.off+a.size, v))
	return st.slots[slot].signature(a.off, a.size)
}

// forgetMap forgets the elements of m. An update may move an element to other
// memory, or push out another one.
func (t *tracker) forgetMap(st *state, m *ir.Map) {
	st.lookups = slices.DeleteFunc(st.lookups, func(l lookupFact) bool { return l.m == m })
	st.loads = slices.DeleteFunc(st.loads, func(l loadFact) bool {
		other := mapOf(l.at.base)
		return !t.mem.isContext(l.at.base) && (other == nil || other == m)
	})
}

func (t *tracker) call(st *state, v *ir.Value, accesses []access) {
	if runsCode(v) || v.Effect() == ir.MapWrite {
		st.lookups = nil
		st.loads = slices.DeleteFunc(st.loads, func(l loadFact) bool { return !t.mem.isContext(l.at.base) })
	}
	for _, a := range v.Args {
		if a.Op == ir.OpMapPtr && v.Effect().Changes() {
			t.forgetMap(st, a.Aux.(*ir.Map))
		}
	}
	for _, a := range accesses {
		slot := a.slot()
		if slot == nil || !a.write || a.read || !a.known() {
			continue
		}
		n := seg{off: a.off, size: a.size, sym: sym{kind: symOpaque, v: v, off: a.off}}
		if a.full && v.Effect().Fixed() {
			n.sym = sym{kind: symFill, v: t.firstEqual(v, a.arg)}
			n.from = st.find(n.sym, n.size)
		}
		st.set(slot, st.slots[slot].with(n))
	}
}

// firstEqual returns the first call that fills memory just as v does; arg is
// the pointer to that memory.
func (t *tracker) firstEqual(v *ir.Value, arg int) *ir.Value {
	k := keyOf(v)
	k.args[arg] = nil
	if t.fills[k] == nil {
		t.fills[k] = v
	}
	return t.fills[k]
}

// find returns where the bytes of s are.
func (st *state) find(s sym, size int64) place {
	best := place{}
	for slot, c := range st.slots {
		for _, g := range c {
			if g.sym == s && g.size >= size && (best.slot == nil || slot.ID < best.slot.ID) {
				best = place{slot, g.off}
			}
		}
	}
	return best
}
