package check

import (
	"slices"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// expr checks an expression. The result has a nil Expr if the expression has
// no value (a block without result); a call without value has type Void.
func (c *checker) expr(x ast.Expr) operand {
	if !c.spend(costNode, x.Pos()) {
		return c.bad(x.Pos())
	}
	switch x := x.(type) {
	case *ast.IntLit:
		return intLit(x.Value, false, x.Pos())
	case *ast.StrLit:
		return c.strLit(x)
	case *ast.BoolLit:
		return boolConst(x.Value, x.Pos())
	case *ast.VarRef:
		return c.varRef(x)
	case *ast.MapRef:
		return c.mapRead(x, nil, x.Pos())
	case *ast.MapIndex:
		return c.mapRead(x.Map, x, x.Pos())
	case *ast.Param:
		return c.param(x)
	case *ast.ParamCount:
		return intLit(uint64(len(c.params)), false, x.Pos())
	case *ast.Ident:
		return c.ident(x)
	case *ast.Call:
		return c.call(x)
	case *ast.Tuple:
		return c.tuple(x)
	case *ast.Record:
		return c.record(x)
	case *ast.Block:
		return c.blockExpr(x)
	case *ast.If:
		return c.ifExpr(x)
	}
	return c.operatorExpr(x)
}

func (c *checker) operatorExpr(x ast.Expr) operand {
	switch x := x.(type) {
	case *ast.Unary:
		return c.unary(x)
	case *ast.IncDec:
		return c.incDec(x)
	case *ast.Binary:
		if x.Op == "&&" || x.Op == "||" {
			return c.logical(x)
		}
		a := c.value(x.X)
		b := c.value(x.Y)
		c.hintQuotes(a, x.Y)
		c.hintQuotes(b, x.X)
		return c.binary(x.Op, a, b, x.Pos())
	case *ast.Cond:
		return c.cond(x)
	case *ast.Cast:
		return c.cast(x)
	case *ast.Field:
		return c.field(x)
	case *ast.TupleField:
		return c.tupleField(x)
	case *ast.Index:
		return c.index(x)
	case *ast.Sizeof:
		return c.sizeof(x)
	case *ast.Offsetof:
		return c.offsetof(x)
	case *ast.Typeinfo:
		return c.typeinfo(x)
	case *ast.Comptime:
		return c.comptime(x)
	case *ast.TypeArg:
		c.diags.Errorf(diag.BadArgument, x.Pos(), "typeof() is a type, not a value")
	}
	return c.bad(x.Pos())
}

// value checks an expression that must have a value. The value of an
// aggregation is its number.
func (c *checker) value(x ast.Expr) operand {
	y := c.expr(x)
	if y.Expr == nil {
		c.errNoValue(x.Pos())
		return c.bad(x.Pos())
	}
	if _, void := y.Type().(types.Void); void {
		c.errNoValue(x.Pos())
		return c.bad(x.Pos())
	}
	return c.number(y)
}

// number turns the value of an aggregation into the number it stands for.
func (c *checker) number(y operand) operand {
	a, ok := y.Type().(types.Agg)
	if !ok {
		return y
	}
	if a.Kind >= types.Stats {
		c.diags.Errorf(diag.BadOperand, y.Pos(), "The value of %s can only be printed as a whole map", a)
		return c.bad(y.Pos())
	}
	return of(numberExpr(y.Expr, aggNumber(a)))
}

// numberExpr gives the reading of an aggregation, which may stand at the end of
// a block, the type of its number.
func numberExpr(x typed.Expr, t types.Type) typed.Expr {
	if b, ok := x.(*typed.BlockExpr); ok {
		block := *b
		block.T, block.Result = t, numberExpr(b.Result, t)
		return &block
	}
	get := *x.(*typed.MapGet)
	get.T = t
	return &get
}

// aggNumber is the type of the combined number of an aggregation.
func aggNumber(a types.Agg) types.Type {
	return wide(a.Signed)
}

func (c *checker) strLit(x *ast.StrLit) operand {
	if c.tooLong(x.Value) {
		c.diags.Errorf(diag.BadString, x.Pos(), "String is too long (over %d bytes): %s", c.cfg.MaxStrlen, clip(x.Value))
		return c.bad(x.Pos())
	}
	return strLit(x.Value, x.Pos())
}

func (c *checker) varRef(x *ast.VarRef) operand {
	if op, ok := c.macroVarRef(x); ok {
		return op
	}
	v := c.fn.scope.lookup(x.Name)
	if v == nil {
		return c.errUndefinedVar(x)
	}
	if v.let && !v.assigned && !c.fn.ctxFree {
		c.diags.Warnf(diag.Unused, x.Pos(), "Variable used before it was assigned: $%s", x.Name)
	}
	return c.use(v, x.Pos())
}

func (c *checker) tuple(x *ast.Tuple) operand {
	var xs []ast.Expr = x.Elems
	return c.makeTuple(nil, xs, x)
}

func (c *checker) record(x *ast.Record) operand {
	names := make([]string, len(x.Fields))
	xs := make([]ast.Expr, len(x.Fields))
	for i, f := range x.Fields {
		names[i], xs[i] = f.Name.Name, f.Value
	}
	return c.makeTuple(names, xs, x)
}

func (c *checker) makeTuple(names []string, xs []ast.Expr, at ast.Expr) operand {
	elems := make([]operand, len(xs))
	for i, e := range xs {
		elems[i] = c.element(e)
	}
	t := c.tupleOf(names, elems, node(nil, at.Pos()))
	if slices.ContainsFunc(xs, c.hasEffects) {
		t.elems = nil // one element does not stand for what the others do
	}
	return t
}

// maxParts bounds the values in a tuple or record, as a tuple of tuples can
// double them with each level.
const maxParts = 1000

// tooManyParts reports a tuple of more than maxParts values.
func (c *checker) tooManyParts(t *types.Struct, sp source.Span) bool {
	if t.Parts() <= maxParts {
		return false
	}
	c.diags.Errorf(diag.TooLarge, sp, "a tuple of %d values is too large, the limit is %d", t.Parts(), maxParts)
	return true
}

// tupleOf builds the tuple of elements that have been checked.
func (c *checker) tupleOf(names []string, elems []operand, n typed.Node) operand {
	out := &typed.Tuple{Node: n}
	ts := make([]types.Type, len(elems))
	lit := true
	for i, y := range elems {
		ts[i] = y.Type()
		out.Elems = append(out.Elems, y.Expr)
		lit = lit && y.lit
		if isUnknown(y.Type()) {
			return operand{Expr: &typed.Zero{Node: node(unknown{}, n.Span)}}
		}
	}
	t := types.NewTuple(names, ts)
	if out.T = t; c.tooManyParts(t, n.Span) {
		return c.bad(n.Span)
	}
	return operand{Expr: out, lit: lit && len(elems) > 0, elems: elems}
}

// element checks an element of a tuple, which may be all that can be printed.
func (c *checker) element(x ast.Expr) operand {
	y := c.value(x)
	if s, ok := y.Type().(*types.Struct); ok && s.Kind == types.ArgsKind {
		c.diags.Errorf(diag.TypeMismatch, x.Pos(), "args can not be part of a tuple; use its fields")
		return c.bad(x.Pos())
	}
	return y
}

func (c *checker) blockExpr(x *ast.Block) operand {
	b, res := c.block(x)
	if res.Expr == nil {
		return operand{Expr: &typed.BlockExpr{Node: node(types.Void{}, x.Pos()), Block: b}}
	}
	if len(b.Stmts) == 0 {
		return res
	}
	return of(&typed.BlockExpr{Node: node(res.Type(), x.Pos()), Block: b, Result: res.Expr})
}

func (c *checker) ifExpr(x *ast.If) operand {
	if k, ok := x.Cond.(*ast.Comptime); ok {
		cond := c.condition(c.comptime(k), x.Pos(), "if")
		if v, ok := constOf(cond); ok && v == 0 {
			if x.Else == nil {
				return operand{Expr: &typed.BlockExpr{Node: node(types.Void{}, x.Pos()), Block: &typed.Block{}}}
			}
			return c.expr(x.Else)
		}
		return c.blockExpr(x.Then)
	}
	if x.Else == nil || c.isVoid(x.Then) {
		b := &typed.Block{}
		c.ifStmt(b, x)
		return operand{Expr: &typed.BlockExpr{Node: node(types.Void{}, x.Pos()), Block: b}}
	}
	cond := c.condition(c.expr(x.Cond), x.Pos(), "if")
	return c.choose(cond, c.blockExpr(x.Then), c.expr(x.Else), x)
}

func (c *checker) cond(x *ast.Cond) operand {
	before := c.cost.probe
	test := c.value(x.Cond)
	cond := c.condition(test, x.Pos(), "ternary")
	then := test
	if x.Then != nil {
		then = c.expr(x.Then)
	} else {
		c.spendAll(c.cost.probe-before, x.Pos()) // the test is made twice
	}
	return c.choose(cond, then, c.expr(x.Else), x)
}

// choose joins the types of the two sides of a conditional expression.
func (c *checker) choose(cond typed.Expr, a, b operand, x ast.Expr) operand {
	if a.Expr == nil || b.Expr == nil {
		c.errNoValue(x.Pos())
		return c.bad(x.Pos())
	}
	a, b = c.number(a), c.number(b)
	t, ok := joinTypes(a.Type(), a.flex, b.Type(), b.flex)
	if !ok {
		c.diags.Errorf(diag.TypeMismatch, x.Pos(), "Ternary return type mismatch: have '%s' and '%s'", a.Type(), b.Type())
		return c.bad(x.Pos())
	}
	if (isUnknown(a.Type()) || isUnknown(b.Type())) && !c.infer.oneSided {
		c.infer.waiting = true
		return c.bad(x.Pos())
	}
	if isUnknown(t) {
		return c.bad(x.Pos())
	}
	if v, ok := constOf(cond); ok {
		pick := b
		if v != 0 {
			pick = a
		}
		pick.Expr = convert(pick.Expr, t)
		return pick
	}
	return of(&typed.Cond{Node: node(t, x.Pos()), Cond: cond, Then: convert(a.Expr, t), Else: convert(b.Expr, t)})
}

// isVoid tells whether an expression certainly has no value: calls of void
// functions and blocks without result. It does not check x.
func (c *checker) isVoid(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Call:
		return c.isVoidCall(x)
	case *ast.Ident:
		return x.Name == "exit"
	case *ast.Block:
		return x.Result == nil || c.isVoid(x.Result)
	case *ast.If:
		return x.Else == nil || c.isVoid(x.Then)
	case *ast.Cond:
		return x.Then != nil && c.isVoid(x.Then)
	}
	return false
}

