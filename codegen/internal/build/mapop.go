package build

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// key builds the key of an element and returns its address. All bytes are
// defined: the kernel compares keys as memory.
func (f *fn) key(m *mapInfo, e typed.Expr) *ir.Value {
	k := f.temp("key", m.obj.KeySize)
	if m.scalar() {
		f.b.Store(k.base, k.off, f.num(0), 4)
	} else {
		f.buildInto(k, e, true)
	}
	return k.base
}

// scalarMapMem returns the value of a scalar map that is shared by all
// processors.
func (f *fn) scalarMapMem(m *mapInfo) mem {
	return mem{kind: direct, base: f.b.Map(ir.OpMapValue, m.ir, 0)}
}

// find returns a pointer to the value of an element, null if it is missing.
func (f *fn) find(m *mapInfo, e typed.Expr) *ir.Value {
	if m.obj.Type == ebpf.Array {
		return f.b.Map(ir.OpMapValue, m.ir, 0)
	}
	return f.b.Map(ir.OpMapLookup, m.ir, 0, f.key(m, e))
}

// mapGet returns the scalar value of an element.
func (f *fn) mapGet(e *typed.MapGet) *ir.Value {
	m := f.maps[e.Map]
	if m.agg != nil {
		return f.aggGet(m, e)
	}
	if m.obj.Type == ebpf.Array {
		return f.loadScalar(f.scalarMapMem(m), e.T, false)
	}
	p := f.find(m, e.Key)
	return f.choose(p, 1, ir.I64,
		func() *ir.Value { return f.loadScalar(mem{kind: direct, base: p}, e.T, false) },
		func() *ir.Value { f.missing(e.Span); return f.num(0) })
}

// missing reports a lookup without result if the script asked for it.
func (f *fn) missing(sp source.Span) {
	if f.typed.Config.HelperErrors {
		f.warn(types.ActHelper, "map_lookup_elem", sp, f.num(0))
	}
}

// mapMem returns the memory of an element, or zeros where it is missing.
func (f *fn) mapMem(e *typed.MapGet) mem {
	m := f.maps[e.Map]
	if m.obj.Type == ebpf.Array {
		return f.scalarMapMem(m)
	}
	p := f.find(m, e.Key)
	base := f.choose(p, 1, ir.Ptr, func() *ir.Value { return p }, func() *ir.Value {
		f.missing(e.Span)
		return f.b.Map(ir.OpMapValue, f.zeros(m.obj.ValueSize), 0)
	})
	return mem{kind: direct, base: base}
}

func (f *fn) mapHas(tm *typed.Map, key typed.Expr) *ir.Value {
	m := f.maps[tm]
	p := f.find(m, key)
	if m.scalar() {
		return f.choose(p, 1, ir.I64,
			func() *ir.Value { return f.truth(f.b.Load(ir.I64, p, m.present, 8)) },
			func() *ir.Value { return f.num(0) })
	}
	return f.b.Value(ir.OpNe, p, f.null())
}

func (f *fn) mapFind(e *typed.MapFind) *ir.Value {
	m := f.maps[e.Map]
	if m.agg != nil {
		return f.aggFind(m, e)
	}
	p := f.find(m, e.Key)
	f.when(p, 0, func() {
		src := mem{kind: direct, base: p}
		t := m.typed.Value
		if types.IsScalar(t) {
			f.writeVariable(e.Var, f.resize(f.loadScalar(src, t, false), t, e.Var.Type))
			return
		}
		// The variable may be wider than the map: other values are assigned to it.
		x := typed.Expr(&place{Node: typed.Node{T: t, Span: e.Span}, mem: src})
		if !types.Equal(t, e.Var.Type) {
			x = &typed.Convert{Node: typed.Node{T: e.Var.Type, Span: e.Span}, X: x}
		}
		f.buildInto(f.varMem(f.variable(e.Var)), x, false)
	}, nil)
	if m.scalar() {
		return f.truth(f.b.Load(ir.I64, p, m.present, 8))
	}
	return f.b.Value(ir.OpNe, p, f.null())
}

// mapDelete removes an element. Scalar maps are arrays: their value becomes
// zero and the mark of presence goes.
func (f *fn) mapDelete(tm *typed.Map, key typed.Expr) *ir.Value {
	m := f.maps[tm]
	if !m.scalar() {
		r := f.b.Map(ir.OpMapDelete, m.ir, 0, f.key(m, key))
		f.failed(r, "map_delete_elem")
		return f.b.Value(ir.OpEq, r, f.num(0))
	}
	if m.agg != nil {
		return f.aggDelete(m)
	}
	p := f.scalarMapMem(m)
	was := f.truth(f.b.Load(ir.I64, p.base, m.present, 8))
	f.zero(p, int64(m.obj.ValueSize))
	return was
}

