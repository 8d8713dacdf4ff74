package progtest

import "fmt"

const maxDepth = 4

// statements makes a block of what is left, a part of it if nested.
func (g *gen) statements() *Block {
	b := &Block{}
	n := g.left
	if g.depth > 0 {
		n = 1 + g.IntN(4)
	}
	g.depth++
	g.scoped(func() {
		for range n {
			if g.left <= 0 {
				break
			}
			g.left--
			s := g.statement()
			b.Stmts = append(b.Stmts, s)
			if s.Op == Break || s.Op == Continue || s.Op == Return || s.Op == Exit {
				if g.IntN(4) > 0 {
					break
				}
			}
		}
	})
	g.depth--
	return b
}

func (g *gen) statement() *Stmt {
	if g.points() && g.IntN(5) == 0 {
		return g.pointing()
	}
	n := g.IntN(100)
	switch {
	case n < 18:
		return g.let()
	case n < 36:
		return g.assignVar()
	case n < 54:
		return g.setMap(g.maps[g.IntN(len(g.maps))], 3)
	case n < 64:
		return g.output()
	case n < 69:
		return g.effect()
	case n < 72:
		return g.leave()
	}
	if g.depth >= maxDepth {
		return g.assignVar()
	}
	switch {
	case n < 84:
		return g.branch()
	case n < 94:
		return g.loop()
	case n < 97 && g.feat.ForEachMapElem:
		if s := g.forMap(); s != nil {
			return s
		}
	}
	return &Stmt{Op: Scope, Blocks: []*Block{g.statements()}}
}

// let declares a variable: with a type, with a value, or both.
func (g *gen) let() *Stmt {
	s := &Stmt{Op: Let, Name: g.name()}
	v := &variable{name: s.Name, t: g.valueType(2)}
	if g.IntN(3) == 0 && (v.t.Kind == Int || v.t.Kind == Str || v.t.Kind == Bool) {
		s.Type, v.fixed = v.t, true
	}
	if s.Type == nil || g.IntN(3) > 0 {
		s.X = []*Expr{g.initial(v.t, s.Type != nil)}
	}
	g.vars = append(g.vars, v)
	return s
}

// initial makes a value for a variable. Literals fit what is declared; the
// first of several assignments is of a definite type.
func (g *gen) initial(t *Type, declared bool) *Expr {
	x := g.value(t, 3)
	if !isLit(x) {
		return x
	}
	switch {
	case t.Kind == Int && declared:
		return &Expr{Op: Lit, N: g.Uint64N(128)}
	case t.Kind == Str && declared:
		return &Expr{Op: StrLit, Text: g.text(t.Cap - 1)}
	case t.Kind == Int:
		return &Expr{Op: Cast, To: t, Kids: []*Expr{x}}
	}
	return x
}

func (g *gen) assignVar() *Stmt {
	v := g.visible(func(v *variable) bool { return !v.locked })
	if v == nil {
		return g.let()
	}
	if v.t.Kind == Int && g.IntN(3) == 0 {
		return g.compoundAssign(&Expr{Op: Var, Name: v.name}, g.operators())
	}
	return &Stmt{Op: Assign, Text: "=", X: []*Expr{{Op: Var, Name: v.name}, g.initial(v.t, true)}}
}

// operators are the operators of arithmetic without shifts, or those that do
// not depend on the order of operands.
func (g *gen) operators() []string {
	if g.ordered > 0 {
		return []string{"+", "^", "|"}
	}
	return []string{"+", "-", "*", "/", "%", "&", "|", "^"}
}

func (g *gen) compoundAssign(to *Expr, ops []string) *Stmt {
	g.pure++
	defer func() { g.pure-- }()
	x := g.varying(g.integer(2))
	if g.ordered == 0 && g.IntN(4) == 0 {
		return &Stmt{Op: Assign, Text: pick(g, "<<=", ">>="), X: []*Expr{to, g.shiftCount()}}
	}
	return &Stmt{Op: Assign, Text: pick(g, ops...) + "=", X: []*Expr{to, x}}
}

// setMap changes an element of m.
func (g *gen) setMap(m *mapVar, depth int) *Stmt {
	if g.ordered > 0 || m.locked > 0 {
		return g.orderless()
	}
	m.assigned = true
	g.pure++ // the order of key and value is not specified
	defer func() { g.pure-- }()
	to := &Expr{Op: MapRead, Name: m.name, Kids: g.key(m)}
	if m.agg != "" {
		g.updated = m
		defer func() { g.updated = nil }()
		s := &Stmt{Op: Agg, Text: m.agg, X: []*Expr{to}, Params: m.params}
		if m.agg != "count" {
			s.X = append(s.X, g.varying(g.integer(depth)))
		}
		return s
	}
	if m.val.Kind == Int && g.IntN(3) == 0 {
		if g.IntN(2) == 0 {
			return &Stmt{Op: Eval, X: []*Expr{{Op: IncDec, Text: pick(g, "++", "--"), N: g.Uint64N(2), Kids: []*Expr{to}}}}
		}
		return g.compoundAssign(to, g.operators())
	}
	if m.key == nil {
		g.pure--
		defer func() { g.pure++ }()
	}
	x := g.value(m.val, depth)
	if isLit(x) && m.val.Kind == Int {
		x = &Expr{Op: Cast, To: m.val, Kids: []*Expr{x}}
	}
	return &Stmt{Op: Assign, Text: "=", X: []*Expr{to, x}}
}

