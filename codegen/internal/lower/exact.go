package lower

import (
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// exactness is what the verifier must know the bounds of, which it forgets in
// scratch memory.
type exactness struct {
	values []bool            // by value ID
	slots  map[*ir.Slot]bool // that hold such values

	choosing bool
	dom      *ir.Dom
	loops    *ir.Loops
	in       [][]*ir.Value            // by ID of a parameter: what the edges pass
	stored   map[*ir.Slot][]*ir.Value // what is stored in a slot
	work     []*ir.Value
}

// findExact finds the integers of f that an address, the size of an access or
// the end of a loop depends on; with choices also those that only decide which
// of several values that is.
func findExact(f *ir.Func, choices bool) *exactness {
	e := &exactness{
		choosing: choices,
		values:   make([]bool, f.NumValues()), slots: map[*ir.Slot]bool{},
		in: make([][]*ir.Value, f.NumValues()), stored: map[*ir.Slot][]*ir.Value{},
	}
	e.dom = ir.Dominators(f)
	e.loops = e.dom.Loops()
	for _, b := range f.Blocks {
		e.read(b)
	}
	for _, b := range f.Blocks {
		if leaves(e.loops, b) {
			e.mark(b.Term.Cond)
		}
		for _, v := range b.Values {
			e.roots(v)
		}
	}
	for len(e.work) > 0 {
		v := e.work[len(e.work)-1]
		e.work = e.work[:len(e.work)-1]
		e.sources(v)
	}
	return e
}

// read enters what the edges of b pass and what its stores leave in slots.
func (e *exactness) read(b *ir.Block) {
	for _, to := range b.Term.Succs {
		for i, v := range to.Args {
			p := to.To.Params[i]
			e.in[p.ID] = append(e.in[p.ID], v)
		}
	}
	for _, v := range b.Values {
		if s := accessed(v); s != nil && v.Op == ir.OpStore {
			e.stored[s] = append(e.stored[s], v.Args[1])
		}
	}
}

// accessed returns the slot that a load or store at a constant offset is for.
func accessed(v *ir.Value) *ir.Slot {
	if v.Op != ir.OpLoad && v.Op != ir.OpStore {
		return nil
	}
	base, _ := constOffset(v.Args[0])
	s, _ := base.Aux.(*ir.Slot)
	return s
}

func (e *exactness) mark(v *ir.Value) {
	if !e.values[v.ID] {
		e.values[v.ID] = true
		e.work = append(e.work, v)
	}
}

// roots marks the operands of v whose bounds the verifier asks for.
func (e *exactness) roots(v *ir.Value) {
	switch {
	case v.Type == ir.Ptr && (v.Op == ir.OpAdd || v.Op == ir.OpSub):
		e.mark(v.Args[1])
	case v.Op == ir.OpCall:
		h := v.Aux.(*ir.Helper)
		for i, x := range v.Args {
			if h.SizeArg < 0 || h.SizeArg == i {
				e.mark(x)
			}
		}
	}
}

// sources marks what v is computed from.
func (e *exactness) sources(v *ir.Value) {
	for _, x := range e.in[v.ID] {
		e.mark(x)
	}
	switch v.Op {
	case ir.OpCall:
	case ir.OpParam:
		e.choices(v.Block)
	case ir.OpLoad:
		if s := accessed(v); s != nil && !e.slots[s] {
			e.slots[s] = true
			for _, x := range e.stored[s] {
				e.mark(x)
			}
		}
	default:
		for _, x := range v.Args {
			e.mark(x)
		}
	}
}

// choices marks the conditions that decide which edge leads to b, a block within
// a loop: the loop may end by what they choose. `$i < 3 && f()` is such a choice
// between the result of f and 0.
func (e *exactness) choices(b *ir.Block) {
	if !e.choosing || e.loops.Depth(b) == 0 || e.loops.Header(b) == b {
		return
	}
	seen := map[*ir.Block]bool{b: true, e.dom.Idom(b): true}
	work := append([]*ir.Block{e.dom.Idom(b)}, b.Preds...)
	for len(work) > 0 {
		p := work[len(work)-1]
		work = work[:len(work)-1]
		if p.Term.Kind == ir.Branch {
			e.mark(p.Term.Cond)
		}
		if !seen[p] {
			seen[p] = true
			work = append(work, p.Preds...)
		}
	}
}

// leaves reports whether the branch at the end of b may leave a loop.
func leaves(loops *ir.Loops, b *ir.Block) bool {
	return b.Term.Kind == ir.Branch && slices.ContainsFunc(b.Term.Succs, func(e ir.Edge) bool {
		return !loops.In(e.To, loops.Header(b))
	})
}
