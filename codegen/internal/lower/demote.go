package lower

import (
	"cmp"
	"maps"
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// spareSlots is how many slots more than needed are freed at once: the accesses
// to what is demoted may need some again.
const spareSlots = 8

// Demoter moves values of a lowered program into scratch memory where the stack
// can not hold them all.
type Demoter struct {
	p    *ir.Program
	base map[*ir.Func]*ir.Value // address of the scratch memory
	own  map[*ir.Value]bool     // loads that it has made
}

// NewDemoter returns a Demoter for p.
func NewDemoter(p *ir.Program) *Demoter {
	return &Demoter{p: p, base: map[*ir.Func]*ir.Value{}, own: map[*ir.Value]bool{}}
}

// Demote makes the spill slots of allocs, which are in the order of p.Funcs,
// fewer by excess bytes or more: some of the values are stored in scratch memory
// where they are computed and loaded where they are used. It reports whether it
// found such values; then the program needs a new allocation, which may exceed
// the stack again.
func (d *Demoter) Demote(allocs []*ir.Alloc, excess int) bool {
	if d.p.Scratch == nil {
		return false
	}
	largest := largestFrames(allocs)
	// What merely decides how a loop goes on comes last: without it the verifier
	// may see no end of the loop.
	for _, choices := range []bool{true, false} {
		for _, a := range largest {
			if values := d.choose(a, max(0, a.Spills-excess/8-spareSlots), choices); len(values) > 0 {
				newDemotion(d, a.Func, values).run()
				return true
			}
		}
	}
	return false
}

// largestFrames returns the functions whose frames exceed the stack together: of
// each depth the one with the largest, the largest of all first.
func largestFrames(allocs []*ir.Alloc) []*ir.Alloc {
	byDepth := map[int]*ir.Alloc{}
	for _, a := range allocs {
		if old := byDepth[a.Func.Depth]; old == nil || a.Frame() > old.Frame() {
			byDepth[a.Func.Depth] = a
		}
	}
	return slices.SortedFunc(maps.Values(byDepth), func(a, b *ir.Alloc) int {
		return cmp.Or(cmp.Compare(b.Frame(), a.Frame()), cmp.Compare(a.Func.Depth, b.Func.Depth))
	})
}

// choose returns values to demote so that no more than slots others are in
// spill slots at any point, as far as that can be had. Where too many are, the
// one that stays longest goes (linear scan: Poletto and Sarkar, "Linear Scan
// Register Allocation", 1999).
func (d *Demoter) choose(a *ir.Alloc, slots int, choices bool) (values []*ir.Value) {
	may := d.demotable(a.Func, choices)
	var active []ir.SpillSpan // by the end, the last one first
	for _, s := range a.Spilled {
		active = slices.DeleteFunc(active, func(o ir.SpillSpan) bool { return o.Last < s.First })
		i, _ := slices.BinarySearchFunc(active, s, func(o, s ir.SpillSpan) int { return cmp.Compare(s.Last, o.Last) })
		active = slices.Insert(active, i, s)
		for len(active) > slots {
			i := slices.IndexFunc(active, func(o ir.SpillSpan) bool { return o.Value != nil && may(o.Value) })
			if i < 0 {
				break
			}
			values = append(values, active[i].Value)
			active = slices.Delete(active, i, i+1)
		}
	}
	return values
}

// demotable returns a function that tells whether a value of f may live in
// scratch memory: integers, as the verifier forgets there what a pointer points
// to. Of a number it forgets the bounds there, so those whose bounds matter
// stay, too; choices as in findExact.
func (d *Demoter) demotable(f *ir.Func, choices bool) func(*ir.Value) bool {
	exact := findExact(f, choices).values
	return func(v *ir.Value) bool {
		return v.Type == ir.I64 && !exact[v.ID] && !d.own[v] && (v.Op != ir.OpParam || v.Block != f.Blocks[0])
	}
}
