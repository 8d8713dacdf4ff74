package progtest

import "strings"

// eval evaluates x; operands from left to right, each once.
func (m *machine) eval(x *Expr) Value {
	if m.steps++; m.steps > maxSteps {
		m.fail(ErrLimit)
		return zero(x.info.t)
	}
	switch x.Op {
	case Lit:
		return Value{N: x.info.n}
	case BoolLit:
		return Value{N: x.N}
	case StrLit:
		return Value{S: x.Text}
	case Var:
		return m.variable(x.Name).v
	case Arg:
		return Value{N: m.in.Args[x.N]}
	case ArgField:
		return m.argument(x)
	case Builtin:
		return map[string]Value{"comm": {S: m.in.Comm}, "pid": {N: uint64(m.in.Pid)}, "tid": {N: uint64(m.in.Tid)}}[x.Name]
	case MapRead:
		return m.read(x)
	case HasKey, Delete, Find, Len:
		return m.mapCall(x)
	case AddrVar:
		return Value{N: 1, P: m.variable(x.Name)}
	case AddrMap:
		return Value{N: 1, P: &place{table: m.maps[x.Name]}}
	}
	return m.operator(x)
}

func (m *machine) argument(x *Expr) Value {
	for i, a := range ArgTypes() {
		if a.Name == x.Name {
			return Value{N: extend(m.in.Args[i], x.info.t)}
		}
	}
	return Value{}
}

func (m *machine) read(x *Expr) Value {
	t := m.maps[x.Name]
	e := t.find(m.key(t, x))
	if e == nil {
		return zero(x.info.t)
	}
	return t.number(e)
}

// number is the value of e; of an aggregation the combined number.
func (t *table) number(e *elem) Value {
	if t.t.agg == "" {
		return e.val
	}
	return Value{N: e.agg.number(t.t)}
}

func (m *machine) mapCall(x *Expr) Value {
	t := m.maps[x.Name]
	if x.Op == Len {
		return Value{N: uint64(len(t.elems))}
	}
	key := m.key(t, x)
	e := t.find(key)
	switch {
	case x.Op == Delete:
		delete(t.elems, t.text(key))
	case x.Op == Find && e != nil:
		m.set(x.Text, convert(t.number(e), t.t.number(), m.s.vars[x.Text].t))
	}
	return truth(e != nil)
}

func (m *machine) operator(x *Expr) Value {
	switch x.Op {
	case Logical:
		if a := m.eval(x.Kids[0]).N != 0; a == (x.Text == "||") {
			return truth(a)
		}
		return truth(m.eval(x.Kids[1]).N != 0)
	case Cond, IfExpr, Elvis:
		pick := x.Kids[len(x.Kids)-1]
		if m.eval(x.Kids[0]).N != 0 {
			pick = x.Kids[len(x.Kids)-2]
		}
		return convert(m.eval(pick), pick.info.t, x.info.t)
	case BlockExpr:
		return m.blockExpr(x)
	case IncDec:
		return m.incDec(x)
	}
	kids := make([]Value, len(x.Kids))
	for i, k := range x.Kids {
		kids[i] = m.eval(k)
	}
	return m.apply(x, kids)
}

// apply computes an operation on values that have been evaluated.
func (m *machine) apply(x *Expr, kids []Value) Value {
	from := x.Kids[0].info.t
	switch x.Op {
	case Unary:
		switch x.Text {
		case "!":
			return truth(kids[0].N == 0)
		case "~":
			return Value{N: ^kids[0].N}
		}
		return Value{N: -kids[0].N}
	case Binary:
		if compares(x.Text) {
			return m.compare(x, kids[0], kids[1])
		}
		if x.info.lit {
			return Value{N: x.info.n}
		}
		return Value{N: m.compute(x.Text, kids[0].N, kids[1].N)}
	case Cast:
		return convert(kids[0], from, x.To)
	case MakeTuple:
		return Value{L: kids}
	case Deref:
		return m.behind(kids[0], x.info.t)
	case Field:
		return kids[0].L[fieldOf(from, x)]
	case Index:
		if at := kids[1].N; at < uint64(len(kids[0].L)) {
			return kids[0].L[at]
		}
		return zero(x.info.t)
	}
	return m.call(x, kids)
}

// compare joins the types of the operands and compares as that type.
func (m *machine) compare(x *Expr, a, b Value) Value {
	if asksNull(x) {
		return truth((a.N == 0) == (x.Text == "=="))
	}
	ai, bi := x.Kids[0].info, x.Kids[1].info
	t := join(ai.t, ai.flex, bi.t, bi.flex)
	a, b = convert(a, ai.t, t), convert(b, bi.t, t)
	same, less := equal(a, b), a.N < b.N
	if t.Kind == Int && t.Signed {
		less = int64(a.N) < int64(b.N)
	}
	switch x.Text {
	case "==":
		return truth(same)
	case "!=":
		return truth(!same)
	case "<":
		return truth(less)
	case "<=":
		return truth(less || same)
	case ">":
		return truth(!less && !same)
	}
	return truth(!less)
}

func (m *machine) incDec(x *Expr) Value {
	to := x.Kids[0]
	var old Value
	var set func(Value)
	if to.Op == Var {
		p := m.variable(to.Name)
		old = p.v
		set = func(v Value) { p.v = v }
	} else {
		t := m.maps[to.Name]
		e := t.insert(m.key(t, to))
		old = e.val
		set = func(v Value) { e.val = v }
	}
	now := Value{N: extend(old.N+1, x.info.t)}
	if x.Text == "--" {
		now.N = extend(old.N-1, x.info.t)
	}
	set(now)
	if x.N == 1 {
		return now
	}
	return old
}

func (m *machine) call(x *Expr, kids []Value) Value {
	switch x.Name {
	case "bswap":
		return Value{N: bswap(kids[0].N, x.info.t.Bits)}
	case "strlen":
		return Value{N: uint64(len(kids[0].S))}
	case "strcontains":
		return truth(strings.Contains(kids[0].S, kids[1].S))
	case "strstr":
		return Value{N: uint64(strings.Index(kids[0].S, kids[1].S))}
	case "strncmp":
		n := int(x.Kids[2].N)
		a, b := kids[0].S, kids[1].S
		return truth(a[:min(n, len(a))] != b[:min(n, len(b))])
	}
	s := kids[0].S + kids[1].S
	return Value{S: s[:min(len(s), m.s.maxStrlen()-1)]}
}
