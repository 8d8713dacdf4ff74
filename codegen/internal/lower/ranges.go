package lower

import (
	"cmp"
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// liveRange is the stretch of a function, in operations in reverse postorder,
// in which the contents of a slot matter.
type liveRange struct{ first, last int }

func (r liveRange) overlaps(o liveRange) bool { return r.first <= o.last && o.first <= r.last }

// slotRanges returns the live range of each slot that f uses, by slot ID; last
// is -1 for the others. It spans all uses of the address and of addresses
// computed from it, and the whole of the loops that have one: what one round
// leaves may matter to the next. A slot whose address is stored or passed along
// an edge lives all the time.
func slotRanges(f *ir.Func) []liveRange {
	t := &rangeTracker{root: make([]*ir.Slot, f.NumValues()), ranges: make([]liveRange, len(f.Slots))}
	order := ir.RPO(f)
	for _, b := range order {
		t.end += len(b.Values) + 1
	}
	for i := range t.ranges {
		t.ranges[i] = liveRange{t.end, -1}
	}
	loops := loopRanges(f, order)
	pos := 0
	for _, b := range order {
		for i, v := range b.Values {
			r := loops[b.ID]
			if r.last < 0 {
				r = liveRange{pos + i, pos + i}
			}
			t.value(v, r)
		}
		pos += len(b.Values) + 1
		for _, e := range b.Term.Succs {
			for _, a := range e.Args {
				t.escape(a)
			}
		}
		if c := b.Term.Cond; c != nil {
			t.escape(c)
		}
	}
	return t.ranges
}

type rangeTracker struct {
	root   []*ir.Slot // by value ID: the slot that an address belongs to
	ranges []liveRange
	end    int
}

// value enters the uses of slots by v, which runs within r.
func (t *rangeTracker) value(v *ir.Value, r liveRange) {
	if s, ok := v.Aux.(*ir.Slot); ok {
		t.root[v.ID] = s
		return
	}
	for i, a := range v.Args {
		s := t.root[a.ID]
		if s == nil {
			continue
		}
		switch {
		case (v.Op == ir.OpAdd || v.Op == ir.OpSub) && i == 0:
			t.root[v.ID] = s
		case v.Op == ir.OpStore && i == 1:
			t.escape(a)
		default:
			t.extend(s, r)
		}
	}
}

func (t *rangeTracker) extend(s *ir.Slot, r liveRange) {
	old := &t.ranges[s.ID]
	*old = liveRange{min(old.first, r.first), max(old.last, r.last)}
}

// escape makes the slot that v points into, if any, live everywhere.
func (t *rangeTracker) escape(v *ir.Value) {
	if s := t.root[v.ID]; s != nil {
		t.ranges[s.ID] = liveRange{0, t.end}
	}
}

// loopRanges returns by block ID the stretch that the outermost loop around a
// block covers; last is -1 outside of loops.
func loopRanges(f *ir.Func, order []*ir.Block) []liveRange {
	out := make([]liveRange, f.NumBlocks())
	start := make([]int, f.NumBlocks())
	pos := 0
	for _, b := range order {
		out[b.ID] = liveRange{0, -1}
		start[b.ID] = pos
		pos += len(b.Values) + 1
	}
	// Each edge back closes a loop; those that overlap are one.
	var closed []liveRange
	for _, b := range order {
		for _, e := range b.Term.Succs {
			if start[e.To.ID] <= start[b.ID] {
				closed = append(closed, liveRange{start[e.To.ID], start[b.ID] + len(b.Values)})
			}
		}
	}
	closed = mergeRanges(closed)
	for _, b := range order {
		for len(closed) > 0 && closed[0].last < start[b.ID] {
			closed = closed[1:]
		}
		if len(closed) > 0 && closed[0].first <= start[b.ID] {
			out[b.ID] = closed[0]
		}
	}
	return out
}

// mergeRanges unites ranges that overlap, and sorts them.
func mergeRanges(rs []liveRange) []liveRange {
	slices.SortFunc(rs, func(a, b liveRange) int { return cmp.Compare(a.first, b.first) })
	var out []liveRange
	for _, r := range rs {
		if n := len(out); n > 0 && out[n-1].overlaps(r) {
			out[n-1].last = max(out[n-1].last, r.last)
			continue
		}
		out = append(out, r)
	}
	return out
}
