package lower

import (
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// dropUncalled removes the functions that the main one does not lead to: the
// kernel rejects programs with such.
func dropUncalled(p *ir.Program) {
	called := map[*ir.Func]bool{p.Main: true}
	work := []*ir.Func{p.Main}
	for len(work) > 0 {
		f := work[len(work)-1]
		work = work[:len(work)-1]
		for _, b := range ir.RPO(f) {
			for _, v := range b.Values {
				if to, ok := v.Aux.(*ir.Func); ok && !called[to] {
					called[to] = true
					work = append(work, to)
				}
			}
		}
	}
	p.Subs = slices.DeleteFunc(p.Subs, func(f *ir.Func) bool { return !called[f] })
}

// splitEdges gives each edge of a branch a block of its own if its target has
// parameters or other predecessors, so that moves can be placed on the edge.
func splitEdges(f *ir.Func) {
	for _, b := range f.Blocks {
		if b.Term.Kind != ir.Branch {
			continue
		}
		for i := range b.Term.Succs {
			if e := &b.Term.Succs[i]; len(e.To.Preds) > 1 || len(e.To.Params) > 0 {
				splitEdge(b, e)
			}
		}
	}
}

func splitEdge(b *ir.Block, e *ir.Edge) {
	mid := b.Func.NewBlock()
	mid.Preds = []*ir.Block{b}
	mid.Term = ir.Term{Kind: ir.Jump, Succs: []ir.Edge{*e}, Span: b.Term.Span}
	e.To.Preds[slices.Index(e.To.Preds, b)] = mid
	*e = ir.Edge{To: mid}
}

// dropDead removes values that nothing uses and that do nothing else.
func dropDead(f *ir.Func) {
	uses := ir.UseCounts(f)
	for i := len(f.Blocks) - 1; i >= 0; i-- {
		b := f.Blocks[i]
		live := len(b.Values)
		for j := len(b.Values) - 1; j >= 0; j-- {
			v := b.Values[j]
			if uses[v.ID] == 0 && droppable(v) {
				for _, a := range v.Args {
					uses[a.ID]--
				}
				continue
			}
			live--
			b.Values[live] = v
		}
		b.Values = slices.Delete(b.Values, 0, live)
	}
}

func droppable(v *ir.Value) bool {
	return v.Op != ir.OpCall && (v.Effect() == ir.Pure || v.Op == ir.OpLoad)
}

// rewriter rebuilds the value list of one block.
type rewriter struct {
	f   *ir.Func
	out []*ir.Value
	at  *ir.Value // whose span new values get
}

// rewriteBlocks calls rewrite for every value, which appends what replaces it.
func rewriteBlocks(f *ir.Func, rewrite func(*rewriter, *ir.Value)) {
	r := &rewriter{f: f}
	for _, b := range f.Blocks {
		r.out = make([]*ir.Value, 0, len(b.Values))
		for _, v := range b.Values {
			r.at = v
			rewrite(r, v)
		}
		for _, v := range r.out {
			v.Block = b
		}
		b.Values = r.out
	}
}

func (r *rewriter) keep(v *ir.Value) { r.out = append(r.out, v) }

func (r *rewriter) value(op ir.Op, t ir.Type, args ...*ir.Value) *ir.Value {
	v := r.f.NewValue(op, t, args...)
	v.Span = r.at.Span
	r.keep(v)
	return v
}

func (r *rewriter) constant(n int64) *ir.Value {
	v := r.value(ir.OpConst, ir.I64)
	v.Imm = n
	return v
}
