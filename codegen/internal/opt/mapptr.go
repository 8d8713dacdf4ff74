package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// mapptr lets a lookup reuse the pointer of an earlier one of the same key in
// the same map, if nothing in between can have moved or removed the element.
// The pointer may be null in both cases; its checks stay.
func mapptr(f *ir.Func) bool {
	t := newTracker(f)
	t.visit = func(st *state, v *ir.Value) (*ir.Value, bool) {
		if v.Op != ir.OpMapLookup {
			return nil, false
		}
		key, ok := t.key(st, v)
		if !ok {
			return nil, false
		}
		for _, l := range st.lookups {
			if l.m == v.Aux && l.key == key {
				return l.ptr, false
			}
		}
		return nil, false
	}
	return t.run()
}
