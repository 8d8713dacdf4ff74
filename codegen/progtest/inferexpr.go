package progtest

import (
	"math/big"
	"slices"
)

// expr infers x and returns what it found, which is kept in x.
func (c *checker) expr(x *Expr) info {
	x.info = c.infer(x)
	x.info.from = x
	return x.info
}

func (c *checker) infer(x *Expr) info {
	switch x.Op {
	case Lit:
		return literal(x)
	case BoolLit:
		return info{t: boolType(), lit: true}
	case StrLit:
		return info{t: strType(len(x.Text) + 1), lit: true}
	case Var:
		return info{t: c.variable(x.Name).t}
	case Arg:
		return info{t: uint64Type()}
	case ArgField:
		for _, a := range ArgTypes() {
			if a.Name == x.Name {
				return info{t: intType(a.Bits, a.Signed)}
			}
		}
	case Builtin:
		if x.Name == "comm" {
			return info{t: strType(16)}
		}
		return info{t: intType(32, false)}
	case MapRead:
		m := c.mapOf(x.Name, len(x.Kids) == 0)
		c.key(m, x)
		return info{t: m.number()}
	case HasKey, Delete, Find, Len:
		return c.mapCall(x)
	case AddrVar, AddrMap:
		return c.address(x)
	}
	return c.operator(x)
}

func literal(x *Expr) info {
	n := x.N
	if x.Text == "-" {
		n = -n
	}
	i := info{lit: true, flex: x.Text == "" || x.N == 0, n: n}
	i.t = smallest(n, i.flex)
	return i
}

// smallest is the type of a literal: the smallest signed one that holds it.
func smallest(n uint64, flex bool) *Type {
	if flex && int64(n) < 0 {
		return uint64Type()
	}
	for _, bits := range []int{8, 16, 32} {
		if extend(n, intType(bits, true)) == n {
			return intType(bits, true)
		}
	}
	return int64Type()
}

func (c *checker) mapCall(x *Expr) info {
	m := c.mapOf(x.Name, x.Op == Delete && len(x.Kids) == 0)
	c.key(m, x)
	switch x.Op {
	case Find:
		if t := m.number(); t != nil {
			c.join(c.variable(x.Text), info{t: t}, x.Text)
		}
	case Len:
		return info{t: int64Type()}
	}
	return info{t: boolType()}
}

func (c *checker) operator(x *Expr) info {
	if x.Op == BlockExpr {
		c.block(x.Body)
	}
	unknown := false
	for _, k := range x.Kids {
		c.expr(k)
		c.numberOf(k)
		unknown = unknown || k.info.t == nil
	}
	switch {
	case unknown && (x.Op == Cond || x.Op == IfExpr):
		return c.known(x)
	case unknown:
		return info{}
	}
	switch x.Op {
	case Unary:
		return c.unary(x)
	case Binary:
		if compares(x.Text) {
			return c.compare(x)
		}
		return c.arithmetic(x.Text, x.Kids[0].info, x.Kids[1].info)
	case Logical:
		c.varying(x.Kids[0])
		c.condition(x.Kids[1])
		return info{t: boolType()}
	case Cond, IfExpr, Elvis:
		return c.choice(x)
	case BlockExpr:
		return info{t: x.Kids[0].info.t}
	case Cast:
		return c.cast(x)
	case MakeTuple:
		t := tupleType(x.Names, nil)
		for _, k := range x.Kids {
			c.noAddress(k)
			t.Elems = append(t.Elems, k.info.t)
		}
		return info{t: t}
	case IncDec:
		return c.incDec(x)
	}
	return c.access(x)
}

// varying checks a condition that must not be a literal: what becomes of
// those when compiling is not modelled.
func (c *checker) varying(x *Expr) {
	c.condition(x)
	if x.info.lit {
		c.fail("literal %s as a condition", expr(x))
	}
}

