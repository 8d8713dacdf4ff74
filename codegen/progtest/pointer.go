package progtest

// place is what a pointer points to: a variable, or the value of a scalar map.
type place struct {
	v     Value
	t     *Type
	gone  bool // the scope of the variable has ended
	table *table
}

// address infers &$x and &@m.
func (c *checker) address(x *Expr) info {
	var s *slot
	if x.Op == AddrVar {
		s = c.variable(x.Name)
	} else {
		m := c.mapOf(x.Name, true)
		if m.agg != "" {
			c.fail("@%s has no address", x.Name)
		}
		s = &m.val
	}
	if s.t == nil {
		return info{}
	}
	return info{t: ptrType(s.t)}
}

// follow gives s, a pointer, the type of x if it has its type from the same
// expression: what lies there may have been widened since.
func (c *checker) follow(s *slot, x info) bool {
	if s.t.Kind != Ptr || x.t.Kind != Ptr || x.from == nil || s.from != x.from {
		return false
	}
	if !sameType(s.t, x.t) {
		s.t, c.changed = x.t, true
	}
	return true
}

// noAddress refuses addresses where they would be seen.
func (c *checker) noAddress(x *Expr) {
	if x.info.t != nil && x.info.t.Kind == Ptr {
		c.fail("the address %s is seen", expr(x))
	}
}

// asksNull reports whether x compares a pointer with zero.
func asksNull(x *Expr) bool {
	a, b := x.Kids[0], x.Kids[1]
	return a.info.t.Kind == Ptr && b.Op == Lit && b.N == 0 && (x.Text == "==" || x.Text == "!=")
}

// narrows reports whether a pointer to the type from may be read as one to the
// type to: the first bytes of an integer.
func narrows(from, to *Type) bool {
	return sameType(from, to) || from.Kind == Int && to.Kind == Int && to.Bits <= from.Bits
}

// variable returns the place of a variable. It does not exist only where a part
// of a script was taken away.
func (m *machine) variable(name string) *place {
	p := m.vars[name]
	if p == nil {
		m.fail(errUnspecified)
		return &place{t: m.s.vars[name].t, v: zero(m.s.vars[name].t)}
	}
	return p
}

// set assigns to a variable, which it declares if it does not exist.
func (m *machine) set(name string, v Value) {
	p := m.vars[name]
	if p == nil {
		p = &place{t: m.s.vars[name].t}
		m.vars[name] = p
		m.visible = append(m.visible, name)
	}
	p.v = v
}

// leave ends the scope of all but the first n visible variables.
func (m *machine) leave(n int) {
	for _, name := range m.visible[n:] {
		m.vars[name].gone = true
		delete(m.vars, name)
	}
	m.visible = m.visible[:n]
}

// blockExpr evaluates a block with a value.
func (m *machine) blockExpr(x *Expr) Value {
	defer m.leave(len(m.visible))
	if m.statements(x.Body) != next {
		m.fail(errUnspecified)
		return zero(x.info.t)
	}
	return m.eval(x.Kids[0])
}

// behind reads a value of type t through p. There is nothing behind null.
func (m *machine) behind(p Value, t *Type) Value {
	if p.P == nil {
		return zero(t)
	}
	v, have := p.P.v, p.P.t
	if p.P.table != nil {
		v, have = p.P.table.scalar()
	}
	switch {
	case p.P.gone:
	case sameType(have, t):
		return v
	case narrows(have, t):
		return fromBytes(toBytes(v, have)[:t.size()], t)
	}
	m.fail(errUnspecified)
	return zero(t)
}

// scalar returns the value of a scalar map and its type.
func (t *table) scalar() (Value, *Type) {
	if e := t.elems[""]; e != nil {
		return e.val, t.t.val.t
	}
	return zero(t.t.val.t), t.t.val.t
}
