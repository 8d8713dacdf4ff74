package progtest

// integer makes an integer of any type.
func (g *gen) integer(depth int) *Expr {
	if depth <= 0 {
		return g.leaf()
	}
	switch n := g.IntN(40); {
	case n < 8:
		return g.leaf()
	case n < 20:
		return g.arithmetic(depth)
	case n < 23:
		return operation(g.varying(g.integer(depth-1)), pick(g, "<<", ">>"), g.shiftCount())
	case n < 26:
		return &Expr{Op: Unary, Text: pick(g, "-", "~"), Kids: []*Expr{g.varying(g.integer(depth - 1))}}
	case n < 30:
		return &Expr{Op: Cast, To: g.intType(), Kids: []*Expr{g.varying(g.integer(depth - 1))}}
	case n < 31:
		return &Expr{Op: Cast, To: g.intType(), Kids: []*Expr{g.boolean(depth - 1)}}
	case n < 34:
		return g.choice(int64Type(), depth-1)
	case n < 35:
		g.pure++
		defer func() { g.pure-- }()
		return &Expr{Op: Elvis, Kids: []*Expr{g.varying(g.integer(depth - 1)), g.integer(depth - 1)}}
	}
	return g.special(depth - 1)
}

// leaf is a literal, or what is stored or given.
func (g *gen) leaf() *Expr {
	switch n := g.IntN(8); {
	case n == 0:
		return &Expr{Op: Lit, N: g.Uint64N(128)}
	case n == 1:
		return &Expr{Op: Lit, N: g.number()}
	case n == 2:
		return &Expr{Op: Lit, Text: "-", N: g.number()>>g.IntN(64)>>1 | 1}
	case n < 5 && g.inFor == 0:
		return g.argument()
	}
	if x := g.stored(int64Type()); x != nil {
		return x
	}
	return g.varying(&Expr{Op: Lit})
}

// arithmetic makes an operation that is no shift. Operations on two literals
// are those that can be folded for certain.
func (g *gen) arithmetic(depth int) *Expr {
	a, b := g.operand(depth-1), g.operand(depth-1)
	if !isLit(a) || !isLit(b) {
		return operation(a, pick(g, "+", "-", "*", "/", "%", "&", "|", "^"), b)
	}
	a, b = &Expr{Op: Lit, N: g.Uint64N(1 << 20)}, &Expr{Op: Lit, N: 1 + g.Uint64N(40)}
	if g.IntN(2) == 0 {
		a.Text, a.N = "-", a.N+1
	}
	return operation(a, pick(g, "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"), b)
}

// operand makes an operand: an integer, or an aggregation as it is.
func (g *gen) operand(depth int) *Expr {
	x := g.integer(depth)
	if x.Op == Cast && x.Kids[0].Op == MapRead && sameType(x.To, int64Type()) && g.IntN(2) == 0 {
		return x.Kids[0]
	}
	return x
}

// shiftCount is a number below 64.
func (g *gen) shiftCount() *Expr {
	if g.IntN(2) == 0 {
		return &Expr{Op: Lit, N: g.Uint64N(64)}
	}
	return operation(g.varying(g.integer(1)), "&", &Expr{Op: Lit, N: 63})
}

