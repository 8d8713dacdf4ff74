package ir

// Subst is a set of replacements of values that one sweep carries out.
type Subst struct{ to []*Value }

// NewSubst returns an empty set for values of f.
func NewSubst(f *Func) *Subst { return &Subst{to: make([]*Value, f.NumValues())} }

// Set lets x stand for old. Both may be replaced again later, but not by one
// another.
func (s *Subst) Set(old, x *Value) {
	for old.ID >= len(s.to) {
		s.to = append(s.to, nil)
	}
	s.to[old.ID] = x
}

// Get returns what stands for v in the end; v itself without replacement.
func (s *Subst) Get(v *Value) *Value {
	root := v
	for root.ID < len(s.to) && s.to[root.ID] != nil {
		root = s.to[root.ID]
	}
	for v != root {
		v, s.to[v.ID] = s.to[v.ID], root
	}
	return root
}

// Apply replaces the operands of all values, terminators and edges of f.
func (s *Subst) Apply(f *Func) {
	for _, b := range f.Blocks {
		for _, v := range b.Values {
			s.ApplyList(v.Args)
		}
		s.ApplyTerm(b)
	}
}

// ApplyList replaces the elements of args.
func (s *Subst) ApplyList(args []*Value) {
	for i, a := range args {
		args[i] = s.Get(a)
	}
}

// ApplyTerm replaces the operands of the terminator of b and of its edges.
func (s *Subst) ApplyTerm(b *Block) {
	if b.Term.Cond != nil {
		b.Term.Cond = s.Get(b.Term.Cond)
	}
	for _, e := range b.Term.Succs {
		s.ApplyList(e.Args)
	}
}

// VisitUses calls use for every operand in f with the block that it is used
// in; the arguments of an edge are used in the block that the edge leaves.
func VisitUses(f *Func, use func(b *Block, v *Value)) {
	for _, b := range f.Blocks {
		for _, v := range b.Values {
			for _, a := range v.Args {
				use(b, a)
			}
		}
		if b.Term.Cond != nil {
			use(b, b.Term.Cond)
		}
		for _, e := range b.Term.Succs {
			for _, a := range e.Args {
				use(b, a)
			}
		}
	}
}

// UseCounts returns how often each value is used, by ID.
func UseCounts(f *Func) []int32 {
	n := make([]int32, f.NumValues())
	VisitUses(f, func(_ *Block, v *Value) { n[v.ID]++ })
	return n
}

// Prepend inserts v at the start of the block.
func (b *Block) Prepend(values ...*Value) {
	for _, v := range values {
		v.Block = b
	}
	b.Values = append(values[:len(values):len(values)], b.Values...)
}

// RebuildPreds computes the predecessor lists anew, for passes that change
// many terminators.
func (f *Func) RebuildPreds() {
	for _, b := range f.Blocks {
		b.Preds = nil
	}
	for _, b := range f.Blocks {
		for _, e := range b.Term.Succs {
			e.To.Preds = append(e.To.Preds, b)
		}
	}
}

// RemoveUnreachable removes the blocks that no path from the entry reaches,
// which the kernel refuses. It reports whether there were any.
func (f *Func) RemoveUnreachable() bool {
	reach := make([]bool, f.NumBlocks())
	n := 0
	for _, b := range RPO(f) {
		reach[b.ID] = true
		n++
	}
	if n == len(f.Blocks) {
		return false
	}
	kept := make([]*Block, 0, n)
	for _, b := range f.Blocks {
		if reach[b.ID] {
			kept = append(kept, b)
		}
	}
	f.Blocks = kept
	f.RebuildPreds()
	return true
}

// RemoveParams removes the block parameters that drop names, with what edges
// pass for them. The parameters of the entry block stay.
func (f *Func) RemoveParams(drop func(*Value) bool) bool {
	changed := false
	keep := make([][]bool, f.NumBlocks()) // by block ID; nil where all stay
	for _, b := range f.Blocks[1:] {
		var kept []*Value
		mask := make([]bool, len(b.Params))
		for i, p := range b.Params {
			if mask[i] = !drop(p); mask[i] {
				kept = append(kept, p)
			}
		}
		if len(kept) < len(b.Params) {
			b.Params, keep[b.ID], changed = kept, mask, true
		}
	}
	if !changed {
		return false
	}
	for _, b := range f.Blocks {
		for i, e := range b.Term.Succs {
			if mask := keep[e.To.ID]; mask != nil {
				b.Term.Succs[i].Args = filter(e.Args, mask)
			}
		}
	}
	return true
}

func filter(args []*Value, mask []bool) []*Value {
	var kept []*Value
	for i, a := range args {
		if mask[i] {
			kept = append(kept, a)
		}
	}
	return kept
}

// RemoveTrivialParams replaces the parameters that get the same value on all
// edges (or themselves) by that value, and those that get equal numbers by the
// number. It reports whether there were any.
func (f *Func) RemoveTrivialParams() bool {
	t := newTrivial(f)
	for len(t.work) > 0 {
		p := t.work[len(t.work)-1]
		t.work = t.work[:len(t.work)-1]
		t.queued[p.ID] = false
		t.visit(p)
	}
	if !t.changed {
		return false
	}
	f.RemoveParams(func(p *Value) bool { return t.subst.Get(p) != p })
	t.subst.Apply(f)
	return true
}

type trivial struct {
	f       *Func
	subst   *Subst
	in      [][]*Value // by ID of a parameter: what the edges pass
	users   [][]*Value // by ID of a value: parameters that get it
	work    []*Value
	queued  []bool
	changed bool
}

func newTrivial(f *Func) *trivial {
	n := f.NumValues()
	t := &trivial{f: f, subst: NewSubst(f), in: make([][]*Value, n), users: make([][]*Value, n), queued: make([]bool, n)}
	for _, b := range f.Blocks {
		for _, e := range b.Term.Succs {
			for i, a := range e.Args {
				p := e.To.Params[i]
				t.in[p.ID] = append(t.in[p.ID], a)
				t.users[a.ID] = append(t.users[a.ID], p)
			}
		}
	}
	for _, b := range f.Blocks[1:] {
		for _, p := range b.Params {
			t.push(p)
		}
	}
	return t
}

func (t *trivial) push(p *Value) {
	if !t.queued[p.ID] {
		t.queued[p.ID] = true
		t.work = append(t.work, p)
	}
}

func (t *trivial) visit(p *Value) {
	if t.subst.Get(p) != p {
		return
	}
	x := t.only(p)
	if x == nil {
		return
	}
	if x.Op == OpConst {
		c := t.f.NewValue(OpConst, p.Type)
		c.Imm, c.Span = x.Imm, x.Span
		p.Block.Prepend(c)
		x = c
	}
	t.subst.Set(p, x)
	t.changed = true
	users := t.users[p.ID]
	for _, q := range users {
		t.push(q)
	}
	// Who follows p follows x from now on.
	if x.ID < len(t.users) {
		t.users[x.ID] = append(t.users[x.ID], users...)
	}
}

// only returns the one value that p gets, or nil.
func (t *trivial) only(p *Value) *Value {
	var x *Value
	for _, a := range t.in[p.ID] {
		a = t.subst.Get(a)
		switch {
		case a == p || a == x:
		case x == nil:
			x = a
		case a.Op == OpConst && x.Op == OpConst && a.Imm == x.Imm:
		default:
			return nil
		}
	}
	return x
}
