package build

import (
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// value returns a scalar. It is a tracked pointer if plan.pointer says so, or a
// null pointer constant where one is needed.
func (f *fn) value(e typed.Expr) *ir.Value {
	old := f.b.Span
	if sp := e.Pos(); sp.IsValid() {
		f.b.Span = sp
	}
	v := f.scalar(e)
	f.b.Span = old
	return v
}

// number returns a scalar as a number.
func (f *fn) number(e typed.Expr) *ir.Value {
	if c, ok := e.(*typed.Call); ok && c.Fn == typed.FnCurtask {
		return f.currentTask()
	}
	return f.as(f.value(e), ir.I64)
}

func (f *fn) scalar(e typed.Expr) *ir.Value {
	switch e := e.(type) {
	case *typed.Const:
		return f.num(int64(e.Value))
	case *typed.Zero:
		return f.num(0)
	case *typed.VarRef:
		return f.readVariable(e.Var)
	case *typed.Unary:
		return f.unary(e)
	case *typed.Binary:
		return f.binary(e)
	case *typed.Logical:
		return f.logical(e)
	case *typed.NotBool:
		return f.b.Value(ir.OpEq, f.value(e.X), f.num(0))
	case *typed.Cond:
		t := f.resultType(e)
		return f.choose(f.value(e.Cond), 0, t,
			func() *ir.Value { return f.value(e.Then) }, func() *ir.Value { return f.value(e.Else) })
	case *typed.Convert:
		return f.convert(e)
	case *typed.BlockExpr:
		f.block(e.Block)
		if e.Result == nil {
			return f.num(0)
		}
		return f.value(e.Result)
	}
	return f.place0(e)
}

// place0 returns the scalars that come from maps, memory and the event.
func (f *fn) place0(e typed.Expr) *ir.Value {
	switch e := e.(type) {
	case *typed.MapGet:
		return f.mapGet(e)
	case *typed.MapHas:
		return f.mapHas(e.Map, e.Key)
	case *typed.MapFind:
		return f.mapFind(e)
	case *typed.MapDelete:
		return f.mapDelete(e.Map, e.Key)
	case *typed.MapLen:
		return f.mapLen(e)
	case *typed.IncDec:
		return f.incDec(e, true)
	case *typed.Deref, *typed.Field, *typed.Index:
		return f.member(e)
	case *typed.AddrOf:
		return f.addressOf(e)
	case *typed.AddrOfPlace:
		return f.addr(f.locate(e.X))
	case *typed.Arg:
		return f.argument(e)
	case *typed.Ctx:
		return f.ctx()
	case *typed.Call:
		return f.callValue(e)
	}
	panic("not a scalar expression")
}

// resultType returns the IR type of a scalar expression.
func (f *fn) resultType(e typed.Expr) ir.Type {
	if f.plan.pointer(e) {
		return ir.Ptr
	}
	return ir.I64
}

func (f *fn) readVariable(v *typed.Var) *ir.Value {
	p := f.variable(v)
	if p.inSSA {
		return f.b.ReadVar(p.ssa)
	}
	return f.loadScalar(f.varMem(p), v.Type, f.plan.tracked[v])
}

func (f *fn) writeVariable(v *typed.Var, x *ir.Value) {
	p := f.variable(v)
	x = f.as(x, f.varType(v))
	if p.inSSA {
		f.b.WriteVar(p.ssa, x)
		return
	}
	f.storeScalar(f.varMem(p), x, v.Type)
}

func (f *fn) varType(v *typed.Var) ir.Type {
	if f.plan.tracked[v] {
		return ir.Ptr
	}
	return ir.I64
}

func (f *fn) unary(e *typed.Unary) *ir.Value {
	x := f.number(e.X)
	if e.Op == typed.Neg {
		return f.b.Value(ir.OpNeg, x)
	}
	return f.b.Value(ir.OpXor, x, f.num(-1))
}

func (f *fn) logical(e *typed.Logical) *ir.Value {
	short := func() *ir.Value { return f.num(b2i(e.Or)) }
	rest := func() *ir.Value { return f.truth(f.value(e.Y)) }
	if e.Or {
		return f.choose(f.value(e.X), 0, ir.I64, short, rest)
	}
	return f.choose(f.value(e.X), 0, ir.I64, rest, short)
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// truth returns 1 for everything that is not zero. Comparisons are already so.
func (f *fn) truth(v *ir.Value) *ir.Value {
	if v.Op.IsCompare() {
		return v
	}
	return f.b.Value(ir.OpNe, v, f.num(0))
}

func (f *fn) binary(e *typed.Binary) *ir.Value {
	if e.Op >= typed.Eq && e.Op <= typed.Ge {
		return f.compare(e)
	}
	x := f.value(e.X)
	if !f.movable(e) {
		x = f.as(x, ir.I64)
	}
	y := f.number(e.Y)
	switch e.Op {
	case typed.Div:
		return f.divide(ir.OpUDiv, x, y, e)
	case typed.Mod:
		return f.divide(ir.OpUMod, x, y, e)
	}
	return f.b.Value(arithmetic(e.Op), x, y)
}

// movable reports whether X stays a tracked pointer when Y is added.
func (f *fn) movable(e *typed.Binary) bool { return f.plan.pointer(e) }

func arithmetic(op typed.Op) ir.Op {
	switch op {
	case typed.Add:
		return ir.OpAdd
	case typed.Sub:
		return ir.OpSub
	case typed.Mul:
		return ir.OpMul
	case typed.And:
		return ir.OpAnd
	case typed.Or:
		return ir.OpOr
	case typed.Xor:
		return ir.OpXor
	case typed.Shl:
		return ir.OpShl
	case typed.Shr:
		return ir.OpLShr
	}
	panic("not an arithmetic operator")
}

// divide gives 1 and a warning for a zero divisor.
func (f *fn) divide(op ir.Op, x, y *ir.Value, e *typed.Binary) *ir.Value {
	if y.Op == ir.OpConst && y.Imm != 0 {
		return f.b.Value(op, x, y)
	}
	return f.choose(y, 1, ir.I64,
		func() *ir.Value { return f.b.Value(op, x, y) },
		func() *ir.Value {
			f.warn(types.ActWarning, "Divide or modulo by 0 detected. This can lead to unexpected results. 1 is being used as the result.", e.Span, nil)
			return f.num(1)
		})
}

func (f *fn) compare(e *typed.Binary) *ir.Value {
	t := e.X.Type()
	if !types.IsScalar(t) {
		return f.compareMem(e)
	}
	x := f.value(e.X)
	y := f.value(e.Y)
	signed := types.IsSigned(t)
	if x.Type != y.Type && (e.Op > typed.Ne || x.Op != ir.OpConst && y.Op != ir.OpConst) {
		x, y = f.as(x, ir.I64), f.as(y, ir.I64)
	}
	if signed && e.Op > typed.Ne {
		x, y = f.as(x, ir.I64), f.as(y, ir.I64)
	}
	return f.order(e.Op, signed, x, y)
}

func (f *fn) order(op typed.Op, signed bool, x, y *ir.Value) *ir.Value {
	lt, le := ir.OpULt, ir.OpULe
	if signed {
		lt, le = ir.OpSLt, ir.OpSLe
	}
	switch op {
	case typed.Eq:
		return f.b.Value(ir.OpEq, x, y)
	case typed.Ne:
		return f.b.Value(ir.OpNe, x, y)
	case typed.Lt:
		return f.b.Value(lt, x, y)
	case typed.Le:
		return f.b.Value(le, x, y)
	case typed.Gt:
		return f.b.Value(lt, y, x)
	}
	return f.b.Value(le, y, x)
}

// convert changes the type of a scalar, or makes a scalar of something else.
func (f *fn) convert(e *typed.Convert) *ir.Value {
	from := e.X.Type()
	if _, ok := e.T.(types.Bool); ok {
		if types.IsScalar(from) {
			return f.truth(f.value(e.X))
		}
		m := f.memory(e.X)
		return f.truth(f.loadScalar(m, types.Int{Bits: 8}, false))
	}
	if !types.IsScalar(from) {
		return f.loadNumber(f.memory(e.X), e.T, from.Align())
	}
	if _, ok := e.T.(types.Pointer); ok && f.plan.pointer(e) {
		return f.value(e.X)
	}
	v := f.number(e.X)
	return f.resize(v, from, e.T)
}

// resize cuts a number of type from to the width of to.
func (f *fn) resize(v *ir.Value, from, to types.Type) *ir.Value {
	n, signed := to.Size(), types.IsSigned(to)
	switch {
	case n >= 8:
		return v
	case from.Size() < n && (signed || !types.IsSigned(from)):
		return v
	case from.Size() == n && signed == types.IsSigned(from):
		return v
	case signed:
		return f.b.Extend(ir.OpSExt, v, 8*n)
	}
	return f.b.Extend(ir.OpZExt, v, 8*n)
}

func (f *fn) addressOf(e *typed.AddrOf) *ir.Value {
	if e.Var != nil {
		return f.addr(f.varMem(f.variable(e.Var)))
	}
	m := f.maps[e.Map]
	if !sharedValue(e.Map) {
		return f.as(f.b.Map(ir.OpMapPtr, m.ir, 0), ir.I64)
	}
	return f.addr(f.scalarMapMem(m))
}

// sharedValue reports whether a map has one value for all processors. The address
// of others is that of the map, with which the verifier allows nothing, so that
// it is taken for a number.
func sharedValue(m *typed.Map) bool {
	_, agg := m.Value.(types.Agg)
	return m.Key == nil && !agg
}

// member reads a scalar through a chain of Deref, Field and Index.
func (f *fn) member(e typed.Expr) *ir.Value {
	if fd, ok := e.(*typed.Field); ok && fd.F.BitSize > 0 {
		return f.bitField(fd)
	}
	m := f.locate(e)
	if m.btf && !f.plan.pointer(e) {
		if _, ok := e.Type().(types.Pointer); ok {
			// The verifier would take the result for a pointer.
			m = f.untrack(m)
		}
	}
	return f.loadScalar(m, e.Type(), f.plan.pointer(e))
}

func (f *fn) bitField(e *typed.Field) *ir.Value {
	m := f.locate(e)
	if m.btf {
		m = f.untrack(m)
	}
	bits := 8 * e.F.Type.Size()
	word := f.loadScalar(m, types.Int{Bits: bits}, false)
	up := 64 - e.F.BitOffset - e.F.BitSize
	if up > 0 {
		word = f.b.Value(ir.OpShl, word, f.num(int64(up)))
	}
	op := ir.OpLShr
	if types.IsSigned(e.F.Type) {
		op = ir.OpAShr
	}
	return f.b.Value(op, word, f.num(int64(64-e.F.BitSize)))
}
