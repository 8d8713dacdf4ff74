package opt

import "github.com/gotrace/gotrace/codegen/internal/ir"

// gvn merges equal operations where one dominates the other: pure ones, loads
// from the context, and helpers whose result stays the same during a run. Parameters that turn out
// to be redundant go with them.
func gvn(f *ir.Func) bool {
	changed := f.RemoveTrivialParams()
	g := &numbering{subst: ir.NewSubst(f), table: map[valueKey]*ir.Value{}, guarded: guardedValues(f)}
	if f.Context && len(f.Blocks[0].Params) > 0 {
		g.context = f.Blocks[0].Params[0]
	}
	dom := ir.Dominators(f)
	dom.Preorder(g.enter, g.leave)
	if g.changed {
		g.subst.Apply(f)
		f.RemoveTrivialParams()
	}
	return changed || g.changed
}

// valueKey is equal for values that compute the same.
type valueKey struct {
	op    ir.Op
	typ   ir.Type
	width uint8
	imm   int64
	aux   ir.Aux
	args  [maxArgs]*ir.Value
}

const maxArgs = 5

type numbering struct {
	subst   *ir.Subst
	table   map[valueKey]*ir.Value
	context *ir.Value    // memory that nothing writes
	guarded []bool       // by ID: see guardedValues
	scopes  [][]valueKey // keys that each open block has added
	changed bool
}

func (g *numbering) enter(b *ir.Block) {
	var added []valueKey
	kept := b.Values[:0]
	for _, v := range b.Values {
		g.subst.ApplyList(v.Args)
		if !g.mergeable(v) {
			kept = append(kept, v)
			continue
		}
		k := keyOf(v)
		if x := g.table[k]; x != nil {
			if g.isBound(v) && x.Block != b {
				kept = append(kept, v)
				continue
			}
			g.subst.Set(v, x)
			g.changed = true
			continue
		}
		g.table[k] = v
		added = append(added, k)
		kept = append(kept, v)
	}
	clear(b.Values[len(kept):])
	b.Values = kept
	g.scopes = append(g.scopes, added)
}

func (g *numbering) leave(*ir.Block) {
	top := len(g.scopes) - 1
	for _, k := range g.scopes[top] {
		delete(g.table, k)
	}
	g.scopes = g.scopes[:top]
}

// mergeable reports whether equal values of the kind of v are always the same.
func (g *numbering) mergeable(v *ir.Value) bool {
	if len(v.Args) > maxArgs || v.Type == ir.Void {
		return false
	}
	if h, ok := v.Aux.(*ir.Helper); ok {
		return h.Effect.Fixed() && h.Writes < 0
	}
	return v.Effect() == ir.Pure || v.Op == ir.OpLoad && v.Args[0] == g.context
}

// isBound reports whether v is arithmetic that leads to an address or a size. It
// stays in the block of its use: the kernel's verifier does not apply a test of
// an index to what was computed of it before the test, and kernels before 5.16
// forget the limits of a number that is spilled on the way.
func (g *numbering) isBound(v *ir.Value) bool {
	return g.guarded[v.ID] && v.Type == ir.I64 && v.Effect() == ir.Pure && len(v.Args) > 0
}

func keyOf(v *ir.Value) valueKey {
	k := valueKey{op: v.Op, typ: v.Type, width: v.Width, imm: v.Imm, aux: v.Aux}
	copy(k.args[:], v.Args)
	if commutes(v.Op) && len(v.Args) == 2 && v.Args[0].ID > v.Args[1].ID && v.Args[0].Type == v.Args[1].Type {
		k.args[0], k.args[1] = v.Args[1], v.Args[0]
	}
	return k
}
