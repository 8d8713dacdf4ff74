package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// maxRounds bounds how often branches and simplify take turns.
const maxRounds = 8

// branches simplifies the control flow until that makes no more values
// constant. A load behind a bounds check that is known to fail must not
// survive: nothing behind lets its address be encoded.
func branches(f *ir.Func) bool {
	if !branch(f) {
		return false
	}
	for n := 1; n < maxRounds && simplify(f) && branch(f); n++ {
	}
	return true
}

// branch simplifies the control flow: branches on a condition that a branch
// above has decided, edges through blocks that only lead on, and chains of
// blocks.
func branch(f *ir.Func) bool {
	changed := decide(f)
	changed = thread(f) || changed
	if changed {
		f.RebuildPreds()
		f.RemoveUnreachable()
	}
	changed = merge(f) || changed
	return f.RemoveTrivialParams() || changed
}

// decide turns branches on a condition that is known from a dominating branch
// into jumps. The predecessor lists become stale.
func decide(f *ir.Func) bool {
	changed := false
	known := map[*ir.Value]bool{}
	var added []*ir.Value // by open block: the condition that it made known
	enter := func(b *ir.Block) {
		cond, yes := edgeCondition(b)
		if _, ok := known[cond]; ok {
			cond = nil
		}
		if cond != nil {
			known[cond] = yes
		}
		added = append(added, cond)
		if b.Term.Kind != ir.Branch {
			return
		}
		if yes, ok := known[b.Term.Cond]; ok {
			jumpTo(b, yes)
			changed = true
		}
	}
	leave := func(*ir.Block) {
		top := len(added) - 1
		delete(known, added[top])
		added = added[:top]
	}
	ir.Dominators(f).Preorder(enter, leave)
	return changed
}

// edgeCondition returns the condition that decides the only edge into b, and
// whether it is true there.
func edgeCondition(b *ir.Block) (*ir.Value, bool) {
	if len(b.Preds) != 1 {
		return nil, false
	}
	t := b.Preds[0].Term
	if t.Kind != ir.Branch {
		return nil, false
	}
	return t.Cond, t.Succs[0].To == b
}

// jumpTo makes the branch at the end of b a jump.
func jumpTo(b *ir.Block, yes bool) {
	i := 1
	if yes {
		i = 0
	}
	b.Term = ir.Term{Kind: ir.Jump, Succs: b.Term.Succs[i : i+1], Span: b.Term.Span}
	b.Likely = 0
}

// maxHops bounds how many blocks one edge is threaded through.
const maxHops = 8

// thread lets edges skip blocks without operations whose way on is known. The
// predecessor lists become stale.
func thread(f *ir.Func) bool {
	local := localParams(f)
	changed := false
	for _, b := range f.Blocks {
		for i := range b.Term.Succs {
			for range maxHops {
				e, ok := onward(b.Term.Succs[i], local)
				if !ok {
					break
				}
				b.Term.Succs[i] = e
				changed = true
			}
		}
		if b.Term.Kind == ir.Branch && sameEdges(b.Term.Succs) {
			jumpTo(b, true)
			changed = true
		}
	}
	return changed
}

// localParams reports by block ID whether the parameters of the block are only
// used by its own terminator and edges.
func localParams(f *ir.Func) []bool {
	local := make([]bool, f.NumBlocks())
	for _, b := range f.Blocks {
		local[b.ID] = len(b.Values) == 0
	}
	ir.VisitUses(f, func(b *ir.Block, v *ir.Value) {
		if v.Op == ir.OpParam && v.Block != b {
			local[v.Block.ID] = false
		}
	})
	return local
}

// onward returns the edge that follows e, if e leads to a block without
// operations that is left on a known way.
func onward(e ir.Edge, local []bool) (ir.Edge, bool) {
	b := e.To
	if !local[b.ID] {
		return e, false
	}
	var next ir.Edge
	switch t := b.Term; t.Kind {
	case ir.Jump:
		next = t.Succs[0]
	case ir.Branch:
		c := passed(e, t.Cond)
		if !isConst(c) {
			return e, false
		}
		next = t.Succs[1]
		if c.Imm != 0 {
			next = t.Succs[0]
		}
	default:
		return e, false
	}
	if next.To == b {
		return e, false
	}
	args := make([]*ir.Value, len(next.Args))
	for i, a := range next.Args {
		args[i] = passed(e, a)
	}
	return ir.Edge{To: next.To, Args: args}, true
}

// passed returns what e passes for v if v is a parameter of its target, else v.
func passed(e ir.Edge, v *ir.Value) *ir.Value {
	if v.Op == ir.OpParam && v.Block == e.To {
		for i, p := range e.To.Params {
			if p == v {
				return e.Args[i]
			}
		}
	}
	return v
}

// merge appends blocks to their only predecessor where that leads nowhere else.
func merge(f *ir.Func) bool {
	subst := ir.NewSubst(f)
	gone := make([]bool, f.NumBlocks())
	changed := false
	for _, b := range f.Blocks {
		if gone[b.ID] {
			continue
		}
		for b.Term.Kind == ir.Jump {
			e := b.Term.Succs[0]
			if len(e.To.Preds) != 1 || e.To == b {
				break
			}
			absorb(b, e, subst)
			gone[e.To.ID], changed = true, true
		}
	}
	if !changed {
		return false
	}
	kept := f.Blocks[:0]
	for _, b := range f.Blocks {
		if !gone[b.ID] {
			kept = append(kept, b)
		}
	}
	clear(f.Blocks[len(kept):])
	f.Blocks = kept
	subst.Apply(f)
	f.RebuildPreds()
	return true
}

// absorb moves the target of e, the only edge out of b, into b.
func absorb(b *ir.Block, e ir.Edge, subst *ir.Subst) {
	for i, p := range e.To.Params {
		subst.Set(p, subst.Get(e.Args[i]))
	}
	for _, v := range e.To.Values {
		b.Append(v)
	}
	b.Term, b.Likely = e.To.Term, e.To.Likely
}