func (c *checker) logical(x *ast.Binary) operand {
	a := c.value(x.X)
	ca := c.condition(a, x.Pos(), x.Op)
	// With a constant left side the right side may never run.
	if v, ok := constOf(ca); ok && a.lit && (v != 0) == (x.Op == "||") {
		return boolConst(v != 0, x.Pos())
	}
	b := c.value(x.Y)
	cb := c.condition(b, x.Pos(), x.Op)
	if _, ok := constOf(ca); ok && a.lit {
		if w, ok := constOf(cb); ok && b.lit {
			return boolConst(w != 0, x.Pos())
		}
		return of(cb)
	}
	return of(&typed.Logical{Node: node(types.Bool{}, x.Pos()), Or: x.Op == "||", X: ca, Y: cb})
}

func (c *checker) unary(x *ast.Unary) operand {
	if x.Op == "&" {
		return c.addressOf(x)
	}
	y := c.value(x.X)
	if isUnknown(y.Type()) {
		return y
	}
	switch x.Op {
	case "!":
		b := c.condition(y, x.Pos(), "!")
		if v, ok := constOf(b); ok {
			r := boolConst(v == 0, x.Pos())
			r.lit = y.lit
			return r
		}
		return of(&typed.NotBool{Node: node(types.Bool{}, x.Pos()), X: b})
	case "*":
		return c.deref(y, x)
	}
	it, ok := intOf(y.Type())
	if !ok || !isInt(y.Type()) {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "The %s operator can not be used on expressions of type '%s'", x.Op, y.Type())
		return c.bad(x.Pos())
	}
	if n, ok := constOf(y.Expr); ok && y.lit {
		return c.foldUnary(x, n, y)
	}
	op := typed.Not
	if x.Op == "-" {
		op = typed.Neg
	}
	return of(&typed.Unary{Node: node(wide(it.Signed), x.Pos()), Op: op, X: widen(y.Expr, it.Signed)})
}

