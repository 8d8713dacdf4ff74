package progtest

import "fmt"

// pointerEvery: the scripts of one in so many seeds have pointers.
const pointerEvery = 3

// pointer is a variable that holds an address, or null. What it may point to has
// been declared before, so that it exists as long as the pointer.
type pointer struct {
	name   string
	elem   *Type
	fixed  bool        // elem is the type, not one that goes with it
	locked bool        // not to be changed: its own address is taken
	deep   *pointer    // it points to that pointer
	outer  int         // variables that were visible when it was declared
	vars   []*variable // what it may point to
	maps   []*mapVar
}

// points reports whether the script has pointers.
func (g *gen) points() bool { return g.s.Seed%pointerEvery == 0 }

// pointing is a statement about pointers.
func (g *gen) pointing() *Stmt {
	if len(g.ptrs) == 0 {
		return g.point()
	}
	switch n := g.IntN(10); {
	case n < 2:
		return g.point()
	case n < 3:
		return g.redirect()
	case n < 5:
		return g.storeBehind(g.pointer())
	case n < 7 && g.depth < maxDepth:
		if s := g.hold(); s != nil {
			return s
		}
	}
	if g.depth < maxDepth {
		return g.late()
	}
	return g.storeBehind(g.pointer())
}

func (g *gen) pointer() *pointer { return g.ptrs[g.IntN(len(g.ptrs))] }

// point declares a pointer.
func (g *gen) point() *Stmt {
	p := &pointer{name: g.name(), outer: len(g.vars)}
	if q := g.plain(); q != nil && g.IntN(6) == 0 {
		return g.pointToPointer(p, q)
	}
	s := &Stmt{Op: Let, Name: p.name}
	x := g.place(p)
	if x == nil {
		return g.let()
	}
	s.X = []*Expr{x}
	if p.fixed && g.IntN(6) == 0 { // declared with its type, and perhaps null
		s.Type = ptrType(p.elem)
		if g.IntN(2) == 0 {
			s.X = nil
		}
	}
	g.ptrs = append(g.ptrs, p)
	return s
}

// pointToPointer declares p, which holds the address of q.
func (g *gen) pointToPointer(p, q *pointer) *Stmt {
	q.locked = true
	p.deep, p.elem, p.vars, p.maps = q, q.elem, q.vars, q.maps
	g.ptrs = append(g.ptrs, p)
	return &Stmt{Op: Let, Name: p.name, X: []*Expr{{Op: AddrVar, Name: q.name}}}
}

// plain returns a pointer to what is no pointer, or nil.
func (g *gen) plain() *pointer {
	for _, p := range g.ptrs {
		if p.deep == nil {
			return p
		}
	}
	return nil
}

// place makes an address that p, which is being declared, gets: of one variable
// or map, or of one of two variables of the same type. nil if there is none.
func (g *gen) place(p *pointer) *Expr {
	m := g.mapWith(func(m *mapVar) bool { return m.key == nil && m.agg == "" && m.name != "n" })
	if m != nil && g.ordered == 0 && g.IntN(3) == 0 {
		p.elem, p.maps = m.val, []*mapVar{m}
		return &Expr{Op: AddrMap, Name: m.name}
	}
	v := g.visible(func(*variable) bool { return true })
	if v == nil {
		return nil
	}
	p.elem, p.fixed, p.vars = v.t, v.fixed, []*variable{v}
	x := &Expr{Op: AddrVar, Name: v.name}
	w := g.visible(func(w *variable) bool { return w != v && w.fixed && v.fixed && sameType(v.t, w.t) })
	if w == nil || g.IntN(3) > 0 {
		return x
	}
	p.vars = append(p.vars, w)
	return &Expr{Op: pick(g, Cond, IfExpr), Kids: []*Expr{g.boolean(1), x, {Op: AddrVar, Name: w.name}}}
}

