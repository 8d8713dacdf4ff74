package check

import (
	"slices"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// mapInfo is a map during one pass.
type mapInfo struct {
	m          *typed.Map
	key, value *slot
	form       mapForm
	formAt     source.Span
	assigned   bool
	reads      int // uses of what it holds
	firstUse   source.Span
}

// mapForm tells whether a map is used with keys.
type mapForm uint8

const (
	noForm mapForm = iota
	scalarForm
	keyedForm
)

func isScalarMap(m *mapInfo) bool { return m.form == scalarForm }

// lookupMap returns the map called name, making it on first use. Maps that are
// macro parameters are replaced before.
func (c *checker) lookupMap(name string, sp source.Span) *mapInfo {
	m := c.maps[name]
	if m == nil {
		m = &mapInfo{
			m:        &typed.Map{Name: name, Span: sp},
			key:      c.infer.key(name),
			value:    c.infer.value(name),
			firstUse: sp,
		}
		c.maps[name] = m
		c.order = append(c.order, m)
		m.form = c.infer.forms[name]
	}
	return m
}

// useMap is a use of a map as a whole. With exist it must be assigned
// somewhere in the script.
func (c *checker) useMap(ref *ast.MapRef, exist bool) *mapInfo {
	name, ok := c.macroMap(ref)
	if !ok {
		return nil
	}
	m := c.lookupMap(name, ref.Pos())
	m.reads++
	if exist && m.value.typ == nil && c.infer.settled {
		c.diags.Errorf(diag.BadMap, ref.Pos(), "Undefined map: %s", name)
		return nil
	}
	return m
}

// mapKey checks the key of an access and notes the form of the map.
func (c *checker) mapKey(m *mapInfo, idx *ast.MapIndex, sp source.Span) (typed.Expr, bool) {
	form := scalarForm
	if idx != nil {
		form = keyedForm
	}
	var key operand
	if idx != nil {
		key = c.keyOperand(idx.Keys, idx)
	}
	if !c.setForm(m, form, sp) {
		return nil, false
	}
	if idx == nil {
		return nil, true
	}
	return c.joinKey(m, key, sp)
}

func (c *checker) setForm(m *mapInfo, form mapForm, sp source.Span) bool {
	if m.form == noForm {
		m.form, m.formAt = form, sp
		c.infer.forms[m.m.Name] = form
		c.infer.changed, c.infer.last = true, sp // addresses further up depend on it
		return true
	}
	if m.form == form {
		if !m.formAt.IsValid() {
			m.formAt = sp
		}
		return true
	}
	if form == keyedForm {
		c.diags.Errorf(diag.BadMap, sp, "%s used as a map with an explicit key (non-scalar map), previously used without an explicit key (scalar map)", m.m.Name)
	} else {
		c.diags.Errorf(diag.BadMap, sp, "%s used as a map without an explicit key (scalar map), previously used with an explicit key (non-scalar map)", m.m.Name)
	}
	return false
}

// keyOperand makes the key of one or more parts: several are a tuple.
func (c *checker) keyOperand(keys []ast.Expr, at ast.Expr) operand {
	if len(keys) == 1 {
		return c.keyPart(keys[0])
	}
	elems := make([]operand, len(keys))
	for i, k := range keys {
		elems[i] = c.keyPart(k)
	}
	return c.tupleOf(nil, elems, node(nil, at.Pos()))
}

// keyPart checks one part of a key.
func (c *checker) keyPart(x ast.Expr) operand {
	y := c.expr(x)
	if y.Expr == nil {
		c.errNoValue(x.Pos())
		return c.bad(x.Pos())
	}
	switch t := y.Type().(type) {
	case types.Agg:
		if t.Kind >= types.Stats {
			c.diags.Errorf(diag.BadMap, x.Pos(), "Invalid map key: %s", t)
			return c.bad(x.Pos())
		}
		return c.number(y)
	case types.Void:
		c.errNoValue(x.Pos())
		return c.bad(x.Pos())
	case *types.Struct:
		if t.Kind == types.ArgsKind {
			c.diags.Errorf(diag.BadMap, x.Pos(), "Invalid map key: args; use its fields")
			return c.bad(x.Pos())
		}
	}
	return y
}

// joinKey joins a key into the map's key type and converts it.
func (c *checker) joinKey(m *mapInfo, key operand, sp source.Span) (typed.Expr, bool) {
	if isUnknown(key.Type()) {
		return key.Expr, true
	}
	if !c.validKey(key, key.Pos()) {
		return nil, false
	}
	if !c.infer.join(m.key, key) {
		d := c.diags.Errorf(diag.TypeMismatch, sp, "Argument mismatch for %s: trying to access with arguments: '%s' when map expects arguments: '%s'",
			m.m.Name, key.Type(), m.key.typ)
		if m.formAt.IsValid() && m.formAt != sp {
			d.Note(m.formAt, "this is where the type of the key comes from")
		}
		return nil, false
	}
	return convert(key.Expr, m.key.typeOf()), true
}

func (c *checker) validKey(key operand, sp source.Span) bool {
	if _, ctx := key.Expr.(*typed.Ctx); ctx {
		c.diags.Errorf(diag.BadMap, sp, "Invalid map key: the context")
		return false
	}
	switch t := key.Type().(type) {
	case types.Agg, types.Void:
	case *types.Struct:
		if t.Kind != types.ArgsKind {
			return true
		}
	default:
		return true
	}
	c.diags.Errorf(diag.BadMap, sp, "Invalid map key: %s", key.Type())
	return false
}

// mapRead is the value of a map or an element.
func (c *checker) mapRead(ref *ast.MapRef, idx *ast.MapIndex, sp source.Span) operand {
	name, ok := c.macroMap(ref)
	if !ok {
		return c.bad(sp)
	}
	c.spendElement(idx, sp)
	m := c.lookupMap(name, ref.Pos())
	m.reads++
	key, ok := c.mapKey(m, idx, sp)
	if !ok {
		return c.bad(sp)
	}
	if m.value.typ == nil && c.infer.settled {
		// A map that is only read.
		c.setSlot(m.value, types.Int{Bits: 8, Signed: true})
	}
	return of(&typed.MapGet{Node: node(m.value.typeOf(), sp), Map: m.m, Key: key})
}

func (c *checker) assignToMap(out *typed.Block, s *ast.Assign, ref *ast.MapRef, idx *ast.MapIndex) {
	name, ok := c.macroMap(ref)
	if !ok {
		return
	}
	c.spendElement(idx, s.Pos())
	m := c.lookupMap(name, ref.Pos())
	if s.Op == "=" {
		if c.aggregateIn(out, s, m, idx, s.Value) {
			return
		}
	}
	before := c.cost.probe
	key, ok := c.mapKey(m, idx, s.Target.Pos())
	m.assigned = true
	var x operand
	if s.Op == "=" {
		x = c.expr(s.Value)
		if x.Expr == nil {
			c.errNoValue(s.Value.Pos())
			return
		}
	} else {
		c.startInt(m, s)
		if idx != nil && slices.ContainsFunc(idx.Keys, c.hasEffects) && ok {
			key = c.evalOnce(out, key)
		} else {
			c.spendAll(c.cost.probe-before, s.Pos()) // the key is made twice
		}
		x = c.binary(binaryOp(s.Op), c.number(of(&typed.MapGet{Node: node(m.value.typeOf(), s.Target.Pos()), Map: m.m, Key: key})), c.value(s.Value), s.Pos())
	}
	if !ok {
		return
	}
	c.storeMap(out, m, key, x, s)
}

// startInt makes a map that is first met in `@m += x` an integer.
func (c *checker) startInt(m *mapInfo, s *ast.Assign) {
	if m.value.typ == nil && c.infer.settled {
		c.setSlot(m.value, int64Type)
	}
}

func (c *checker) storeMap(out *typed.Block, m *mapInfo, key typed.Expr, x operand, s *ast.Assign) {
	x, ok := c.storable(x, s.Pos())
	if !ok {
		return
	}
	if a, isAgg := x.Type().(types.Agg); isAgg {
		if m.value.typ == nil {
			c.diags.Errorf(diag.TypeMismatch, s.Pos(), "Map value '%s' cannot be assigned from one map to another. The function that returns this type must be called directly", a).
				Hint("cast it to a number, such as (int64)")
			return
		}
		x = c.number(x)
	}
	if old, isAgg := m.value.typ.(types.Agg); isAgg && !isUnknown(x.Type()) {
		c.errMismatchType(s.Pos(), m.m.Name, x.Type(), old, m.value.first)
		return
	}
	before := m.value.typ
	if !c.infer.join(m.value, x) {
		c.errMismatch(s.Pos(), m.m.Name, x.Type(), m.value)
		return
	}
	if before == nil {
		m.value.first = s.Pos()
	}
	c.warnSign(m.value, x, s.Pos())
	add(out, &typed.MapSet{Map: m.m, Key: key, X: convert(x.Expr, m.value.typeOf()), Span: s.Pos()})
}

func (c *checker) incMap(x *ast.IncDec, ref *ast.MapRef, idx *ast.MapIndex, delta int64) operand {
	name, ok := c.macroMap(ref)
	if !ok {
		return c.bad(x.Pos())
	}
	c.spendElement(idx, x.Pos())
	m := c.lookupMap(name, ref.Pos())
	key, ok := c.mapKey(m, idx, x.X.Pos())
	m.assigned = true
	m.reads++
	if !ok {
		return c.bad(x.Pos())
	}
	switch m.value.typeOf().(type) {
	case unknown, types.Int:
		c.infer.join(m.value, of(&typed.Zero{Node: node(int64Type, x.Pos())}))
	case types.Pointer:
	default:
		c.diags.Errorf(diag.BadOperand, x.Pos(), "The %s operator can not be used on a map of type '%s'", x.Op, m.value.typ)
		return c.bad(x.Pos())
	}
	t := m.value.typeOf()
	return of(&typed.IncDec{Node: node(t, x.Pos()), Map: m.m, Key: key, Delta: delta * step(t), Post: !x.Prefix})
}

// finishMap fills in the map of the result.
func (c *checker) finishMap(m *mapInfo) *typed.Map {
	out := m.m
	out.Value = m.value.typeOf()
	if m.form == keyedForm {
		out.Key = m.key.typeOf()
	}
	out.Entries = 1
	if out.Key != nil {
		out.Entries = c.cfg.MaxMapKeys
	}
	if d := c.decls[out.Name]; d != nil {
		c.applyDecl(m, d)
	}
	return out
}

// applyDecl gives a map the kind and size it is declared with.
func (c *checker) applyDecl(info *mapInfo, d *ast.MapDecl) {
	m := info.m
	kind, ok := mapKinds(d.Kind.Name)
	if !ok {
		return // reported by prepare
	}
	_, agg := m.Value.(types.Agg)
	perCPU := kind == typed.PerCPUHash || kind == typed.PerCPULRUHash
	switch {
	case isUnknown(m.Value):
		return
	case perCPU && !agg, !perCPU && agg:
		c.diags.Errorf(diag.BadMap, info.firstUse, "Incompatible map types. Type from declaration: %s. Type from value/key type: %s", d.Kind.Name, naturalKind(agg)).
			Note(d.Pos(), "this is the declaration")
	case m.Key == nil:
		c.diags.Errorf(diag.BadMap, d.Pos(), "Map %s is declared as %s but used without a key", m.Name, d.Kind.Name)
	}
	m.Kind, m.Entries = kind, int(d.Entries.Value)
}

func naturalKind(agg bool) string {
	if agg {
		return "percpuhash"
	}
	return "hash"
}

func mapKinds(name string) (typed.MapKind, bool) {
	switch name {
	case "hash":
		return typed.Hash, true
	case "lruhash":
		return typed.LRUHash, true
	case "percpuhash":
		return typed.PerCPUHash, true
	case "percpulruhash":
		return typed.PerCPULRUHash, true
	}
	return 0, false
}

// hasEffects tells whether x must be evaluated once, neither twice nor not at
// all.
func (c *checker) hasEffects(x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IncDec, *ast.Block:
			found = true
		case *ast.Call:
			found = found || n.Fun.Name == "delete" || n.Fun.Name == "find" || len(c.macros[n.Fun.Name]) > 0
		}
		return true
	})
	return found
}

// evalOnce keeps the value of x in a variable that the script does not see.
func (c *checker) evalOnce(out *typed.Block, x typed.Expr) typed.Expr {
	v := &typed.Var{Name: "key", Type: x.Type(), Span: x.Pos()}
	add(out, &typed.Assign{Var: v, X: x, Span: x.Pos()})
	return &typed.VarRef{Node: node(x.Type(), x.Pos()), Var: v}
}
