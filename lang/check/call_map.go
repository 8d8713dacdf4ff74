package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// mapBuiltins are the functions on maps: section 8.3.
func mapBuiltins() map[string]*builtin {
	return map[string]*builtin{
		"clear":     {min: 1, max: 1, void: true, async: true, check: wholeMap(types.ActClear)},
		"zero":      {min: 1, max: 1, void: true, async: true, check: wholeMap(types.ActZero)},
		"delete":    {min: 1, max: 2, check: (*checker).deleteElem},
		"has_key":   {min: 2, max: 2, check: (*checker).hasKey},
		"find":      {min: 3, max: 3, check: (*checker).findElem},
		"len":       {min: 1, max: 1, check: (*checker).length},
		"stack_len": {min: 1, max: 1, check: (*checker).stackLen},
		"is_scalar": {min: 1, max: 1, check: (*checker).isScalar},
		"count":     {check: aggMisplaced}, "sum": {min: 1, max: 1, check: aggMisplaced}, "min": {min: 1, max: 1, check: aggMisplaced},
		"max": {min: 1, max: 1, check: aggMisplaced}, "avg": {min: 1, max: 1, check: aggMisplaced}, "stats": {min: 1, max: 1, check: aggMisplaced},
		"hist": {min: 1, max: 2, check: aggMisplaced}, "lhist": {min: 4, max: 4, check: aggMisplaced}, "tseries": {min: 3, max: 4, check: aggMisplaced},
	}
}

// wholeMap is clear and zero.
func wholeMap(act types.Action) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		ref, ok := c.mapArg(s, 0)
		if !ok {
			return operand{}
		}
		if m := c.useMap(ref, true); m != nil {
			add(s.out, &typed.Emit{Action: act, Map: m.m, Span: s.sp})
		}
		return operand{}
	}
}

// mapArg returns argument i, which must be a map as a whole.
func (c *checker) mapArg(s *site, i int) (*ast.MapRef, bool) {
	switch x := s.args[i].(type) {
	case *ast.MapRef:
		return x, true
	case *ast.MapIndex:
		c.diags.Errorf(diag.BadArgument, s.args[i].Pos(), "%s() expects a map, not an element of one", s.name).
			Hint("leave the key out")
	case *ast.Ident:
		if ms := c.macroOf(); ms != nil {
			if ref, ok := ms.exprs[x.Name].(*ast.MapRef); ok {
				return ref, true
			}
		}
		c.diags.Errorf(diag.BadArgument, s.args[i].Pos(), "%s() expects a map", s.name)
	default:
		c.diags.Errorf(diag.BadArgument, s.args[i].Pos(), "%s() expects a map to be provided", s.name)
	}
	return nil, false
}

// keyedMap returns the map and key of functions of the form f(@m, key).
func (c *checker) keyedMap(s *site) (*mapInfo, typed.Expr, bool) {
	ref, ok := c.mapArg(s, 0)
	if !ok {
		return nil, nil, false
	}
	m := c.useMap(ref, true)
	if m == nil {
		return nil, nil, false
	}
	key := c.element(s.args[1])
	if m.form == scalarForm {
		c.diags.Errorf(diag.BadMap, s.args[0].Pos(), "%s() only accepts maps that have keys; %s is a scalar map", s.name, m.m.Name)
		return nil, nil, false
	}
	if m.form == noForm && m.key.typ == nil {
		return m, key.Expr, true
	}
	k, ok := c.joinKey(m, key, s.args[1].Pos())
	return m, k, ok
}