// redirect makes a pointer point to something else of the same type.
func (g *gen) redirect() *Stmt {
	p := g.pointer()
	if p.deep != nil || p.locked || !p.fixed {
		return g.storeBehind(p)
	}
	for _, v := range g.vars[:p.outer] {
		if v.fixed && sameType(v.t, p.elem) && g.IntN(2) == 0 {
			p.vars = append(p.vars, v)
			return &Stmt{Op: Assign, Text: "=", X: []*Expr{{Op: Var, Name: p.name}, {Op: AddrVar, Name: v.name}}}
		}
	}
	return g.storeBehind(p)
}

// storeBehind changes what p may point to. The statement declares nothing.
func (g *gen) storeBehind(p *pointer) *Stmt {
	if len(p.maps) > 0 {
		return g.setMap(p.maps[0], 2)
	}
	v := p.vars[g.IntN(len(p.vars))]
	to := &Expr{Op: Var, Name: v.name}
	switch {
	case v.locked:
		return g.effect()
	case v.t.Kind == Int && g.IntN(4) == 0:
		return &Stmt{Op: Eval, X: []*Expr{g.incDec(v)}}
	case v.t.Kind == Int && g.IntN(4) == 0:
		return g.compoundAssign(to, g.operators())
	}
	return &Stmt{Op: Assign, Text: "=", X: []*Expr{to, g.initial(v.t, true)}}
}

// late reads through a pointer, changes what is there and uses what was read if
// a condition holds.
func (g *gen) late() *Stmt {
	b := &Block{}
	g.depth++
	g.scoped(func() {
		p := g.pointer()
		v := &variable{name: g.name(), t: p.elem}
		b.Stmts = append(b.Stmts, &Stmt{Op: Let, Name: v.name, X: []*Expr{g.read(p)}})
		if g.IntN(3) > 0 {
			v.locked = true
		}
		g.vars = append(g.vars, v)
		if g.IntN(3) == 0 {
			b.Stmts = append(b.Stmts, g.statement())
		}
		b.Stmts = append(b.Stmts, g.maybe(g.storeBehind(p)), g.onlyIf(g.use(v)))
	})
	g.depth--
	return &Stmt{Op: Scope, Blocks: []*Block{b}}
}

// maybe returns s, sometimes under a condition.
func (g *gen) maybe(s *Stmt) *Stmt {
	if g.IntN(4) > 0 {
		return s
	}
	return g.onlyIf(s)
}

// onlyIf makes a branch around s.
func (g *gen) onlyIf(s *Stmt) *Stmt {
	out := &Stmt{Op: If, X: []*Expr{g.condition(2)}, Blocks: []*Block{{Stmts: []*Stmt{s}}}}
	if g.IntN(4) == 0 {
		out.Blocks = append(out.Blocks, g.statements())
	}
	return out
}

// use shows the value of v.
func (g *gen) use(v *variable) *Stmt {
	x := &Expr{Op: Var, Name: v.name}
	switch {
	case g.ordered > 0 && v.t.Kind == Int:
		return &Stmt{Op: Assign, Text: "+=", X: []*Expr{{Op: MapRead, Name: "n"}, x}}
	case g.ordered > 0:
		return g.orderless()
	case g.IntN(3) == 0:
		return &Stmt{Op: Print, X: []*Expr{x}}
	}
	s := &Stmt{Op: Printf, Text: fmt.Sprintf("p%d %%s", g.count), X: []*Expr{x}}
	g.count++
	return s
}

