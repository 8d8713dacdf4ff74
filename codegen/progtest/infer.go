package progtest

import (
	"errors"
	"fmt"
	"slices"
)

// info is what infer finds out about an expression. t is nil as long as it
// depends on what has no type yet.
type info struct {
	t    *Type
	lit  bool // literal; plain ones (not cast) are folded with other literals
	cast bool
	flex bool
	n    uint64 // of integer literals
	from *Expr  // what it was found out about
}

// slot is the inferred type of a variable, or of a map's key or value.
type slot struct {
	t     *Type
	flex  bool
	fixed bool
	from  *Expr // what gave it a type first
}

// mapType is what is known of a map.
type mapType struct {
	key, val slot
	scalar   bool
	assigned bool
	agg      string // name of the aggregation, or ""
	signed   bool   // of the aggregation
	params   []uint64
}

// errUntyped is the error for scripts that the model does not take; those that
// the generator makes never are.
var errUntyped = errors.New("not well-typed")

// errCircular is the error for scripts in which the type of something depends on
// itself.
var errCircular = errors.New("circular type")

// checker infers types by repeated passes, as in 4.3: the type of a variable
// depends on all its assignments.
type checker struct {
	s       *Script
	changed bool
	err     error
}

const maxPasses = 50

// Check infers the types of s. An error means that s is not a script that the
// model knows to be well-typed.
func (s *Script) Check() error {
	s.maps, s.vars = map[string]*mapType{}, map[string]*slot{}
	for range maxPasses {
		c := &checker{s: s}
		for _, p := range s.Probes {
			if p.Predicate != nil {
				c.condition(p.Predicate)
			}
			c.block(p.Body)
		}
		if !c.changed {
			c.settled()
			return c.err
		}
	}
	return fmt.Errorf("%w: types do not settle", errUntyped)
}

// settled checks what must hold once no type changes.
func (c *checker) settled() {
	for name, m := range c.s.maps {
		if !m.assigned {
			c.fail("@%s is never assigned", name)
		}
	}
	for _, p := range c.s.Probes {
		check := func(x *Expr) {
			if x.info.t == nil && c.err == nil {
				c.err = fmt.Errorf("%w: %s", errCircular, expr(x))
			}
		}
		if p.Predicate != nil {
			p.Predicate.walk(check)
		}
		p.Body.walk(check)
	}
}

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s", errUntyped, fmt.Sprintf(format, args...))
	}
}

func (c *checker) variable(name string) *slot {
	v := c.s.vars[name]
	if v == nil {
		v = &slot{}
		c.s.vars[name] = v
	}
	return v
}

func (c *checker) mapOf(name string, scalar bool) *mapType {
	m := c.s.maps[name]
	if m == nil {
		m = &mapType{scalar: scalar}
		c.s.maps[name] = m
	}
	if m.scalar != scalar {
		c.fail("@%s with and without a key", name)
	}
	return m
}

// join widens s to hold x.
func (c *checker) join(s *slot, x info, what string) {
	if x.t == nil {
		return
	}
	if s.fixed {
		c.fits(s.t, x, what)
		return
	}
	if s.t == nil {
		s.t, s.flex, s.from, c.changed = x.t, x.flex, x.from, true
		return
	}
	if c.follow(s, x) {
		return
	}
	t := join(s.t, s.flex, x.t, x.flex)
	if t == nil {
		c.fail("%s: %s and %s", what, s.t, x.t)
		return
	}
	flex := s.flex && x.flex
	if !sameType(t, s.t) || flex != s.flex {
		s.t, s.flex, c.changed = t, flex, true
	}
}

// fits checks that x may be assigned to what is declared as t.
func (c *checker) fits(t *Type, x info, what string) {
	switch {
	case t.Kind != x.t.Kind:
		c.fail("%s: %s assigned to %s", what, x.t, t)
	case t.Kind == Int && x.lit && (extend(x.n, t) != x.n || (int64(x.n) < 0) && x.flex == t.Signed):
		c.fail("%s: literal out of range", what)
	case t.Kind == Str && x.lit && x.t.Cap > t.Cap:
		c.fail("%s: literal too long", what)
	case t.Kind == Tuple && join(t, false, x.t, false) == nil, (t.Kind == Array || t.Kind == Ptr) && !sameType(t, x.t):
		c.fail("%s: %s assigned to %s", what, x.t, t)
	}
}

func (c *checker) block(b *Block) {
	for _, s := range b.Stmts {
		c.stmt(s)
	}
}