func (c *checker) unary(x *Expr) info {
	k := x.Kids[0].info
	switch {
	case k.lit:
		c.fail("%s of a literal", x.Text)
	case x.Text == "!":
		c.condition(x.Kids[0])
		return info{t: boolType()}
	case k.t.Kind != Int:
		c.fail("%s of %s", x.Text, k.t)
	}
	return info{t: intType(64, k.t.Signed)}
}

func compares(op string) bool {
	return slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, op)
}

// arithmetic is the type of a op b, 4.4.
func (c *checker) arithmetic(op string, a, b info) info {
	if a.t == nil || b.t == nil {
		return info{}
	}
	if a.t.Kind != Int || b.t.Kind != Int {
		c.fail("%s %s %s", a.t, op, b.t)
		return info{}
	}
	if a.lit && b.lit {
		return c.fold(op, a, b)
	}
	if (op == "<<" || op == ">>") && b.lit && b.n >= 64 {
		c.fail("shift by 64 or more")
	}
	signed := a.t.Signed || b.t.Signed
	switch {
	case a.flex:
		signed = b.t.Signed
	case b.flex:
		signed = a.t.Signed
	}
	return info{t: intType(64, signed || op == "-")}
}

// fold computes with literals: signed, and without overflow.
func (c *checker) fold(op string, a, b info) info {
	x, y, z := big.NewInt(int64(a.n)), big.NewInt(int64(b.n)), new(big.Int)
	shift := uint(b.n & 63)
	switch {
	case a.cast || b.cast || !a.t.Signed || !b.t.Signed:
		c.fail("folding of casts")
	case (op == "/" || op == "%") && b.n == 0, (op == "<<" || op == ">>") && b.n >= 64:
		c.fail("can not be folded")
	case op == "/":
		z.Quo(x, y)
	case op == "%":
		z.Rem(x, y)
	case op == "<<":
		z.SetInt64(int64(a.n << shift))
	case op == ">>":
		z.SetInt64(int64(a.n) >> shift)
	default:
		map[string]func(x, y *big.Int) *big.Int{"+": z.Add, "-": z.Sub, "*": z.Mul, "&": z.And, "|": z.Or, "^": z.Xor}[op](x, y)
	}
	if !z.IsInt64() {
		c.fail("overflow")
	}
	n := uint64(z.Int64())
	flex := z.Sign() >= 0
	return info{t: smallest(n, flex), lit: true, flex: flex, n: n}
}

func (c *checker) compare(x *Expr) info {
	a, b := x.Kids[0].info, x.Kids[1].info
	if asksNull(x) {
		return info{t: boolType()}
	}
	t := join(a.t, a.flex, b.t, b.flex)
	switch {
	case t == nil, t.Kind == Ptr, t.Kind == Array && !sameType(a.t, b.t):
		c.fail("%s %s %s", a.t, x.Text, b.t)
	case a.lit && b.lit:
		c.fail("comparison of literals")
	case t.Kind != Int && x.Text != "==" && x.Text != "!=":
		c.fail("order of %s", t)
	}
	return info{t: boolType()}
}

func (c *checker) choice(x *Expr) info {
	c.varying(x.Kids[0])
	a, b := x.Kids[len(x.Kids)-2].info, x.Kids[len(x.Kids)-1].info
	t := join(a.t, a.flex, b.t, b.flex)
	if t == nil {
		c.fail("%s or %s", a.t, b.t)
	}
	return info{t: t}
}

// known is the type of a choice while that of one side is not known: that of the
// other side, which a variable or map may keep.
func (c *checker) known(x *Expr) info {
	for _, k := range x.Kids[1:] {
		if k.info.t != nil && x.Kids[0].info.t != nil {
			return info{t: k.info.t}
		}
	}
	return info{}
}

