package regalloc

import (
	"math/bits"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// mask is a set of registers.
type mask uint16

func bit(r int) mask          { return 1 << r }
func (m mask) has(r int) bool { return m&bit(r) != 0 }
func (m mask) first() int     { return bits.TrailingZeros16(uint16(m)) }
func (m mask) last() int      { return bits.Len16(uint16(m)) - 1 }

// regState is which value each register holds, nil for none.
type regState [numRegs]*ir.Value

// allocator is the state of the walk over one function.
type allocator struct {
	f       *ir.Func
	allowed mask
	live    *liveness
	callsIn []bool // by block ID: the loop with this header has a call

	regs  regState
	where []mask // by value ID: registers that hold the value
	plan  plan   // of the current block

	started []bool     // by block ID: start is known
	start   []regState // by block ID
	end     []regState // by block ID

	narrowed [][]ir.Step // by block ID: see narrow

	inMemory []bool      // by value ID: a parameter that arrives in its spill slot
	spill    []int32     // by value ID: number in spilled + 1
	spilled  []*ir.Value // nil for a temporary

	blocks []ir.AllocBlock
	steps  []ir.Step
}

func newAllocator(f *ir.Func, o Options) *allocator {
	nv, nb := f.NumValues(), f.NumBlocks()
	a := &allocator{
		f:        f,
		allowed:  mask(o.Regs) & allRegs,
		live:     computeLive(f),
		callsIn:  loopCalls(f),
		where:    make([]mask, nv),
		started:  make([]bool, nb),
		start:    make([]regState, nb),
		end:      make([]regState, nb),
		narrowed: make([][]ir.Step, nb),
		inMemory: make([]bool, nv),
		spill:    make([]int32, nv),
		blocks:   make([]ir.AllocBlock, nb),
	}
	if a.allowed == 0 {
		a.allowed = allRegs
	}
	a.plan.init(nv)
	return a
}

// loopCalls tells for each loop header whether the loop has a call.
func loopCalls(f *ir.Func) []bool {
	calls := make([]bool, f.NumBlocks())
	dom := ir.Dominators(f)
	loops := dom.Loops()
	for _, b := range dom.RPO {
		if !hasCall(b) {
			continue
		}
		for h := loops.Header(b); h != nil && !calls[h.ID]; h = loops.Outer(h) {
			calls[h.ID] = true
		}
	}
	return calls
}

func hasCall(b *ir.Block) bool {
	for _, v := range b.Values {
		if v.Constraint() == ir.CallRegs {
			return true
		}
	}
	return false
}

// set makes r hold v.
func (a *allocator) set(r int, v *ir.Value) {
	a.clear(r)
	a.regs[r] = v
	a.where[v.ID] |= bit(r)
}

// clear makes r hold nothing.
func (a *allocator) clear(r int) {
	if w := a.regs[r]; w != nil {
		a.where[w.ID] &^= bit(r)
		a.regs[r] = nil
	}
}

// used returns the registers that hold something.
func (a *allocator) used() mask {
	var m mask
	for r, v := range a.regs {
		if v != nil {
			m |= bit(r)
		}
	}
	return m
}

// mustSpill gives v a spill slot if it has none, and returns its place.
func (a *allocator) mustSpill(v *ir.Value) ir.Loc {
	if a.spill[v.ID] == 0 {
		a.spilled = append(a.spilled, v)
		a.spill[v.ID] = int32(len(a.spilled))
	}
	return ir.SpillLoc + ir.Loc(a.spill[v.ID]-1)
}

// tempSlot returns a spill slot that is for nothing else.
func (a *allocator) tempSlot() ir.Loc {
	a.spilled = append(a.spilled, nil)
	return ir.SpillLoc + ir.Loc(len(a.spilled)-1)
}

// drop frees r. If that loses a value with further uses, it is spilled.
func (a *allocator) drop(r int) {
	v := a.regs[r]
	a.clear(r)
	if a.where[v.ID] == 0 && !v.Remat() && a.plan.next(v) < noPosition {
		a.mustSpill(v)
	}
}

// source returns where v can be read: a register, NoLoc if it is recomputed, or
// its spill slot.
func (a *allocator) source(v *ir.Value) ir.Loc {
	if m := a.where[v.ID]; m != 0 {
		return ir.Loc(m.last())
	}
	if v.Remat() {
		return ir.NoLoc
	}
	return a.mustSpill(v)
}

// pick returns a free register for v out of those in choice, and makes one free
// if need be.
func (a *allocator) pick(v *ir.Value, choice mask) int {
	free := choice & a.allowed &^ a.used()
	if w := a.plan.wants(v); w >= 0 && free.has(w) {
		return w
	}
	if free == 0 {
		r := a.victim(choice & a.allowed)
		a.drop(r)
		return r
	}
	return choose(free, a.plan.crosses(v))
}

// choose prefers the registers that survive calls if, and only if, a call is to
// come; among the others those that carry operands of calls least often.
func choose(free mask, saved bool) int {
	if saved && free&savedRegs != 0 {
		return (free & savedRegs).first()
	}
	if lost := free &^ savedRegs; lost != 0 {
		if lost.has(0) {
			return 0
		}
		return lost.last()
	}
	return free.first()
}

// victim returns the register of choice whose value is needed last; among equal
// ones one that costs no store.
func (a *allocator) victim(choice mask) int {
	best, bestCost := -1, int32(-1)
	for r := range numRegs {
		if !choice.has(r) {
			continue
		}
		v := a.regs[r]
		cost := min(a.plan.next(v), noPosition) * 2
		if v.Remat() || a.spill[v.ID] != 0 || a.where[v.ID] != bit(r) {
			cost++
		}
		if cost > bestCost {
			best, bestCost = r, cost
		}
	}
	if best < 0 {
		panic("regalloc: no register left in " + a.f.Name)
	}
	return best
}
