package regalloc

import "github.com/gotrace/gotrace/codegen/internal/ir"

// block allocates one block. All its predecessors are done but those whose edge
// closes a loop.
func (a *allocator) block(b *ir.Block) {
	a.steps = nil
	a.enter(b)
	a.narrow(b)
	fused := b.Fused()
	for i, v := range b.Values {
		a.plan.pos = int32(i)
		switch {
		case v.Remat() || v == fused:
		case v.Constraint() == ir.CallRegs:
			a.call(v)
		default:
			a.operation(v)
		}
	}
	a.plan.pos = int32(len(b.Values))
	a.terminator(b, fused)
	a.plan.finish()
	a.blocks[b.ID].Steps = a.steps
	a.end[b.ID] = a.regs
}

// enter sets up the registers as they are at the start of b.
func (a *allocator) enter(b *ir.Block) {
	for r := range a.regs {
		a.clear(r)
	}
	a.plan.prepare(b, a.live.out[b.ID], func(i int) int { return a.paramReg(b.Term.Succs[0].To, i) })
	switch {
	case len(b.Preds) == 0:
		for i, p := range b.Params {
			a.set(i+1, p)
		}
	case a.started[b.ID]:
		a.load(a.start[b.ID])
	default:
		a.load(a.end[b.Preds[0].ID])
	}
	for r, v := range a.regs {
		if v != nil && a.plan.next(v) == noPosition {
			a.clear(r)
		}
	}
}

func (a *allocator) load(s regState) {
	for r, v := range s {
		if v != nil {
			a.set(r, v)
		}
	}
}

// paramReg returns the register in which parameter i of b arrives, -1 if that
// is not known yet or is none.
func (a *allocator) paramReg(b *ir.Block, i int) int {
	if a.started[b.ID] {
		for r, v := range a.start[b.ID] {
			if v == b.Params[i] {
				return r
			}
		}
	}
	return -1
}

// operand brings v into a register, if it is in none, that is not in pinned.
func (a *allocator) operand(v *ir.Value, pinned mask) int {
	if m := a.where[v.ID]; m != 0 {
		if w := a.plan.wants(v); w >= 0 && m.has(w) {
			return w
		}
		return m.first()
	}
	src := a.source(v)
	r := a.pick(v, allRegs&^pinned)
	a.move(v, ir.Loc(r), src)
	a.set(r, v)
	return r
}

func (a *allocator) move(v *ir.Value, dst, src ir.Loc) {
	a.steps = append(a.steps, ir.Step{Value: v, Move: true, Dst: dst, Src: src})
}

// operands brings all operands of v that are not folded into registers, and
// returns these.
func (a *allocator) operands(v *ir.Value) (regs [5]ir.Loc, pinned mask) {
	for i := range regs {
		regs[i] = ir.NoLoc
	}
	// Those that are in registers first, so that no load pushes them out.
	for _, inReg := range []bool{true, false} {
		for i, x := range v.Args {
			if v.Folded(i) || regs[i] != ir.NoLoc || inReg && a.where[x.ID] == 0 {
				continue
			}
			r := a.operand(x, pinned)
			pinned |= bit(r)
			regs[i] = ir.Loc(r)
		}
	}
	return regs, pinned
}

// operation allocates anything but calls.
func (a *allocator) operation(v *ir.Value) {
	args, pinned := a.operands(v)
	var dying mask
	for i, x := range v.Args {
		if v.Folded(i) {
			continue
		}
		a.plan.advance(x)
		if a.plan.next(x) == noPosition {
			dying |= a.where[x.ID]
		}
	}
	s := ir.Step{Value: v, Dst: ir.NoLoc, Args: args}
	if v.Type == ir.Void {
		a.clearAll(dying)
		a.steps = append(a.steps, s)
		return
	}
	r := a.result(v, args, pinned, dying)
	a.clearAll(dying)
	s.Dst = ir.Loc(r)
	a.steps = append(a.steps, s)
	if a.plan.next(v) < noPosition {
		a.set(r, v)
	}
}