// foldUnary computes - and ~ of a literal.
func (c *checker) foldUnary(x *ast.Unary, n uint64, y operand) operand {
	if x.Op == "~" {
		return operand{Expr: constUint(^n, x.Pos()), lit: true, flex: true}
	}
	if n > 1<<63 && y.flex {
		c.diags.Errorf(diag.ConstantFault, x.Pos(), "underflow: -%d is out of range", n)
		return c.bad(x.Pos())
	}
	return intLit(-n, n != 0 && int64(-n) < 0, x.Pos())
}

func (c *checker) deref(y operand, x *ast.Unary) operand {
	p, ok := y.Type().(types.Pointer)
	if !ok {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "Can not dereference a value of type '%s': it is no pointer", y.Type())
		return c.bad(x.Pos())
	}
	if _, void := p.Elem.(types.Void); void {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "Can not dereference a pointer to void").
			Hint("cast it to the pointer type of what it points to")
		return c.bad(x.Pos())
	}
	return of(c.load(y.Expr, p, x))
}

// load makes the value behind a pointer; pointers read through it inherit the
// address space.
func (c *checker) load(ptr typed.Expr, p types.Pointer, at ast.Node) typed.Expr {
	return &typed.Deref{Node: node(inherit(p.Elem, p), at.Pos()), X: ptr}
}

