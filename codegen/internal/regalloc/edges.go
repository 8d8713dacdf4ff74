package regalloc

import "github.com/gotrace/gotrace/codegen/internal/ir"

// terminator allocates the end of b.
func (a *allocator) terminator(b *ir.Block, fused *ir.Value) {
	term := &a.blocks[b.ID].Term
	*term = [2]ir.Loc{ir.NoLoc, ir.NoLoc}
	switch {
	case b.Term.Kind == ir.Jump:
		a.jump(b, b.Term.Succs[0])
		return
	case b.Term.Kind == ir.Return:
		term[0] = 0
		if c := b.Term.Cond; !a.where[c.ID].has(0) {
			a.move(c, 0, a.source(c))
		}
		return
	case fused != nil:
		regs, _ := a.operands(fused)
		copy(term[:], regs[:2])
		for i, x := range fused.Args {
			if !fused.Folded(i) {
				a.retire(x)
			}
		}
	default:
		term[0] = ir.Loc(a.operand(b.Term.Cond, 0))
		a.retire(b.Term.Cond)
	}
}

// retire ends the use of v by the current operation.
func (a *allocator) retire(v *ir.Value) {
	a.plan.advance(v)
	if a.plan.next(v) == noPosition {
		a.clearAll(a.where[v.ID])
	}
}

// jump brings every value to where the block at the other end of e expects it.
// The first edge into a block decides where that is.
func (a *allocator) jump(b *ir.Block, e ir.Edge) {
	for _, x := range e.Args {
		a.plan.advance(x)
	}
	if len(e.To.Preds) == 1 && len(e.To.Params) == 0 {
		return
	}
	if !a.started[e.To.ID] {
		a.begin(e)
	}
	var moves []move
	var busy mask
	for r, v := range a.start[e.To.ID] {
		if v == nil {
			continue
		}
		busy |= bit(r)
		if x := passed(e, v); !a.where[x.ID].has(r) {
			moves = append(moves, move{x, ir.Loc(r), a.source(x)})
		}
	}
	for i, p := range e.To.Params {
		if !a.inMemory[p.ID] {
			continue
		}
		dst, src := a.mustSpill(p), a.source(e.Args[i])
		if dst != src {
			moves = append(moves, move{e.Args[i], dst, src})
		}
	}
	a.parallel(moves, busy)
}

// passed returns what e passes for v if that is a parameter, else v.
func passed(e ir.Edge, v *ir.Value) *ir.Value {
	if v.Op == ir.OpParam {
		for i, p := range e.To.Params {
			if p == v {
				return e.Args[i]
			}
		}
	}
	return v
}

// begin decides where values are at the start of the block that e leads to:
// those in registers stay there, if a loop with calls does not make that
// useless, and parameters take the registers of what is passed for them.
func (a *allocator) begin(e ir.Edge) {
	to := e.To
	a.started[to.ID] = true
	var s regState
	var taken mask
	place := func(r int, v *ir.Value) {
		s[r] = v
		taken |= bit(r)
	}
	lossy := a.callsIn[to.ID]
	for r := numRegs - 1; r >= 0; r-- {
		v := a.regs[r]
		if v == nil || v.Remat() || a.plan.next(v) == noPosition || a.where[v.ID].last() != r {
			continue
		}
		if !lossy || r >= firstSaved {
			place(r, v)
		} else if free := savedRegs & a.allowed &^ (taken | a.used()); free != 0 {
			place(free.first(), v)
		} else {
			a.mustSpill(v)
		}
	}
	for i, p := range to.Params {
		info := a.live.param[p.ID]
		if info.v == nil {
			continue
		}
		choice := a.allowed &^ taken
		if lossy && info.crosses {
			choice &= savedRegs
		}
		if r := a.paramChoice(e.Args[i], choice, info.crosses); r >= 0 {
			place(r, p)
			continue
		}
		r := a.farthest(s, a.plan.pos+1+info.dist, lossy && info.crosses)
		if r < 0 {
			a.inMemory[p.ID] = true
			continue
		}
		a.mustSpill(s[r])
		place(r, p)
	}
	a.start[to.ID] = s
}

// paramChoice returns the register out of choice for a parameter that gets x:
// that of x where it is not needed further, else a free one; -1 for none.
func (a *allocator) paramChoice(x *ir.Value, choice mask, crosses bool) int {
	if choice == 0 {
		return -1
	}
	if m := a.where[x.ID] & choice; m != 0 && (!crosses || m&savedRegs != 0 || choice&savedRegs == 0) {
		return m.last()
	}
	if free := choice &^ a.used(); free != 0 {
		return choose(free, crosses)
	}
	return choose(choice, crosses)
}

// farthest returns the register of s whose value, not a parameter of the block
// that begins, is needed last and later than at dist; -1 if there is none.
func (a *allocator) farthest(s regState, dist int32, saved bool) int {
	best := -1
	for r, v := range s {
		if v == nil || !a.allowed.has(r) || saved && r < firstSaved {
			continue
		}
		// Parameters of the new block have no uses in this one.
		if next := a.plan.next(v); next < noPosition && next > dist {
			best, dist = r, next
		}
	}
	return best
}