// mapLen counts the elements.
func (f *fn) mapLen(e *typed.MapLen) *ir.Value {
	if !f.opt.Features.ForEachMapElem {
		f.needs(e.Span, "len() of a map", "5.13")
		return f.num(0)
	}
	m := f.maps[e.Map]
	return f.call(asm.FnForEachMapElem, f.b.Map(ir.OpMapPtr, m.ir, 0), f.b.FuncAddr(f.counting()), f.null(), f.num(0))
}

// counting returns a callback that does nothing: the helper counts its calls.
func (f *fn) counting() *ir.Func {
	key := fmt.Sprintf("count %d", f.f.Depth)
	if sub := f.repeats[key]; sub != nil {
		return sub
	}
	sub := f.newCallback("count", f.f.Depth+1, ir.Ptr, ir.Ptr, ir.Ptr, ir.Ptr)
	f.repeats[key] = sub
	b := ir.NewBuilder(sub)
	b.Return(b.Const(0))
	return sub
}

// mapSet stores the value of an element.
func (f *fn) mapSet(s *typed.MapSet) {
	m := f.maps[s.Map]
	if n, ok := f.addend(m, s); ok {
		f.addTo(m, s.Key, n, s.Span, false)
		return
	}
	if m.obj.Type == ebpf.Array {
		p := f.scalarMapMem(m)
		f.store(p, s.X)
		f.b.Store(p.base, m.present, f.num(1), 8)
		return
	}
	key := f.key(m, s.Key)
	v := f.operand(s.X)
	f.update(m, key, f.addr(v), unix.BPF_ANY, s.Span)
}

// store builds e in memory that e may itself refer to.
func (f *fn) store(dst mem, e typed.Expr) {
	switch {
	case types.IsScalar(e.Type()):
		f.storeScalar(dst, f.value(e), e.Type())
	case simple(e):
		f.buildInto(dst, e, false)
	default:
		f.copyMem(dst, f.built(e), int64(e.Type().Size()))
	}
}

// simple reports whether e refers to no variable and no map.
func simple(e typed.Expr) bool {
	ok := true
	visitor{expr: func(e typed.Expr) bool {
		switch e.(type) {
		case *typed.VarRef, *typed.MapGet, *typed.BlockExpr, *typed.Deref, *typed.IncDec, *typed.MapFind, *typed.MapDelete:
			ok = false
		}
		return ok
	}}.exprs(e)
	return ok
}

// operand returns memory with the value of e for a helper that only reads it.
func (f *fn) operand(e typed.Expr) mem {
	if types.IsScalar(e.Type()) {
		m := f.temp("value", e.Type().Size())
		f.storeScalar(m, f.value(e), e.Type())
		return m
	}
	return f.array(e)
}

// update stores a value and reports a full map.
func (f *fn) update(m *mapInfo, key, value *ir.Value, flags int64, sp source.Span) *ir.Value {
	r := f.b.Map(ir.OpMapUpdate, m.ir, flags, key, value)
	f.full(r, sp)
	return r
}

// full warns if an update failed. The run-time message depends on the error.
func (f *fn) full(r *ir.Value, sp source.Span) {
	f.when(r, -1, func() { f.warn(types.ActHelper, "map_update_elem", sp, r) }, nil)
}

// addend recognises @m[k] = @m[k] + n on maps that processors share, and
// returns n. Such an addition is made in place, so that none gets lost.
func (f *fn) addend(m *mapInfo, s *typed.MapSet) (typed.Expr, bool) {
	if m.agg != nil || !atomicSize(m.typed.Value) {
		return nil, false
	}
	size := m.typed.Value.Size()
	b, ok := sameLowBytes(s.X, size).(*typed.Binary)
	if !ok || b.Op != typed.Add && b.Op != typed.Sub || effects(b.Y) || s.Key != nil && effects(s.Key) {
		return nil, false
	}
	get, ok := sameLowBytes(b.X, size).(*typed.MapGet)
	if !ok || get.Map != s.Map || get.Key != s.Key {
		return nil, false
	}
	if b.Op == typed.Sub {
		return &typed.Unary{Node: b.Node, Op: typed.Neg, X: b.Y}, true
	}
	return b.Y, true
}

// sameLowBytes strips the conversions between integers that leave the low size
// bytes alone.
func sameLowBytes(e typed.Expr, size int) typed.Expr {
	for {
		c, ok := e.(*typed.Convert)
		if !ok {
			return e
		}
		if _, to := c.T.(types.Int); !to || c.T.Size() < size {
			return e
		}
		if _, from := c.X.Type().(types.Int); !from {
			return e
		}
		e = c.X
	}
}

