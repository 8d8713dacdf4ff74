package regalloc

import "github.com/gotrace/gotrace/codegen/internal/ir"

// move brings v from src (NoLoc: it is recomputed) to dst.
type move struct {
	v        *ir.Value
	dst, src ir.Loc
}

// parallel emits moves that happen at the same time: no destination occurs
// twice, each source is read as it was before. busy has the registers that are
// not free for temporaries.
func (a *allocator) parallel(moves []move, busy mask) {
	p := &parallelMove{a: a, busy: busy, pending: moves}
	for len(p.pending) > 0 {
		if p.ready() {
			continue
		}
		// What is left are cycles: free the destination of the first move.
		m := p.pending[0]
		temp := p.temporary()
		v := p.holder(m.dst)
		p.emit(v, temp, m.dst)
		for i := range p.pending {
			if p.pending[i].src == m.dst {
				p.pending[i].src = temp
			}
		}
	}
}

type parallelMove struct {
	a       *allocator
	busy    mask
	pending []move
}

// ready emits the moves whose destination nothing waits to be read from, and
// reports whether there were any.
func (p *parallelMove) ready() bool {
	n := 0
	for i := 0; i < len(p.pending); i++ {
		m := p.pending[i]
		if p.isSource(m.dst, n, i) {
			p.pending[n] = m
			n++
			continue
		}
		p.emitBeside(m, p.pending[:n], p.pending[i+1:])
	}
	done := n < len(p.pending)
	p.pending = p.pending[:n]
	return done
}

// isSource reports whether one of the moves [0,kept) or behind i reads l.
func (p *parallelMove) isSource(l ir.Loc, kept, i int) bool {
	for _, m := range p.pending[:kept] {
		if m.src == l {
			return true
		}
	}
	for _, m := range p.pending[i+1:] {
		if m.src == l {
			return true
		}
	}
	return false
}

// holder returns the value that a pending move reads from l.
func (p *parallelMove) holder(l ir.Loc) *ir.Value {
	for _, m := range p.pending {
		if m.src == l {
			return m.v
		}
	}
	panic("regalloc: cycle of moves without a reader")
}

// temporary returns a free register, or else a spill slot.
func (p *parallelMove) temporary() ir.Loc {
	if r := p.freeReg(p.pending, nil); r >= 0 {
		p.busy |= bit(r)
		return ir.Loc(r)
	}
	return p.a.tempSlot()
}

// freeReg returns a register that is neither busy nor source or destination of
// a move, or -1.
func (p *parallelMove) freeReg(sets ...[]move) int {
	free := p.a.allowed &^ p.busy
	for _, set := range sets {
		for _, m := range set {
			if m.src.IsReg() {
				free &^= bit(int(m.src))
			}
			if m.dst.IsReg() {
				free &^= bit(int(m.dst))
			}
		}
	}
	if free == 0 {
		return -1
	}
	return free.first()
}

func (p *parallelMove) emit(v *ir.Value, dst, src ir.Loc) {
	p.emitBeside(move{v, dst, src}, p.pending, nil)
}

// emitBeside emits one move, through a register if both ends are in memory. The
// moves in before and behind are still to come.
func (p *parallelMove) emitBeside(m move, before, behind []move) {
	a := p.a
	immediate := m.src == ir.NoLoc && m.v.Op == ir.OpConst && ir.Fits32(m.v.Imm)
	if m.dst.IsReg() || m.src.IsReg() || immediate {
		a.move(m.v, m.dst, m.src)
		return
	}
	if r := p.freeReg(before, behind); r >= 0 {
		a.move(m.v, ir.Loc(r), m.src)
		a.move(m.v, m.dst, ir.Loc(r))
		return
	}
	// Borrow a register.
	r := ir.Loc(a.allowed.first())
	slot := a.tempSlot()
	a.moveRaw(slot, r)
	a.move(m.v, r, m.src)
	a.move(m.v, m.dst, r)
	a.moveRaw(r, slot)
}

// moveRaw moves whatever src holds.
func (a *allocator) moveRaw(dst, src ir.Loc) { a.move(nil, dst, src) }