func (c *checker) deleteElem(s *site) operand {
	if len(s.args) == 2 {
		m, key, ok := c.keyedMap(s)
		if !ok {
			return c.bad(s.sp)
		}
		return of(&typed.MapDelete{Node: node(types.Bool{}, s.sp), Map: m.m, Key: key})
	}
	var idx *ast.MapIndex
	var ref *ast.MapRef
	switch x := s.args[0].(type) {
	case *ast.MapRef:
		ref = x
	case *ast.MapIndex:
		ref, idx = x.Map, x
	default:
		c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "delete() expects a map to be provided")
		return c.bad(s.sp)
	}
	m := c.useMap(ref, true)
	if m == nil {
		return c.bad(s.sp)
	}
	if idx == nil && m.form == keyedForm {
		c.diags.Errorf(diag.BadMap, s.args[0].Pos(), "delete() of %s needs a key: it is not a scalar map", m.m.Name)
		return c.bad(s.sp)
	}
	key, ok := c.mapKey(m, idx, s.args[0].Pos())
	if !ok {
		return c.bad(s.sp)
	}
	return of(&typed.MapDelete{Node: node(types.Bool{}, s.sp), Map: m.m, Key: key})
}

func (c *checker) hasKey(s *site) operand {
	m, key, ok := c.keyedMap(s)
	if !ok {
		return c.bad(s.sp)
	}
	return of(&typed.MapHas{Node: node(types.Bool{}, s.sp), Map: m.m, Key: key})
}

func (c *checker) findElem(s *site) operand {
	m, key, ok := c.keyedMap(s)
	if !ok {
		return c.bad(s.sp)
	}
	ref, isVar := s.args[2].(*ast.VarRef)
	if !isVar {
		c.diags.Errorf(diag.BadArgument, s.args[2].Pos(), "find() expects a scratch variable as its third argument")
		return c.bad(s.sp)
	}
	v := c.fn.scope.lookup(ref.Name)
	if mv := c.macroVar(ref.Name); mv != nil {
		v = mv
	}
	if v == nil {
		v = c.declare(ref.Name, ref, ref.Pos())
	}
	v.assigned, v.read = true, true
	val := m.value.typeOf()
	if a, isAgg := val.(types.Agg); isAgg {
		val = aggNumber(a)
	}
	if !c.infer.join(v.slot, of(&typed.Zero{Node: node(val, ref.Pos())})) {
		c.errMismatch(ref.Pos(), "$"+ref.Name, val, v.slot)
		return c.bad(s.sp)
	}
	v.v.Type = v.slot.typeOf()
	return of(&typed.MapFind{Node: node(types.Bool{}, s.sp), Map: m.m, Key: key, Var: c.touch(v)})
}

// length is len of maps and stacks.
func (c *checker) length(s *site) operand {
	if ref, ok := s.args[0].(*ast.MapRef); ok {
		m := c.useMap(ref, true)
		if m == nil {
			return c.bad(s.sp)
		}
		if isScalarMap(m) {
			c.diags.Errorf(diag.BadMap, s.args[0].Pos(), "len() only accepts maps that have keys; %s is a scalar map", m.m.Name)
			return c.bad(s.sp)
		}
		return of(&typed.MapLen{Node: node(int64Type, s.sp), Map: m.m})
	}
	x := c.arg(s, 0)
	if t, ok := x.Type().(types.Array); ok {
		return intLit(uint64(t.Len), false, s.sp)
	}
	return c.frames(s, x)
}

// stackLen is len() for stacks only.
func (c *checker) stackLen(s *site) operand { return c.frames(s, c.arg(s, 0)) }

// frames is the number of frames of the stack x.
func (c *checker) frames(s *site, x operand) operand {
	switch x.Type().(type) {
	case unknown:
		return x
	case types.Stack:
		return s.make(int64Type, typed.FnStackLen, x.Expr)
	}
	c.diags.Errorf(diag.BadArgument, s.sp, "len() expects a map or stack to be provided")
	return c.bad(s.sp)
}

func (c *checker) isScalar(s *site) operand {
	ref, ok := c.mapArg(s, 0)
	if !ok {
		return c.bad(s.sp)
	}
	m := c.useMap(ref, true)
	if m == nil {
		return c.bad(s.sp)
	}
	return boolConst(m.form == scalarForm, s.sp)
}

func aggMisplaced(c *checker, s *site) operand {
	c.diags.Errorf(diag.BadMap, s.sp, "%s() should be assigned to a map, e.g. @ = %s(%s);", s.name, s.name, map[bool]string{true: "", false: "…"}[len(s.args) == 0])
	return c.bad(s.sp)
}

