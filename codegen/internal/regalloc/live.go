package regalloc

import "github.com/gotrace/gotrace/codegen/internal/ir"

// Distances are in operations. Leaving a loop and going where control rarely
// goes count as far, so that values that matter there give way.
const (
	farAway  = 100
	unlikely = 50
)

// liveEntry is one value that is live at some point: how far its next use is,
// and whether a call stands between here and its last use.
type liveEntry struct {
	v       *ir.Value
	dist    int32
	crosses bool
}

// liveness has the values that live on behind each block, without what can be
// recomputed, and what is known of the parameters of each block.
type liveness struct {
	order []*ir.Block
	out   [][]liveEntry // by block ID
	param []liveEntry   // by value ID; v is nil for unused parameters
}

// liveSet is a set of values with constant-time access and ordered iteration.
type liveSet struct {
	entries []liveEntry
	calls   []int32 // beside entries: calls seen when the entry was made
	pos     []int32 // by value ID: index in entries + 1
	seen    int32   // calls on the way back through the block
}

func (s *liveSet) reset() {
	for _, e := range s.entries {
		s.pos[e.v.ID] = 0
	}
	s.entries, s.calls, s.seen = s.entries[:0], s.calls[:0], 0
}

// merge enters e, which is live on one of the ways out of a block.
func (s *liveSet) merge(e liveEntry) {
	if p := s.pos[e.v.ID]; p > 0 {
		e.dist = min(e.dist, s.entries[p-1].dist)
	}
	s.add(e)
}

// add enters e, or moves its next use nearer.
func (s *liveSet) add(e liveEntry) {
	if e.v.Remat() {
		return
	}
	if p := s.pos[e.v.ID]; p > 0 {
		s.entries[p-1].dist = e.dist
		s.entries[p-1].crosses = s.entries[p-1].crosses || e.crosses
		return
	}
	s.entries = append(s.entries, e)
	s.calls = append(s.calls, s.seen)
	s.pos[e.v.ID] = int32(len(s.entries))
}

// remove takes v out and returns its entry.
func (s *liveSet) remove(v *ir.Value) liveEntry {
	p := s.pos[v.ID]
	if p == 0 {
		return liveEntry{}
	}
	e := s.at(int(p - 1))
	last := len(s.entries) - 1
	s.entries[p-1], s.calls[p-1] = s.entries[last], s.calls[last]
	s.pos[s.entries[p-1].v.ID] = p
	s.pos[v.ID] = 0
	s.entries, s.calls = s.entries[:last], s.calls[:last]
	return e
}

func (s *liveSet) at(i int) liveEntry {
	e := s.entries[i]
	e.crosses = e.crosses || s.seen > s.calls[i]
	return e
}

// computeLive iterates over the blocks, backwards, until nothing changes: for
// reducible graphs as often as loops are nested deep, plus two.
func computeLive(f *ir.Func) *liveness {
	dom := ir.Dominators(f)
	l := &liveness{
		order: dom.RPO,
		out:   make([][]liveEntry, f.NumBlocks()),
		param: make([]liveEntry, f.NumValues()),
	}
	loops := dom.Loops()
	s := &liveSet{pos: make([]int32, f.NumValues())}
	in := make([][]liveEntry, f.NumBlocks())
	sums := make([]liveSum, f.NumBlocks())
	for changed := true; changed; {
		changed = false
		for i := len(l.order) - 1; i >= 0; i-- {
			b := l.order[i]
			s.reset()
			for _, e := range b.Term.Succs {
				d := edgeDistance(b, e.To, loops)
				for _, le := range in[e.To.ID] {
					le.dist += d
					s.merge(le)
				}
			}
			l.out[b.ID] = append(l.out[b.ID][:0], s.entries...)
			l.scan(b, s)
			in[b.ID] = in[b.ID][:0]
			for j := range s.entries {
				in[b.ID] = append(in[b.ID], s.at(j))
			}
			sum := summarise(in[b.ID])
			changed = changed || sum != sums[b.ID]
			sums[b.ID] = sum
		}
	}
	return l
}

// liveSum tells versions of a live set apart: from one iteration to the next
// sets only grow, uses only come nearer.
type liveSum struct{ values, dist, crosses int }

func summarise(entries []liveEntry) liveSum {
	s := liveSum{values: len(entries)}
	for _, e := range entries {
		s.dist += int(e.dist)
		if e.crosses {
			s.crosses++
		}
	}
	return s
}

// scan walks back through b and leaves what is live at its start in s.
func (l *liveness) scan(b *ir.Block, s *liveSet) {
	n := int32(len(b.Values))
	for i := range s.entries {
		s.entries[i].dist += n + 1
	}
	termUses(b, func(v *ir.Value) { s.add(liveEntry{v: v, dist: n}) })
	for i := int(n) - 1; i >= 0; i-- {
		v := b.Values[i]
		s.remove(v)
		if v.Constraint() == ir.CallRegs {
			s.seen++
		}
		if v == b.Fused() {
			continue
		}
		for j, a := range v.Args {
			if !v.Folded(j) {
				s.add(liveEntry{v: a, dist: int32(i)})
			}
		}
	}
	for _, p := range b.Params {
		l.param[p.ID] = s.remove(p)
	}
}

// termUses calls use for every value that the terminator of b reads: operands
// of its comparison or its condition, and what its edges pass.
func termUses(b *ir.Block, use func(*ir.Value)) {
	for _, e := range b.Term.Succs {
		for _, a := range e.Args {
			use(a)
		}
	}
	c := b.Fused()
	if c == nil {
		if b.Term.Cond != nil {
			use(b.Term.Cond)
		}
		return
	}
	for i, a := range c.Args {
		if !c.Folded(i) {
			use(a)
		}
	}
}

func edgeDistance(from, to *ir.Block, loops *ir.Loops) int32 {
	if loops.Depth(to) < loops.Depth(from) {
		return farAway
	}
	if from.Term.Kind == ir.Branch {
		yes := from.Term.Succs[0].To == to
		if from.Likely > 0 && !yes || from.Likely < 0 && yes {
			return unlikely
		}
	}
	return 1
}