// inherit gives a pointer read through a pointer of p's space that space,
// unless it has one of its own.
func inherit(t types.Type, p types.Pointer) types.Type {
	if q, ok := t.(types.Pointer); ok && q.Space == types.NoSpace && p.Space != types.Local {
		q.Space = p.Space
		return q
	}
	return t
}

func (c *checker) addressOf(x *ast.Unary) operand {
	switch y := x.X.(type) {
	case *ast.VarRef:
		v := c.findVar(y.Name)
		if v == nil {
			return c.errUndefinedVar(y)
		}
		v.read = true
		v.v.Addressed = true
		t := types.Pointer{Elem: v.slot.typeOf(), Space: types.Local}
		return of(&typed.AddrOf{Node: node(t, x.Pos()), Var: c.touch(v)})
	case *ast.MapRef:
		return c.addressOfMap(y, x)
	}
	c.diags.Errorf(diag.BadOperand, x.Pos(), "The address-of operator & needs a variable or a map")
	return c.bad(x.Pos())
}

// addressOfMap makes the address of the value of a scalar map, or of the map
// itself where values have none that all processors share: with keys, and for
// aggregations. What lies there is the kernel's own.
func (c *checker) addressOfMap(ref *ast.MapRef, x *ast.Unary) operand {
	m := c.useMap(ref, true)
	if m == nil || m.form == noForm {
		return c.bad(x.Pos())
	}
	t := types.Pointer{Elem: m.value.typeOf(), Space: types.Local}
	if _, agg := t.Elem.(types.Agg); agg || m.form == keyedForm {
		t.Elem = types.Void{}
	}
	return of(&typed.AddrOf{Node: node(t, x.Pos()), Map: m.m})
}

func (c *checker) incDec(x *ast.IncDec) operand {
	delta := int64(1)
	if x.Op == "--" {
		delta = -1
	}
	switch y := x.X.(type) {
	case *ast.VarRef:
		return c.incVar(x, y, delta)
	case *ast.MapRef:
		return c.incMap(x, y, nil, delta)
	case *ast.MapIndex:
		return c.incMap(x, y.Map, y, delta)
	}
	c.diags.Errorf(diag.BadOperand, x.Pos(), "%s needs a variable or a map", x.Op)
	return c.bad(x.Pos())
}

func (c *checker) incVar(x *ast.IncDec, ref *ast.VarRef, delta int64) operand {
	v := c.fn.scope.lookup(ref.Name)
	if m := c.macroVar(ref.Name); m != nil {
		v = m
	}
	if v == nil {
		return c.errUndefinedVar(ref)
	}
	v.read, v.assigned = true, true
	t := v.slot.typeOf()
	if isUnknown(t) {
		return c.bad(x.Pos())
	}
	if !c.countable(t) {
		c.diags.Errorf(diag.BadOperand, x.Pos(), "The %s operator can not be used on expressions of type '%s'", x.Op, t)
		return c.bad(x.Pos())
	}
	if _, ok := t.(types.Int); ok && !v.slot.fixed {
		c.infer.join(v.slot, of(&typed.Zero{Node: node(int64Type, x.Pos())}))
		t = v.slot.typeOf()
	}
	v.v.Type = t
	return of(&typed.IncDec{Node: node(t, x.Pos()), Var: c.touch(v), Delta: delta * step(t), Post: !x.Prefix})
}

// countable tells the types that ++ and -- work on.
func (c *checker) countable(t types.Type) bool {
	switch t.(type) {
	case types.Int, types.Pointer:
		return true
	}
	return false
}

// step is what ++ adds: 1, or the size of the target of a pointer.
func step(t types.Type) int64 {
	if p, ok := t.(types.Pointer); ok {
		return int64(max(1, p.Elem.Size()))
	}
	return 1
}