// orderless is a statement whose effects do not depend on the order in which
// it is run with several values.
func (g *gen) orderless() *Stmt {
	if g.IntN(2) == 0 {
		m := g.mapWith(func(m *mapVar) bool { return m.agg != "" && m.locked == 0 })
		if m != nil {
			m.assigned = true
			s := &Stmt{Op: Agg, Text: m.agg, X: []*Expr{{Op: MapRead, Name: m.name, Kids: g.key(m)}}, Params: m.params}
			if m.agg != "count" {
				s.X = append(s.X, g.varying(g.integer(2)))
			}
			return s
		}
	}
	if v := g.visible(func(v *variable) bool { return v.t.Kind == Int && !v.locked }); v != nil && g.ordered == 0 {
		return g.compoundAssign(&Expr{Op: Var, Name: v.name}, []string{"+"})
	}
	return g.compoundAssign(&Expr{Op: MapRead, Name: "n"}, []string{"+"})
}

// effect is a statement for the effect of an expression.
func (g *gen) effect() *Stmt {
	if g.ordered > 0 {
		return g.orderless()
	}
	switch g.IntN(3) {
	case 0:
		if v := g.visible(func(v *variable) bool { return v.t.Kind == Int && !v.locked }); v != nil {
			return &Stmt{Op: Eval, X: []*Expr{g.incDec(v)}}
		}
	case 1:
		if x := g.remove(); x != nil {
			return &Stmt{Op: Discard, X: []*Expr{x}}
		}
	}
	return &Stmt{Op: Discard, X: []*Expr{g.value(g.valueType(1), 3)}}
}

func (g *gen) incDec(v *variable) *Expr {
	return &Expr{Op: IncDec, Text: pick(g, "++", "--"), N: g.Uint64N(2), Kids: []*Expr{{Op: Var, Name: v.name}}}
}

// output emits a record.
func (g *gen) output() *Stmt {
	if g.ordered > 0 {
		return g.orderless()
	}
	switch g.IntN(8) {
	case 0:
		m := g.maps[g.IntN(len(g.maps))]
		return &Stmt{Op: MapEvent, Text: pick(g, "print", "clear", "zero"), Name: m.name}
	case 1, 2:
		x := g.value(g.valueType(2), 2)
		if x.Op != MapRead || len(x.Kids) > 0 {
			return &Stmt{Op: Print, X: []*Expr{x}}
		}
	}
	s := &Stmt{Op: Printf, Text: fmt.Sprintf("p%d", g.count)}
	g.count++
	for range g.IntN(4) {
		t := g.valueType(2)
		s.X = append(s.X, g.value(t, 2))
		verb := " %s"
		if t.Kind == Int {
			verb = pick(g, " %d", " %u", " %x", " %lld", " %llx", " %hhd", " %s")
		}
		s.Text += verb
	}
	return s
}

// leave leaves a loop or the probe, seldom at once.
func (g *gen) leave() *Stmt {
	if g.depth < 2 {
		return g.effect()
	}
	n := len(g.loops)
	switch {
	case g.held > 0:
		return g.effect()
	case n > 0 && g.loops[n-1] && g.ordered == 0:
		return &Stmt{Op: pick(g, Break, Continue)}
	case n > 0 && g.loops[n-1]:
		return &Stmt{Op: Continue}
	case g.ordered > 0:
		return g.orderless()
	case g.inFor == 0 && g.IntN(3) == 0:
		s := &Stmt{Op: Exit}
		if g.IntN(2) == 0 {
			s.X = []*Expr{g.varying(g.integer(1))}
		}
		return s
	}
	s := &Stmt{Op: Return}
	if g.IntN(4) > 0 {
		s.X = []*Expr{g.varying(g.integer(2))}
	}
	return s
}

func (g *gen) branch() *Stmt {
	s := &Stmt{Op: If, X: []*Expr{g.condition(3)}, Blocks: []*Block{g.statements()}}
	if g.IntN(2) == 0 {
		s.Blocks = append(s.Blocks, g.statements())
	}
	return s
}