// atomicSize reports whether the machine adds to a t in memory.
func atomicSize(t types.Type) bool {
	_, ok := t.(types.Int)
	return ok && t.Size() >= 4
}

// addTo adds n to a shared element, which it creates if it is missing, and
// returns the old value if that is wanted.
func (f *fn) addTo(m *mapInfo, key, n typed.Expr, sp source.Span, want bool) *ir.Value {
	t := m.typed.Value
	if m.obj.Type == ebpf.Array {
		p := f.scalarMapMem(m)
		old := f.atomic(p.base, f.number(n), t, want)
		f.b.Store(p.base, m.present, f.num(1), 8)
		return old
	}
	k := f.key(m, key)
	x := f.number(n)
	p := f.b.Map(ir.OpMapLookup, m.ir, 0, k)
	return f.choose(p, 1, ir.I64,
		func() *ir.Value { return f.atomic(p, x, t, want) },
		func() *ir.Value { return f.addNew(m, k, x, sp, want) })
}

// addNew inserts n. Another processor may have been faster: then the element
// is there now.
func (f *fn) addNew(m *mapInfo, key, n *ir.Value, sp source.Span, want bool) *ir.Value {
	t := m.typed.Value
	tmp := f.temp("value", t.Size())
	f.storeScalar(tmp, n, t)
	r := f.b.Map(ir.OpMapUpdate, m.ir, unix.BPF_NOEXIST, key, tmp.base)
	zero := func() *ir.Value { return f.num(0) }
	return f.choose(f.b.Value(ir.OpEq, r, f.num(0)), 1, ir.I64, zero, func() *ir.Value {
		p := f.b.Map(ir.OpMapLookup, m.ir, 0, key)
		return f.choose(p, 0, ir.I64,
			func() *ir.Value { return f.atomic(p, n, t, want) },
			func() *ir.Value { f.full(r, sp); return f.num(0) })
	})
}

// atomic adds n to a scalar of type t and returns the old value.
func (f *fn) atomic(p, n *ir.Value, t types.Type, want bool) *ir.Value {
	width := t.Size()
	switch {
	case !want:
		f.b.Atomic(ir.OpAtomicAdd, p, 0, n, width)
		return f.num(0)
	case f.opt.Features.AtomicFetch:
		return f.extend(f.b.Atomic(ir.OpAtomicFetchAdd, p, 0, n, width), t)
	}
	old := f.extend(f.b.Load(ir.I64, p, 0, width), t)
	f.b.Atomic(ir.OpAtomicAdd, p, 0, n, width)
	return old
}

// incDec returns the old or new value if it is wanted.
func (f *fn) incDec(e *typed.IncDec, want bool) *ir.Value {
	t := e.T
	if e.Var != nil {
		old := f.readVariable(e.Var)
		now := f.add(old, e.Delta)
		if old.Type == ir.I64 {
			now = f.resize(now, types.Int{Bits: 64, Signed: true}, t)
		}
		f.writeVariable(e.Var, now)
		if e.Post {
			return old
		}
		return now
	}
	m := f.maps[e.Map]
	delta := &typed.Const{Node: typed.Node{T: types.Int{Bits: 64, Signed: true}, Span: e.Span}, Value: uint64(e.Delta)}
	var old *ir.Value
	if atomicSize(m.typed.Value) {
		old = f.addTo(m, e.Key, delta, e.Span, want)
	} else {
		old = f.addPlain(m, e.Key, e.Delta, e.Span)
	}
	if e.Post || !want {
		return old
	}
	return f.resize(f.add(old, e.Delta), types.Int{Bits: 64, Signed: true}, t)
}

// addPlain adds to an element that the machine can not add to atomically.
func (f *fn) addPlain(m *mapInfo, key typed.Expr, delta int64, sp source.Span) *ir.Value {
	t := m.typed.Value
	if m.obj.Type == ebpf.Array {
		p := f.scalarMapMem(m)
		old := f.loadScalar(p, t, false)
		f.storeScalar(p, f.add(old, delta), t)
		f.b.Store(p.base, m.present, f.num(1), 8)
		return old
	}
	k := f.key(m, key)
	p := f.b.Map(ir.OpMapLookup, m.ir, 0, k)
	at := mem{kind: direct, base: p}
	return f.choose(p, 1, ir.I64, func() *ir.Value {
		old := f.loadScalar(at, t, false)
		f.storeScalar(at, f.add(old, delta), t)
		return old
	}, func() *ir.Value {
		tmp := f.temp("value", t.Size())
		f.storeScalar(tmp, f.num(delta), t)
		f.update(m, k, tmp.base, unix.BPF_ANY, sp)
		return f.num(0)
	})
}