func (c *checker) stmt(s *Stmt) {
	for _, x := range s.X {
		if s.Op != Assign && s.Op != Agg {
			c.expr(x)
		}
	}
	switch s.Op {
	case Let:
		c.let(s)
	case Assign:
		c.assign(s)
	case Agg:
		c.aggregate(s)
	case If, While:
		c.condition(s.X[0])
	case ForRange:
		c.integer(s.X[0])
		c.integer(s.X[1])
		c.join(c.variable(s.Name), info{t: int64Type()}, s.Name)
	case ForMap:
		c.forMap(s)
	case Return, Exit:
		for _, x := range s.X {
			c.integer(x)
			if m := c.s.maps[x.Name]; x.Op == MapRead && m != nil && m.agg != "" {
				c.fail("return of an aggregation")
			}
		}
	case Print, Printf:
		for _, x := range s.X {
			c.numberOf(x)
			c.noAddress(x)
		}
	case MapEvent:
		m := c.s.maps[s.Name]
		if m == nil {
			c.fail("@%s is not used", s.Name)
		}
	}
	for _, b := range s.Blocks {
		c.block(b)
	}
}

func (c *checker) let(s *Stmt) {
	v := c.variable(s.Name)
	if s.Type != nil && !v.fixed {
		v.t, v.fixed, c.changed = s.Type, true, true
	}
	if len(s.X) > 0 {
		c.join(v, s.X[0].info, s.Name)
	}
}

func (c *checker) assign(s *Stmt) {
	to := s.X[0]
	c.expr(to)
	x := c.expr(s.X[1])
	if s.Text != "=" {
		x = c.arithmetic(s.Text[:len(s.Text)-1], to.info, x)
	}
	if to.Op == Var {
		c.join(c.variable(to.Name), x, to.Name)
		return
	}
	m := c.mapOf(to.Name, len(to.Kids) == 0)
	if m.agg != "" {
		c.fail("@%s is an aggregation", to.Name)
	}
	m.assigned = true
	c.join(&m.val, x, to.Name)
}

func (c *checker) aggregate(s *Stmt) {
	to := s.X[0]
	m := c.mapOf(to.Name, len(to.Kids) == 0)
	c.key(m, to)
	to.info = info{t: uint64Type()}
	m.assigned = true
	signed := false
	if len(s.X) > 1 {
		x := c.integer(s.X[1])
		if x.t == nil {
			return
		}
		signed = x.t.Signed
	}
	if m.agg == "" && m.val.t == nil {
		m.agg, m.params, c.changed = s.Text, s.Params, true
	}
	if m.agg != s.Text || !slices.Equal(m.params, s.Params) || m.val.t != nil {
		c.fail("@%s holds something else", to.Name)
	}
	if signed && !m.signed {
		m.signed, c.changed = true, true
	}
}

func (c *checker) forMap(s *Stmt) {
	m := c.mapOf(s.Text, false)
	val := m.number()
	if m.key.t == nil || val == nil {
		return
	}
	t := tupleType(nil, []*Type{m.key.t, val})
	v := c.variable(s.Name)
	if v.t == nil || !sameType(v.t, t) {
		v.t, c.changed = t, true
	}
}

// number is the type of an element of m as a value, nil if it is not known.
func (m *mapType) number() *Type {
	switch m.agg {
	case "":
		return m.val.t
	case "count":
		return uint64Type()
	}
	return intType(64, m.signed)
}

// key infers the key of an access to m and joins it.
func (c *checker) key(m *mapType, x *Expr) {
	var parts []*Type
	for _, k := range x.Kids {
		c.expr(k)
		c.noAddress(k)
		if k.info.t == nil {
			return
		}
		parts = append(parts, k.info.t)
	}
	switch len(parts) {
	case 0:
	case 1:
		c.join(&m.key, x.Kids[0].info, "@"+x.Name)
	default:
		c.join(&m.key, info{t: tupleType(nil, parts)}, "@"+x.Name)
	}
}

func (c *checker) integer(x *Expr) info {
	i := c.expr(x)
	if i.t != nil && i.t.Kind != Int {
		c.fail("%s is no integer", expr(x))
	}
	return i
}

// condition checks what may stand in an if.
func (c *checker) condition(x *Expr) {
	i := c.expr(x)
	if i.t != nil && i.t.Kind != Int && i.t.Kind != Bool && i.t.Kind != Ptr {
		c.fail("%s is no condition", expr(x))
	}
}

// numberOf refuses aggregations that have no number.
func (c *checker) numberOf(x *Expr) {
	if x.Op != MapRead {
		return
	}
	if m := c.s.maps[x.Name]; m != nil && (m.agg == "hist" || m.agg == "lhist" || m.agg == "stats") {
		c.fail("@%s has no number", x.Name)
	}
}