// hold keeps the address that a pointer holds in a map while a block runs; nil
// if that is not possible.
func (g *gen) hold() *Stmt {
	p := g.pointer()
	if g.ordered > 0 || p.deep != nil {
		return nil
	}
	m, key := g.name(), g.Uint64N(8)
	entry := func(op Op) *Expr {
		x := &Expr{Op: op, Name: m}
		if key < 4 {
			x.Kids = []*Expr{{Op: Lit, N: key}}
		}
		return x
	}
	b := &Block{Stmts: []*Stmt{{Op: Assign, Text: "=", X: []*Expr{entry(MapRead), {Op: Var, Name: p.name}}}}}
	g.held++
	g.scoped(func() {
		q := *p
		q.name, q.outer = g.name(), len(g.vars)
		copied := &Stmt{Op: Let, Name: q.name, X: []*Expr{entry(MapRead)}}
		v := &variable{name: g.name(), t: p.elem}
		read := &Stmt{Op: Let, Name: v.name, X: []*Expr{{Op: Deref, Kids: []*Expr{entry(MapRead)}}}}
		b.Stmts = append(b.Stmts, g.maybe(g.storeBehind(p)), copied, read)
		g.ptrs, g.vars = append(g.ptrs, &q), append(g.vars, v)
		b.Stmts = append(b.Stmts, g.statements().Stmts...)
		b.Stmts = append(b.Stmts, g.onlyIf(g.use(v)))
	})
	g.held--
	b.Stmts = append(b.Stmts, &Stmt{Op: Discard, X: []*Expr{entry(Delete)}})
	return &Stmt{Op: Scope, Blocks: []*Block{b}}
}

// read makes a read through p.
func (g *gen) read(p *pointer) *Expr {
	x := &Expr{Op: Var, Name: p.name}
	if p.deep != nil {
		x = g.deref(x)
	}
	if p.fixed && p.elem.Kind == Int && g.IntN(6) == 0 { // its first bytes
		t := intType(min(p.elem.Bits, g.intType().Bits), g.IntN(2) == 0)
		x = &Expr{Op: Cast, To: ptrType(t), Kids: []*Expr{x}}
	}
	return g.deref(x)
}

func (g *gen) deref(x *Expr) *Expr {
	return &Expr{Op: Deref, N: g.Uint64N(3) / 2, Kids: []*Expr{x}}
}

// behind makes a read through a pointer that goes with t, or of a field there;
// nil if there is none, and most of the time.
func (g *gen) behind(t *Type) *Expr {
	if len(g.ptrs) == 0 || g.IntN(3) > 0 {
		return nil
	}
	p := g.pointer()
	switch {
	case matches(p.elem, t):
		return g.read(p)
	case p.elem.Kind == Tuple:
		return g.field(g.read(p), p.elem, t)
	}
	return nil
}

// asksPointer makes a condition about a pointer, or nil. That of a boolean type
// is a comparison.
func (g *gen) asksPointer(any bool) *Expr {
	if len(g.ptrs) == 0 || g.IntN(8) > 0 {
		return nil
	}
	x := &Expr{Op: Var, Name: g.pointer().name}
	if any && g.IntN(2) == 0 {
		return x
	}
	return operation(x, pick(g, "==", "!="), &Expr{Op: Lit})
}

// visitBehind is the end of the body of a loop over a map: it changes a variable
// around the loop, which has the same value after each turn, and reads it
// through one of the pointers. sum may be changed in the loop.
func (g *gen) visitBehind(ptrs []*pointer, sum *variable) []*Stmt {
	if len(ptrs) == 0 || g.IntN(4) == 0 {
		return nil
	}
	p := ptrs[g.IntN(len(ptrs))]
	if len(p.vars) != 1 || p.vars[0].t.Kind != Int || p.vars[0].locked || p.vars[0] == sum {
		return nil
	}
	set := func(x *Expr) *Stmt {
		return &Stmt{Op: Assign, Text: "=", X: []*Expr{{Op: Var, Name: p.vars[0].name}, x}}
	}
	v := &variable{name: g.name(), t: p.elem, locked: true}
	return []*Stmt{
		set(g.varying(g.integer(1))),
		{Op: Let, Name: v.name, X: []*Expr{g.read(p)}},
		set(&Expr{Op: Lit, N: g.Uint64N(128)}),
		{Op: If, X: []*Expr{g.condition(1)}, Blocks: []*Block{{Stmts: []*Stmt{g.use(v)}}}},
	}
}
