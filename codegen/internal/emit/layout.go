package emit

import "github.com/gotrace/gotrace/codegen/internal/ir"

// layout orders the blocks of a function: a block is followed by its likelier
// successor where that is not placed yet, and what rarely runs comes last.
// Blocks that only jump on are left out.
func layout(a *ir.Alloc) []*ir.Block {
	order := ir.RPO(a.Func)
	placed := make([]bool, a.Func.NumBlocks())
	rare := rareBlocks(a.Func, order)
	var out []*ir.Block
	for _, wantRare := range []bool{false, true} {
		for _, b := range order {
			for b != nil && !placed[b.ID] && rare[b.ID] == wantRare {
				placed[b.ID] = true
				out = append(out, b)
				b = successor(a, b, placed, rare)
			}
		}
	}
	kept := out[:0]
	for _, b := range out {
		if b == a.Func.Blocks[0] || forward(a, b) == b {
			kept = append(kept, b)
		}
	}
	return kept
}

// successor returns the block that had better follow b, nil for none.
func successor(a *ir.Alloc, b *ir.Block, placed, rare []bool) *ir.Block {
	var best *ir.Block
	for i := range b.Term.Succs {
		to := forward(a, b.Term.Succs[i].To)
		if placed[to.ID] || rare[to.ID] != rare[b.ID] || !ready(to, placed) {
			continue
		}
		if best == nil || b.Likely < 0 {
			best = to
		}
	}
	return best
}

// ready reports whether b may be placed now: where several paths meet, behind
// all of them, so that none has to jump back.
func ready(b *ir.Block, placed []bool) bool {
	open := 0
	for _, p := range b.Preds {
		if !placed[p.ID] {
			open++
		}
	}
	return open == 0 || len(b.Preds) == 1
}

// rareBlocks tells by block ID which blocks run only if an unlikely branch was
// taken.
func rareBlocks(f *ir.Func, order []*ir.Block) []bool {
	rare := make([]bool, f.NumBlocks())
	seen := make([]bool, f.NumBlocks())
	for _, b := range order {
		seen[b.ID] = true
		common := false // some known edge into b is not rare
		for _, p := range b.Preds {
			if seen[p.ID] && p != b {
				common = common || !rare[p.ID] && !rareEdge(p, b)
			}
		}
		rare[b.ID] = !common && len(b.Preds) > 0
	}
	return rare
}

func rareEdge(from, to *ir.Block) bool {
	if from.Term.Kind != ir.Branch || from.Likely == 0 {
		return false
	}
	rare := from.Term.Succs[1].To
	if from.Likely < 0 {
		rare = from.Term.Succs[0].To
	}
	return rare == to
}

// forward follows blocks without instructions that only jump on. A loop of
// such blocks ends at the last one that is not followed yet.
func forward(a *ir.Alloc, b *ir.Block) *ir.Block {
	for range len(a.Func.Blocks) {
		if len(a.Blocks[b.ID].Steps) > 0 || b.Term.Kind != ir.Jump {
			break
		}
		b = b.Term.Succs[0].To
	}
	return b
}