// special makes an integer of something that is none, or changes one.
func (g *gen) special(depth int) *Expr {
	switch g.IntN(9) {
	case 0:
		return &Expr{Op: Call, Name: "bswap", Kids: []*Expr{g.varying(g.integer(depth))}}
	case 1:
		return &Expr{Op: Call, Name: "strlen", Kids: []*Expr{g.varyingStr(depth)}}
	case 2:
		n := &Expr{Op: Lit, N: 1 + g.Uint64N(8)}
		return &Expr{Op: Call, Name: "strncmp", Kids: []*Expr{g.varyingStr(depth), g.str(strType(12), depth), n}}
	case 3:
		return &Expr{Op: Call, Name: "strstr", Kids: []*Expr{g.varyingStr(depth), g.needle(depth)}}
	case 4:
		t := g.arrayType()
		return &Expr{Op: Index, Kids: []*Expr{g.array(t, depth), g.index(t)}}
	case 5:
		t := g.arrayType()
		return &Expr{Op: Cast, To: intType(8*t.size(), g.IntN(2) == 0), Kids: []*Expr{g.array(t, depth)}}
	case 6:
		if m := g.mapWith(func(m *mapVar) bool { return m.key != nil }); m != nil && g.ordered == 0 && g.feat.ForEachMapElem {
			return &Expr{Op: Len, Name: m.name}
		}
	case 7:
		t := g.tupleType(1)
		if x := g.field(g.tuple(t, depth), t, int64Type()); x != nil {
			return x
		}
	}
	if v := g.visible(func(v *variable) bool { return v.t.Kind == Int && !v.locked }); v != nil && g.pure == 0 && g.ordered == 0 {
		return g.incDec(v)
	}
	return g.leaf()
}

// index is an index of an array: a literal in range, or any number.
func (g *gen) index(t *Type) *Expr {
	if g.IntN(2) == 0 {
		return &Expr{Op: Lit, N: g.Uint64N(uint64(t.Len))}
	}
	return g.varying(g.integer(1))
}

// condition is what may stand in an if.
func (g *gen) condition(depth int) *Expr {
	if x := g.asksPointer(true); x != nil {
		return x
	}
	if g.IntN(4) == 0 {
		return g.varying(g.integer(depth))
	}
	return g.boolean(depth)
}

// boolean makes a boolean that is no literal.
func (g *gen) boolean(depth int) *Expr {
	if depth <= 0 {
		return g.compareInts(0)
	}
	if x := g.asksPointer(false); x != nil {
		return x
	}
	switch n := g.IntN(20); {
	case n < 7:
		return g.compareInts(depth - 1)
	case n < 10:
		return &Expr{Op: Logical, Text: pick(g, "&&", "||"), Kids: []*Expr{g.condition(depth - 1), g.condition(depth - 1)}}
	case n < 12:
		return &Expr{Op: Unary, Text: "!", Kids: []*Expr{g.condition(depth - 1)}}
	case n < 13:
		return &Expr{Op: Cast, To: boolType(), Kids: []*Expr{g.varying(g.integer(depth - 1))}}
	case n < 15:
		return operation(g.varyingStr(depth-1), pick(g, "==", "!="), g.str(strType(12), depth-1))
	case n < 16:
		return &Expr{Op: Call, Name: "strcontains", Kids: []*Expr{g.varyingStr(depth - 1), g.needle(depth - 1)}}
	case n < 17:
		t := g.valueType(2)
		if t.Kind == Tuple || t.Kind == Array {
			return operation(g.value(t, depth-1), pick(g, "==", "!="), g.value(t, depth-1))
		}
	case n < 19:
		if x := g.asksMap(); x != nil {
			return x
		}
	}
	return g.compareInts(depth - 1)
}

func (g *gen) compareInts(depth int) *Expr {
	a, b := g.operand(depth), g.operand(depth)
	if isLit(a) && isLit(b) {
		a = g.varying(a)
	}
	return operation(a, pick(g, "==", "!=", "<", "<=", ">", ">="), b)
}

// asksMap makes a boolean about an element of a map.
func (g *gen) asksMap() *Expr {
	if g.ordered > 0 {
		return nil
	}
	m := g.mapWith(func(m *mapVar) bool { return m.key != nil })
	switch {
	case m == nil:
		return nil
	case g.pure == 0 && g.IntN(3) == 0:
		return g.remove()
	case g.pure == 0 && g.IntN(3) == 0 && g.readable(m):
		v := g.visible(func(v *variable) bool { return !v.locked && matches(m.val, v.t) })
		if v != nil {
			return &Expr{Op: Find, Name: m.name, Text: v.name, Kids: g.wholeKey(m)}
		}
	}
	return &Expr{Op: HasKey, Name: m.name, Kids: g.wholeKey(m)}
}
