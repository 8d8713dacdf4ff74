package opt

import (
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// dce removes what no visible effect depends on: values, parameters, helper
// calls that only read, and everything that fills slots which are never read.
func dce(f *ir.Func) bool {
	m := analyse(f)
	l := &liveness{mem: m, live: make([]bool, f.NumValues()), slots: map[*ir.Slot]bool{}}
	l.collect(f)
	l.run()
	return l.sweep(f)
}

type liveness struct {
	mem     *memory
	live    []bool // by value ID
	slots   map[*ir.Slot]bool
	writers map[*ir.Slot][]*ir.Value // what fills a slot and does nothing else
	args    [][]*ir.Value            // by ID of a parameter: what edges pass
	work    []*ir.Value
}

// collect finds the roots.
func (l *liveness) collect(f *ir.Func) {
	l.writers = map[*ir.Slot][]*ir.Value{}
	l.args = make([][]*ir.Value, f.NumValues())
	for _, p := range f.Blocks[0].Params {
		l.mark(p)
	}
	for _, b := range f.Blocks {
		if b.Term.Cond != nil {
			l.mark(b.Term.Cond)
		}
		for _, e := range b.Term.Succs {
			for i, p := range e.To.Params {
				l.args[p.ID] = append(l.args[p.ID], e.Args[i])
			}
		}
		for _, v := range b.Values {
			if slot := l.mem.fills(v); slot != nil {
				l.writers[slot] = append(l.writers[slot], v)
			} else if !droppable(v) {
				l.mark(v)
			}
		}
	}
}

// droppable reports whether v has no effect besides its result.
func droppable(v *ir.Value) bool {
	if h, ok := v.Aux.(*ir.Helper); ok && h.Writes >= 0 {
		return false
	}
	return !v.Effect().Changes()
}

func (l *liveness) mark(v *ir.Value) {
	if !l.live[v.ID] {
		l.live[v.ID] = true
		l.work = append(l.work, v)
	}
}

func (l *liveness) run() {
	for len(l.work) > 0 {
		v := l.work[len(l.work)-1]
		l.work = l.work[:len(l.work)-1]
		for _, a := range v.Args {
			l.mark(a)
		}
		for _, a := range l.args[v.ID] {
			l.mark(a)
		}
		for _, a := range l.mem.accesses(v) {
			if slot := a.slot(); slot != nil && a.read {
				l.read(slot)
			}
		}
	}
}

// read keeps what fills slot.
func (l *liveness) read(slot *ir.Slot) {
	if l.slots[slot] {
		return
	}
	l.slots[slot] = true
	for _, w := range l.writers[slot] {
		l.mark(w)
	}
}

func (l *liveness) sweep(f *ir.Func) bool {
	changed := f.RemoveParams(func(p *ir.Value) bool { return !l.live[p.ID] })
	used := map[*ir.Slot]bool{}
	for _, b := range f.Blocks {
		n := len(b.Values)
		b.Values = slices.DeleteFunc(b.Values, func(v *ir.Value) bool { return !l.live[v.ID] })
		changed = changed || len(b.Values) < n
		for _, v := range b.Values {
			if s, ok := v.Aux.(*ir.Slot); ok {
				used[s] = true
			}
		}
	}
	n := len(f.Slots)
	f.Slots = slices.DeleteFunc(f.Slots, func(s *ir.Slot) bool { return !used[s] })
	return changed || len(f.Slots) < n
}
