package progtest

import "slices"

func operation(a *Expr, op string, b *Expr) *Expr {
	return &Expr{Op: Binary, Text: op, Kids: []*Expr{a, b}}
}

// isLit reports whether x is a literal or folded to one.
func isLit(x *Expr) bool {
	switch x.Op {
	case Lit, BoolLit, StrLit:
		return true
	case Field: // of a tuple made here
		t := x.Kids[0]
		if t.Op != MakeTuple {
			return false
		}
		if t.Names != nil {
			return isLit(t.Kids[slices.Index(t.Names, x.Name)])
		}
		return isLit(t.Kids[x.N])
	case Cast, Binary:
		return !slices.ContainsFunc(x.Kids, func(k *Expr) bool { return !isLit(k) })
	}
	return false
}

// varying returns x, or something else instead of a literal.
func (g *gen) varying(x *Expr) *Expr {
	if !isLit(x) {
		return x
	}
	if v := g.visible(func(v *variable) bool { return v.t.Kind == Int }); v != nil {
		return &Expr{Op: Var, Name: v.name}
	}
	switch {
	case g.inFor == 0:
		return g.argument()
	case g.ordered > 0:
		return &Expr{Op: Builtin, Name: pick(g, "pid", "tid")}
	}
	return &Expr{Op: MapRead, Name: "n"}
}

// argument is an argument of the event.
func (g *gen) argument() *Expr {
	n := g.IntN(MaxArgs)
	if g.IntN(2) == 0 {
		return &Expr{Op: Arg, N: uint64(n)}
	}
	return &Expr{Op: ArgField, Name: ArgTypes()[n].Name}
}

// value makes an expression of a type that goes with t.
func (g *gen) value(t *Type, depth int) *Expr {
	if t.Kind != Int && depth > 0 && g.IntN(3) == 0 {
		if x := g.stored(t); x != nil {
			return x
		}
	}
	if t.Kind != Int && depth > 1 && g.IntN(5) == 0 {
		return g.choice(t, depth-1)
	}
	switch t.Kind {
	case Int:
		return g.integer(depth)
	case Bool:
		if g.IntN(6) == 0 {
			return &Expr{Op: BoolLit, N: g.Uint64N(2)}
		}
		return g.boolean(depth)
	case Str:
		return g.str(t, depth)
	case Array:
		return g.array(t, depth)
	}
	return g.tuple(t, depth)
}

// stored reads a value of type t from a variable, an element of a map or a
// field, if there is one.
func (g *gen) stored(t *Type) *Expr {
	if x := g.behind(t); x != nil {
		return x
	}
	fits := func(v *variable) bool { return matches(v.t, t) }
	switch g.IntN(3) {
	case 0:
		if m := g.mapWith(func(m *mapVar) bool {
			return g.readable(m) && matches(m.val, t) && (m.key == nil || g.keys < maxKeys)
		}); m != nil {
			x := &Expr{Op: MapRead, Name: m.name, Kids: g.key(m)}
			if m.agg != "" { // computing and comparing work without, other uses need the number
				x = &Expr{Op: Cast, To: int64Type(), Kids: []*Expr{x}}
			}
			return x
		}
	case 1:
		if v := g.visible(func(v *variable) bool { return v.t.Kind == Tuple }); v != nil {
			return g.field(&Expr{Op: Var, Name: v.name}, v.t, t)
		}
	}
	if v := g.visible(fits); v != nil {
		return &Expr{Op: Var, Name: v.name}
	}
	return nil
}

// field returns a field of x, a tuple, that goes with t, or nil.
func (g *gen) field(x *Expr, of, t *Type) *Expr {
	start := g.IntN(len(of.Elems))
	for i := range of.Elems {
		i = (i + start) % len(of.Elems)
		f := &Expr{Op: Field, N: uint64(i), Kids: []*Expr{x}}
		if of.Names != nil {
			f.Name = of.Names[i]
		}
		if matches(of.Elems[i], t) {
			return f
		}
		if of.Elems[i].Kind == Tuple {
			if inner := g.field(f, of.Elems[i], t); inner != nil {
				return inner
			}
		}
	}
	return nil
}

// key makes the key of an access to m.
func (g *gen) key(m *mapVar) []*Expr {
	if m.key == nil {
		return nil
	}
	g.pure++
	g.keys++
	defer func() { g.pure--; g.keys-- }()
	if m.key.Kind == Tuple && m.key.Names == nil && len(m.key.Elems) > 1 && g.IntN(2) == 0 {
		var parts []*Expr
		for _, e := range m.key.Elems {
			parts = append(parts, g.element(e, 1))
		}
		return parts
	}
	return []*Expr{g.element(m.key, 1)}
}