// aggCall returns the call that an assigned expression is.
func aggCall(x ast.Expr) *ast.Call {
	switch x := x.(type) {
	case *ast.Call:
		return x
	case *ast.Ident:
		if x.Name == "count" {
			return &ast.Call{Base: x.Base, Fun: x}
		}
	}
	return nil
}

func (c *checker) isAggregation(x *ast.Call) bool {
	if len(c.macros[x.Fun.Name]) > 0 {
		return false
	}
	_, ok := aggKind(x.Fun.Name)
	return ok
}

func aggKind(name string) (types.AggKind, bool) {
	for i, n := range [...]string{"count", "sum", "min", "max", "avg", "stats", "hist", "lhist", "tseries"} {
		if n == name {
			return types.AggKind(i), true
		}
	}
	return 0, false
}

// aggregateIn handles the assignment of an aggregation, which may stand at the
// end of a block; false means that x is something else.
func (c *checker) aggregateIn(out *typed.Block, s *ast.Assign, m *mapInfo, idx *ast.MapIndex, x ast.Expr) bool {
	if call := aggCall(x); call != nil && c.isAggregation(call) {
		c.aggregate(out, s, m, idx, call)
		return true
	}
	b, ok := x.(*ast.Block)
	if !ok || b.Result == nil {
		return false
	}
	call := aggCall(b.Result)
	if call == nil || !c.isAggregation(call) {
		return false
	}
	c.pushScope()
	defer c.popScope()
	inner := c.bodyInScope(&ast.Block{Base: b.Base, Stmts: b.Stmts})
	c.aggregate(inner, s, m, idx, call)
	add(out, inner)
	return true
}

// aggregate checks `@m[k] = f(x);` for an aggregation f.
func (c *checker) aggregate(out *typed.Block, st *ast.Assign, m *mapInfo, idx *ast.MapIndex, call *ast.Call) {
	key, ok := c.mapKey(m, idx, st.Target.Pos())
	m.assigned = true
	s := &site{name: call.Fun.Name, args: call.Args, sp: call.Pos()}
	if b := c.builtins[s.name]; len(s.args) < b.min || len(s.args) > b.max {
		c.errArity(b, s)
		return
	}
	kind, _ := aggKind(s.name)
	agg := types.Agg{Kind: kind}
	var x operand
	if kind != types.Count {
		// The type of the argument may hang on the map itself: the kind of the
		// aggregation is known even so, its sign is joined later.
		x = c.aggArg(s)
		it, _ := intOf(x.Type())
		agg.Signed = it.Signed && (kind == types.Sum || kind == types.Min || kind == types.Max || kind == types.Avg || kind == types.Stats || kind == types.TSeries)
	}
	if !c.aggParams(&agg, s) || !ok {
		return
	}
	agg, ok = c.joinAgg(m, agg, call.Pos())
	if !ok {
		return
	}
	if x.Expr != nil && isUnknown(x.Type()) {
		return
	}
	u := &typed.AggUpdate{Map: m.m, Key: key, Span: st.Pos()}
	if x.Expr != nil {
		u.X = widen(x.Expr, agg.Signed || kind == types.Hist || kind == types.LHist)
	}
	add(out, u)
}

func (c *checker) aggArg(s *site) operand {
	x := c.arg(s, 0)
	if isUnknown(x.Type()) {
		return x
	}
	if _, ok := intOf(x.Type()); !ok {
		c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "%s() only supports integer arguments (%s provided)", s.name, kindName(x.Type()))
		return c.bad(s.sp)
	}
	return x
}

// joinAgg gives a map the aggregation, or checks that it is the one it has.
func (c *checker) joinAgg(m *mapInfo, agg types.Agg, sp source.Span) (types.Agg, bool) {
	if m.value.typ == nil {
		m.value.typ, m.value.first = agg, sp
		c.infer.changed = true
		return agg, true
	}
	old, ok := m.value.typ.(types.Agg)
	if !ok {
		c.errMismatchType(sp, m.m.Name, agg, m.value.typ, m.value.first)
		return agg, false
	}
	signed := old.Signed || agg.Signed
	a, b := old, agg
	a.Signed, b.Signed = signed, signed
	if a != b {
		if old.Kind == agg.Kind {
			c.diags.Errorf(diag.BadMap, sp, "Different bits, bounds or other parameters of %s in a single map: %s", agg, m.m.Name)
		} else {
			c.errMismatchType(sp, m.m.Name, agg, old, m.value.first)
		}
		return agg, false
	}
	if signed != old.Signed {
		m.value.typ = a
		c.infer.changed = true
	}
	return a, true
}