func (c *checker) cast(x *Expr) info {
	from, to := x.Kids[0].info, x.To
	i := info{t: to, cast: true}
	switch {
	case to.Kind == Int && from.t.Kind == Int:
		i.lit, i.n = from.lit, extend(from.n, to)
	case from.lit:
		c.fail("cast of a literal to %s", to)
	case to.Kind == Int && (from.t.Kind == Bool || from.t.Kind == Array && from.t.size() == to.size()):
	case to.Kind == Bool && (from.t.Kind == Int || from.t.Kind == Str):
	case to.Kind == Str && from.t.Kind == Str && from.t.Cap <= to.Cap:
	case to.Kind == Ptr && from.t.Kind == Ptr && narrows(from.t.Elems[0], to.Elems[0]):
	case to.Kind == Array && (from.t.Kind == Int || from.t.Kind == Array) && from.t.size() == to.size():
	default:
		c.fail("cast of %s to %s", from.t, to)
	}
	return i
}

func (c *checker) incDec(x *Expr) info {
	to := x.Kids[0]
	one := info{t: int64Type()}
	if to.Op == Var {
		v := c.variable(to.Name)
		if v.t.Kind != Int {
			c.fail("%s of %s", x.Text, v.t)
		}
		if !v.fixed {
			c.join(v, one, to.Name)
		}
		return info{t: v.t}
	}
	m := c.mapOf(to.Name, len(to.Kids) == 0)
	if m.agg != "" {
		c.fail("%s of an aggregation", x.Text)
	}
	c.join(&m.val, one, to.Name)
	return info{t: m.val.t}
}

// changes tells whether x changes something besides giving a value.
func changes(x *Expr) bool {
	switch x.Op {
	case IncDec, BlockExpr, IfExpr, Delete, Find:
		return true
	}
	return slices.ContainsFunc(x.Kids, changes)
}

// access infers fields, elements and calls.
func (c *checker) access(x *Expr) info {
	k := x.Kids[0].info
	switch x.Op {
	case Deref:
		if k.t.Kind == Ptr {
			return info{t: k.t.Elems[0]}
		}
	case Field:
		if k.t.Kind == Tuple {
			if i := fieldOf(k.t, x); i >= 0 {
				if x.Kids[0].Op == MakeTuple && !slices.ContainsFunc(x.Kids[0].Kids, changes) {
					return x.Kids[0].Kids[i].info
				}
				return info{t: k.t.Elems[i]}
			}
		}
	case Index:
		at := x.Kids[1].info
		if k.t.Kind == Array && at.t.Kind == Int && !(at.lit && at.n >= uint64(k.t.Len)) {
			return info{t: k.t.Elems[0]}
		}
	case Call:
		return c.call(x)
	}
	c.fail("%s", expr(x))
	return info{}
}

// fieldOf returns the index of the element that x names, or -1.
func fieldOf(t *Type, x *Expr) int {
	if x.Name != "" {
		return slices.Index(t.Names, x.Name)
	}
	if x.N < uint64(len(t.Elems)) && t.Names == nil {
		return int(x.N)
	}
	return -1
}

func (c *checker) call(x *Expr) info {
	k := x.Kids[0].info
	if x.Name == "bswap" {
		if k.t.Kind != Int || k.lit {
			c.fail("bswap of %s", k.t)
		}
		return info{t: intType(k.t.Bits, false)}
	}
	for _, a := range x.Kids[:min(2, len(x.Kids))] {
		if a.info.t.Kind != Str || a.info.lit && len(x.Kids) == 1 {
			c.fail("%s of %s", x.Name, a.info.t)
		}
	}
	if len(x.Kids) > 1 && x.Kids[0].info.lit && x.Kids[1].info.lit {
		c.fail("%s of literals", x.Name)
	}
	switch x.Name {
	case "strlen", "strncmp":
		return info{t: uint64Type()}
	case "strcontains":
		return info{t: boolType()}
	case "strstr":
		return info{t: intType(32, true)}
	}
	return info{t: strType(c.s.maxStrlen())}
}

// defaultStrlen is the setting max_strlen of scripts without one.
const defaultStrlen = 1024

func (s *Script) maxStrlen() int {
	if s.Strlen > 0 {
		return s.Strlen
	}
	return defaultStrlen
}
