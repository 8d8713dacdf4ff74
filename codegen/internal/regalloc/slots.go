package regalloc

import (
	"cmp"
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// finish inserts the stores of spilled values where they are defined, and gives
// spilled values that never live at the same time the same slot.
func (a *allocator) finish() *ir.Alloc {
	for _, b := range a.live.order {
		a.insertStores(b)
	}
	spans := a.spans()
	colour, n := colour(spans)
	rename := func(l *ir.Loc) {
		if s := l.Spill(); s >= 0 {
			*l = ir.SpillLoc + ir.Loc(colour[s])
		}
	}
	for i := range a.blocks {
		steps := a.blocks[i].Steps
		for j := range steps {
			rename(&steps[j].Dst)
			if steps[j].Move {
				rename(&steps[j].Src)
			}
		}
		a.blocks[i].Steps = slices.DeleteFunc(steps, func(s ir.Step) bool { return s.Move && s.Dst == s.Src })
	}
	return &ir.Alloc{Func: a.f, Blocks: a.blocks, Spills: n, Spilled: a.spillSpans(spans)}
}

// narrow notes which integers the only branch to b compares and in which
// registers they are. Those that get a spill slot are stored there anew: what the
// comparison says of a register, the verifier of Linux 6.1, for one, does not
// apply to a copy in memory.
func (a *allocator) narrow(b *ir.Block) {
	if len(b.Preds) != 1 {
		return
	}
	c := b.Preds[0].Fused()
	if c == nil {
		return
	}
	for _, v := range c.Args {
		if m := a.where[v.ID]; m != 0 && v.Type == ir.I64 && !v.Remat() {
			a.narrowed[b.ID] = append(a.narrowed[b.ID], ir.Step{Value: v, Move: true, Src: ir.Loc(m.first())})
		}
	}
}

func (a *allocator) insertStores(b *ir.Block) {
	var out []ir.Step
	store := func(v *ir.Value, r ir.Loc) {
		if a.spill[v.ID] != 0 && !a.inMemory[v.ID] {
			out = append(out, ir.Step{Value: v, Move: true, Dst: a.mustSpill(v), Src: r})
		}
	}
	for i, p := range b.Params {
		r := a.paramReg(b, i)
		if b == a.f.Blocks[0] {
			r = i + 1
		}
		if r >= 0 {
			store(p, ir.Loc(r))
		}
	}
	for _, s := range a.narrowed[b.ID] {
		if a.spill[s.Value.ID] != 0 {
			s.Dst = a.mustSpill(s.Value)
			out = append(out, s)
		}
	}
	for _, s := range a.blocks[b.ID].Steps {
		out = append(out, s)
		if !s.Move && s.Dst.IsReg() {
			store(s.Value, s.Dst)
		}
	}
	a.blocks[b.ID].Steps = out
}

// span is the stretch of steps, numbered in reverse postorder, in which a
// spilled value is live. Values whose spans are apart may share a slot.
type span struct{ slot, first, last int }

// colour sorts the spans by where they start, maps the numbers of spilled values
// to slots, and returns how many slots there are.
func colour(spans []span) (slots []int, n int) {
	slices.SortFunc(spans, func(x, y span) int {
		return cmp.Or(cmp.Compare(x.first, y.first), cmp.Compare(x.slot, y.slot))
	})
	slots = make([]int, len(spans))
	var last []int // by slot: the last step that needs it
	for _, s := range spans {
		i := slices.IndexFunc(last, func(end int) bool { return end < s.first })
		if i < 0 {
			i = len(last)
			last = append(last, 0)
		}
		last[i] = s.last
		slots[s.slot] = i
	}
	return slots, len(last)
}

// spillSpans tells which value each span belongs to.
func (a *allocator) spillSpans(spans []span) []ir.SpillSpan {
	var out []ir.SpillSpan
	for _, s := range spans {
		out = append(out, ir.SpillSpan{Value: a.spilled[s.slot], First: s.first, Last: s.last})
	}
	return out
}

// spans computes the spans of all spilled values.
func (a *allocator) spans() []span {
	starts := make([]int, a.f.NumBlocks()) // by block ID: number of the first step
	pos := 0
	for _, b := range a.live.order {
		starts[b.ID] = pos
		pos += len(a.blocks[b.ID].Steps) + 1
	}
	spans := make([]span, len(a.spilled))
	for i := range spans {
		spans[i] = span{i, pos, -1}
	}
	extend := func(slot, pos int) {
		s := &spans[slot]
		s.first, s.last = min(s.first, pos), max(s.last, pos)
	}
	for _, b := range a.live.order {
		start, steps := starts[b.ID], a.blocks[b.ID].Steps
		for i, s := range steps {
			for _, l := range []ir.Loc{s.Dst, s.Src} {
				if n := l.Spill(); n >= 0 && s.Move {
					extend(n, start+i)
				}
			}
		}
		through := func(v *ir.Value) {
			if n := int(a.spill[v.ID]); n != 0 {
				extend(n-1, start+len(steps))
				for _, to := range b.Term.Succs {
					extend(n-1, starts[to.To.ID])
				}
			}
		}
		for _, e := range a.live.out[b.ID] {
			through(e.v)
		}
		for _, to := range b.Term.Succs {
			for _, p := range to.To.Params {
				if a.inMemory[p.ID] {
					through(p)
				}
			}
		}
	}
	return spans
}