// element makes a part of a tuple or key: integers of a definite type and often
// small, so that keys are met again.
func (g *gen) element(t *Type, depth int) *Expr {
	x := g.value(t, depth)
	if t.Kind != Int {
		return x
	}
	if g.IntN(2) == 0 {
		x = &Expr{Op: Lit, N: g.Uint64N(4)}
	}
	if isLit(x) || g.IntN(2) == 0 {
		return &Expr{Op: Cast, To: t, Kids: []*Expr{x}}
	}
	return x
}

func (g *gen) tuple(t *Type, depth int) *Expr {
	x := &Expr{Op: MakeTuple, Names: t.Names}
	for _, e := range t.Elems {
		x.Kids = append(x.Kids, g.element(e, max(0, depth-1)))
	}
	return x
}

func (g *gen) array(t *Type, depth int) *Expr {
	x := g.varying(g.integer(depth - 1))
	return &Expr{Op: Cast, To: t, Kids: []*Expr{{Op: Cast, To: intType(8*t.size(), g.IntN(2) == 0), Kids: []*Expr{x}}}}
}

// text is a text of at most n characters.
func (g *gen) text(n int) string {
	b := make([]byte, g.IntN(max(0, min(n, 12, g.s.maxStrlen()-1))+1))
	for i := range b {
		b[i] = "aabc"[g.IntN(4)]
	}
	return string(b)
}

func (g *gen) str(t *Type, depth int) *Expr {
	if depth > 0 {
		switch g.IntN(5) {
		case 0:
			return &Expr{Op: Builtin, Name: "comm"}
		case 1:
			a, b := g.str(t, depth-1), g.str(t, depth-1)
			if !isLit(a) || !isLit(b) {
				return &Expr{Op: Call, Name: "str_concat", Kids: []*Expr{a, b}}
			}
		}
		if x := g.stored(t); x != nil {
			return x
		}
	}
	return &Expr{Op: StrLit, Text: g.text(t.Cap - 1)}
}

// varyingStr is a string that is no literal.
func (g *gen) varyingStr(depth int) *Expr {
	if x := g.str(strType(12), depth); !isLit(x) {
		return x
	}
	return &Expr{Op: Builtin, Name: "comm"}
}

// maxNeedle is the setting max_strlen up to which any string may be searched for
// on kernels whose verifier walks the loop.
const maxNeedle = 64

// needle is a text to search for.
func (g *gen) needle(depth int) *Expr {
	if g.feat.BPFLoop || g.s.maxStrlen() <= maxNeedle {
		return g.str(strType(4), depth)
	}
	return &Expr{Op: StrLit, Text: g.text(3)}
}

// choice makes a value that depends on a condition.
func (g *gen) choice(t *Type, depth int) *Expr {
	cond := g.boolean(depth)
	a, b := g.value(t, depth), g.value(t, depth)
	switch n := g.IntN(8); {
	case n < 2:
		return &Expr{Op: IfExpr, Kids: []*Expr{cond, a, b}}
	case n < 4 && g.pure == 0 && g.depth < maxDepth && g.left > 0:
		return g.block(t, depth)
	}
	return &Expr{Op: Cond, Kids: []*Expr{cond, a, b}}
}

// block makes a block with a value. Statements that leave it are left out.
func (g *gen) block(t *Type, depth int) *Expr {
	x := &Expr{Op: BlockExpr, Body: &Block{}}
	g.scoped(func() {
		for range 1 + g.IntN(2) {
			g.left--
			statement := pick(g, g.let, g.assignVar)
			if g.points() && g.IntN(3) == 0 {
				statement = g.point
			}
			s := statement()
			x.Body.Stmts = append(x.Body.Stmts, s)
		}
		x.Kids = []*Expr{g.value(t, depth)}
	})
	return x
}

// remove deletes an element; nil if no map allows it.
func (g *gen) remove() *Expr {
	m := g.mapWith(func(m *mapVar) bool {
		return m.locked == 0 && m.name != "n" && (m.key != nil || m.agg == "" || g.feat.PerCPULookup)
	})
	if m == nil || g.ordered > 0 {
		return nil
	}
	return &Expr{Op: Delete, Name: m.name, Kids: g.wholeKey(m)}
}

// wholeKey makes a key as one expression.
func (g *gen) wholeKey(m *mapVar) []*Expr {
	k := g.key(m)
	if len(k) > 1 {
		return []*Expr{{Op: MakeTuple, Kids: k}}
	}
	return k
}
