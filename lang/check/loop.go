package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// maxUnroll is the largest count of unroll, maxCopies how often nested ones may
// repeat a body: the kernel takes programs of a million instructions at most.
const (
	maxUnroll = 100
	maxCopies = 10000
)

func (c *checker) loopBody(kind loopKind, b *ast.Block, declare func()) *typed.Block {
	c.fn.loops = append(c.fn.loops, kind)
	if kind == forLoop {
		c.fn.callback++
	}
	c.pushScope()
	if declare != nil {
		declare()
	}
	out := c.bodyInScope(b)
	c.popScope()
	if kind == forLoop {
		c.fn.callback--
	}
	c.fn.loops = c.fn.loops[:len(c.fn.loops)-1]
	return out
}

func (c *checker) forStmt(out *typed.Block, s *ast.For) {
	if old := c.fn.scope.lookup(s.Var.Name); old != nil {
		c.diags.Errorf(diag.UnknownName, s.Var.Pos(), "Loop declaration shadows existing variable: $%s", s.Var.Name).
			Note(old.decl, "this is the existing variable")
	}
	if s.Map != nil {
		c.forMap(out, s)
		return
	}
	lo, hi := c.bound(s.Lo), c.bound(s.Hi)
	st := &typed.ForRange{Lo: count(lo), Hi: count(hi), Span: s.Pos()}
	st.Body = c.loopBody(forLoop, s.Body, func() {
		v := c.loopVar(s)
		// The loop variable is as wide as its bounds, which are int64 when run.
		c.infer.join(v.slot, of(&typed.Zero{Node: node(int64Type, s.Var.Pos())}))
		v.v.Type = v.slot.typeOf()
		if t, ok := joinTypes(lo.Type(), lo.flex, hi.Type(), hi.flex); ok {
			v.bounds, _ = intOf(t)
		}
		st.Var = v.v
	})
	if st.Var != nil {
		add(out, st)
	}
}

// count is a bound as the loop takes it.
func count(bound operand) typed.Expr {
	if isUnknown(bound.Type()) {
		return bound.Expr
	}
	return widen(bound.Expr, true)
}

func (c *checker) loopVar(s *ast.For) *variable {
	v := c.declare(s.Var.Name, s, s.Var.Pos())
	v.assigned = true
	v.read = true
	return v
}

// bound checks a bound of a range: an integer.
func (c *checker) bound(x ast.Expr) operand {
	y := c.expr(x)
	if y.Expr == nil {
		c.errNoValue(x.Pos())
		return c.bad(x.Pos())
	}
	if isUnknown(y.Type()) {
		return y
	}
	if _, ok := y.Type().(types.Int); !ok && !isInt(y.Type()) {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "Loop range requires an integer for its bounds, not %s", kindName(y.Type()))
		return c.bad(x.Pos())
	}
	return y
}

func (c *checker) forMap(out *typed.Block, s *ast.For) {
	m := c.useMap(s.Map, true)
	if m == nil {
		return
	}
	if isScalarMap(m) {
		c.diags.Errorf(diag.BadMap, s.Map.Pos(), "%s has no explicit keys (scalar map), and cannot be used for iteration", s.Map.Name)
		return
	}
	st := &typed.ForMap{Map: m.m, Span: s.Pos()}
	st.Body = c.loopBody(forLoop, s.Body, func() {
		v := c.loopVar(s)
		val := m.value.typeOf()
		if a, ok := val.(types.Agg); ok {
			if a.Kind >= types.Stats {
				c.diags.Errorf(diag.BadMap, s.Map.Pos(), "%s can not be iterated: its values are of type %s", s.Map.Name, a)
			}
			val = aggNumber(a)
		}
		if key := m.key.typeOf(); !isUnknown(key) && !isUnknown(val) {
			t := types.NewTuple(nil, []types.Type{key, val})
			if !c.tooManyParts(t, s.Var.Pos()) {
				c.setSlot(v.slot, t)
			}
		}
		v.v.Type = v.slot.typeOf()
		st.Var = v.v
	})
	if st.Var != nil {
		add(out, st)
	}
}

// setSlot gives a slot a type that is computed, not joined.
func (c *checker) setSlot(s *slot, t types.Type) {
	if s.typ == nil || !identical(s.typ, t) {
		s.typ = t
		c.infer.changed = true
	}
}

func (c *checker) while(out *typed.Block, s *ast.While) {
	c.diags.Warnf(diag.Deprecated, s.Pos(), "'while' is deprecated").Hint("use a for loop over a range")
	cond := c.condition(c.expr(s.Cond), s.Pos(), "while")
	body := c.loopBody(whileLoop, s.Body, nil)
	add(out, &typed.While{Cond: cond, Body: body, Span: s.Pos()})
}

func (c *checker) unroll(out *typed.Block, s *ast.Unroll) {
	x := c.expr(s.Count)
	n, ok := constOf(x.Expr)
	switch {
	case isUnknown(x.Type()):
	case !ok || !x.lit || !isInt(x.Type()):
		c.diags.Errorf(diag.BadControl, s.Count.Pos(), "invalid unroll value: not a literal")
	case int64(n) < 1:
		c.diags.Errorf(diag.BadControl, s.Count.Pos(), "unroll minimum value is 1")
	case int64(n) > maxUnroll:
		c.diags.Errorf(diag.BadControl, s.Count.Pos(), "unroll maximum value is %d", maxUnroll)
	}
	count := int(max(1, min(n, maxUnroll)))
	outer := max(1, c.fn.copies)
	if outer*count > maxCopies {
		c.diags.Errorf(diag.BadControl, s.Pos(), "nested unrolls make %d copies of this body, the limit is %d", outer*count, maxCopies)
		return
	}
	c.fn.copies = outer * count
	body := c.loopBody(unrollLoop, s.Body, nil)
	c.fn.copies = outer
	add(out, &typed.Unroll{Count: count, Body: body, Span: s.Pos()})
}