// loop makes a loop with few turns.
func (g *gen) loop() *Stmt {
	switch n := g.IntN(10); {
	case n < 2:
		s := &Stmt{Op: Unroll, N: 1 + g.Uint64N(4)}
		s.Blocks = []*Block{g.body(false, nil)}
		return s
	case n < 4:
		return g.while()
	}
	s := &Stmt{Op: ForRange, Name: g.name()}
	low := g.Uint64N(4)
	s.X = []*Expr{{Op: Lit, N: low}, {Op: Lit, N: low + g.Uint64N(7)}}
	if g.IntN(4) == 0 {
		s.X[0] = &Expr{Op: Lit, N: 1 + g.Uint64N(3), Text: "-"}
	}
	if g.feat.BPFLoop && g.IntN(2) == 0 {
		s.X[1] = operation(g.varying(g.integer(1)), "&", &Expr{Op: Lit, N: pick(g, uint64(3), 7, 15)})
	}
	g.inFor++
	s.Blocks = []*Block{g.body(true, &variable{name: s.Name, t: int64Type(), locked: g.IntN(2) == 0, fixed: true})}
	g.inFor--
	return s
}

func (g *gen) body(breaks bool, v *variable) *Block {
	g.loops = append(g.loops, breaks)
	var b *Block
	g.scoped(func() {
		if v != nil {
			g.vars = append(g.vars, v)
		}
		b = g.statements()
	})
	g.loops = g.loops[:len(g.loops)-1]
	return b
}

// while makes a block with a loop that counts its turns.
func (g *gen) while() *Stmt {
	name := g.name()
	counter := func() *Expr { return &Expr{Op: Var, Name: name} }
	out := &Block{Stmts: []*Stmt{{Op: Let, Name: name, X: []*Expr{{Op: Lit}}}}}
	cond := operation(counter(), "<", &Expr{Op: Lit, N: 1 + g.Uint64N(5)})
	g.scoped(func() {
		g.vars = append(g.vars, &variable{name: name, t: int64Type(), locked: true})
		if g.IntN(2) == 0 {
			g.pure++
			cond = &Expr{Op: Logical, Text: "&&", Kids: []*Expr{cond, g.boolean(2)}}
			g.pure--
		}
		body := g.body(true, nil)
		step := &Stmt{Op: Eval, X: []*Expr{{Op: IncDec, Text: "++", Kids: []*Expr{counter()}}}}
		body.Stmts = append([]*Stmt{step}, body.Stmts...)
		out.Stmts = append(out.Stmts, &Stmt{Op: While, X: []*Expr{cond}, Blocks: []*Block{body}})
	})
	return &Stmt{Op: Scope, Blocks: []*Block{out}}
}

// forMap makes a loop over a map, or nil if there is none that allows it.
func (g *gen) forMap() *Stmt {
	if g.ordered > 0 { // the number of turns may hang on what the loop around has changed
		return nil
	}
	m := g.mapWith(func(m *mapVar) bool {
		if m.agg != "" && !g.feat.PerCPULookup || m.locked > 0 {
			return false
		}
		return m.key != nil && m.agg != "hist" && m.agg != "lhist" && m.agg != "stats"
	})
	if m == nil {
		return nil
	}
	s := &Stmt{Op: ForMap, Name: g.name(), Text: m.name}
	outer, ptrs := g.vars, g.ptrs
	sum := g.visible(func(v *variable) bool { return v.t.Kind == Int && !v.locked })
	g.vars, g.ptrs = nil, nil
	m.locked++
	g.ordered++
	g.inFor++
	val := m.val
	body := g.body(true, &variable{name: s.Name, t: tupleType(nil, []*Type{m.key, val}), locked: true})
	g.vars = append(g.vars[:0:0], &variable{name: s.Name, t: tupleType(nil, []*Type{m.key, val}), locked: true})
	body.Stmts = append(body.Stmts, g.visit(m, s.Name, sum)...)
	body.Stmts = append(body.Stmts, g.visitBehind(ptrs, sum)...)
	g.inFor--
	g.ordered--
	m.locked--
	g.vars, g.ptrs = outer, ptrs
	s.Blocks = []*Block{body}
	return s
}

// visit makes statements about the element that a loop over m is at.
func (g *gen) visit(m *mapVar, name string, sum *variable) []*Stmt {
	var out []*Stmt
	if sum != nil {
		g.pure++
		x := g.varying(g.integer(2))
		g.pure--
		out = append(out, &Stmt{Op: Assign, Text: pick(g, "+=", "^="), X: []*Expr{{Op: Var, Name: sum.name}, x}})
	}
	if g.ordered == 1 && g.IntN(3) == 0 {
		x := &Expr{Op: Delete, Name: m.name, Kids: []*Expr{{Op: Field, Kids: []*Expr{{Op: Var, Name: name}}}}}
		out = append(out, &Stmt{Op: Discard, X: []*Expr{x}})
	}
	return out
}