// The limits of the parameters of hist, lhist and tseries.
const (
	maxHistBits       = 5
	maxLHistBuckets   = 1000
	maxTSeriesBuckets = 1000000
	// maxPerCPUValue is the largest value of a per-CPU map, in bytes: the
	// kernel's PCPU_MIN_UNIT_SIZE.
	maxPerCPUValue = 32 << 10
)

// aggParams reads the literal parameters.
func (c *checker) aggParams(a *types.Agg, s *site) bool {
	switch a.Kind {
	case types.Hist:
		return c.histParams(a, s)
	case types.LHist:
		return c.lhistParams(a, s)
	case types.TSeries:
		return c.tseriesParams(a, s)
	}
	return true
}

func (c *checker) histParams(a *types.Agg, s *site) bool {
	if len(s.args) == 1 {
		return true
	}
	n, ok := c.constArg(s, 1)
	if !ok {
		return false
	}
	if n < 0 || n > maxHistBits {
		c.diags.Errorf(diag.BadArgument, s.sp, "hist(): bits %d must be 0..%d", n, maxHistBits)
		return false
	}
	a.Bits = int(n)
	return true
}

func (c *checker) lhistParams(a *types.Agg, s *site) bool {
	var v [3]int64
	for i := range v {
		n, ok := c.constArg(s, i+1)
		if !ok {
			return false
		}
		v[i] = n
	}
	a.Min, a.Max, a.Step = v[0], v[1], v[2]
	fault := ""
	switch {
	case a.Min < 0:
		fault = "lhist() min must be non-negative"
	case a.Max < 0:
		fault = "lhist() max must be non-negative"
	case a.Min > a.Max:
		fault = "lhist() min must be less than max"
	case a.Step <= 0:
		fault = "lhist() step must be >= 1"
	case a.Step > a.Max-a.Min:
		fault = "lhist() step is too large: it must not exceed the range"
	case (a.Max-a.Min)/a.Step > maxLHistBuckets:
		fault = "lhist() too many buckets, must be <= 1000"
	}
	if fault != "" {
		c.diags.Errorf(diag.BadArgument, s.sp, "%s", fault)
		return false
	}
	return true
}

func (c *checker) tseriesParams(a *types.Agg, s *site) bool {
	if !c.unstable("tseries", s.sp) {
		return false
	}
	interval, ok := c.constArg(s, 1)
	if !ok {
		return false
	}
	n, ok := c.constArg(s, 2)
	if !ok {
		return false
	}
	a.Inner = types.Count
	if len(s.args) == 4 {
		name, ok := c.litArg(s, 3)
		if !ok {
			return false
		}
		kind, ok := aggKind(name)
		if !ok || kind != types.Avg && kind != types.Max && kind != types.Min && kind != types.Sum {
			c.diags.Errorf(diag.BadArgument, s.sp, "tseries() expects one of the aggregations avg, max, min and sum, not %q", name)
			return false
		}
		a.Inner = kind
	}
	switch {
	case interval <= 0:
		c.diags.Errorf(diag.BadArgument, s.sp, "tseries() interval must be greater than 0")
		return false
	case n < 1 || n > maxTSeriesBuckets:
		c.diags.Errorf(diag.BadArgument, s.sp, "tseries() number of intervals must be from 1 to %d", maxTSeriesBuckets)
		return false
	}
	a.Interval, a.Buckets = interval, int(n)
	if a.Size() > maxPerCPUValue {
		c.diags.Errorf(diag.Unsupported, s.sp, "gotrace does not support a tseries() of %d intervals: the kernel's limit for values kept per CPU allows %d", n, (maxPerCPUValue-8)/24)
		return false
	}
	return true
}