func (a *allocator) clearAll(m mask) {
	for ; m != 0; m &= m - 1 {
		a.clear(m.first())
	}
}

// result picks the register of the result of v. Operands stay where they are
// until then; those in dying are not needed any more.
func (a *allocator) result(v *ir.Value, args [5]ir.Loc, pinned, dying mask) int {
	c := v.Constraint()
	switch c {
	case ir.AnyReg:
		a.clearAll(dying)
		return a.pick(v, allRegs&^(pinned&^dying))
	case ir.Distinct:
		return a.pick(v, allRegs&^pinned)
	}
	t := tied(c)
	// With an immediate on the other side there is no conflict to mind.
	other := ir.NoLoc
	if len(v.Args) > 1 {
		other = args[1-t]
	}
	if r := args[t]; r.IsReg() && dying.has(int(r)) {
		return int(r)
	}
	if c == ir.TiedCommutes && other.IsReg() && dying.has(int(other)) {
		return int(other)
	}
	return a.pick(v, allRegs&^pinned)
}

// call allocates a call: what lives on leaves R0 to R5, the operands move to
// R1 and up, the result comes in R0.
func (a *allocator) call(v *ir.Value) {
	a.save(v)
	s := ir.Step{Value: v, Dst: ir.NoLoc}
	var moves []move
	busy := a.used() & savedRegs
	for i := range s.Args {
		s.Args[i] = ir.NoLoc
		if i >= len(v.Args) {
			continue
		}
		dst := ir.Loc(i + 1)
		s.Args[i] = dst
		busy |= bit(i + 1)
		if x := v.Args[i]; !a.where[x.ID].has(i + 1) {
			moves = append(moves, move{x, dst, a.source(x)})
		}
	}
	a.parallel(moves, busy)
	for _, x := range v.Args {
		a.plan.advance(x)
	}
	for r, w := range a.regs {
		if w != nil && (r < firstSaved || a.plan.next(w) == noPosition) {
			a.clear(r)
		}
	}
	if v.Type != ir.Void {
		s.Dst = 0
		if a.plan.next(v) < noPosition {
			a.set(0, v)
		}
	}
	a.steps = append(a.steps, s)
}

// save brings what lives on behind call v out of the registers that it loses:
// into one that it keeps if there is one to be had for a move, else into memory.
func (a *allocator) save(v *ir.Value) {
	for r := range firstSaved {
		w := a.regs[r]
		if w == nil || w.Remat() || a.where[w.ID]&savedRegs != 0 || a.nextBehind(w) == noPosition {
			continue
		}
		to := a.savedFor(w)
		if to < 0 {
			a.mustSpill(w)
			continue
		}
		a.move(w, ir.Loc(to), ir.Loc(r))
		a.set(to, w)
	}
}

// nextBehind returns the next use of v after the current operation.
func (a *allocator) nextBehind(v *ir.Value) int32 {
	for h := a.plan.head[v.ID]; h > 0; h = a.plan.uses[h-1].next {
		if u := a.plan.uses[h-1]; u.pos > a.plan.pos {
			return u.pos
		}
	}
	return noPosition
}

// savedFor returns a register that calls keep for v, or -1 if all of them hold
// something that is as expensive to lose.
func (a *allocator) savedFor(v *ir.Value) int {
	if free := savedRegs & a.allowed &^ a.used(); free != 0 {
		return free.first()
	}
	best, far := -1, a.nextBehind(v)
	for r := firstSaved; r < numRegs; r++ {
		w := a.regs[r]
		if w == nil || a.plan.next(w) <= a.plan.pos {
			continue
		}
		// A value that is in memory already costs no store.
		if next := a.plan.next(w); next > far && (w.Remat() || a.spill[w.ID] != 0) {
			best, far = r, next
		}
	}
	if best >= 0 {
		a.drop(best)
	}
	return best
}
