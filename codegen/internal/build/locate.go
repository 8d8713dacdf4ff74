package build

import (
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// locate returns where the value of an aggregate or of a part of one lies,
// without reading it. Values that are not in memory are built in a temporary.
func (f *fn) locate(e typed.Expr) mem {
	switch e := e.(type) {
	case *place:
		return e.mem
	case *typed.Deref:
		return f.deref(e)
	case *typed.Field:
		m := f.locate(e.X)
		if m.btf && !plainMember(e) {
			m = f.untrack(m)
		}
		m.flat = m.kind == fixed && m.btf && isFlat(e.F.Type)
		return m.at(int64(e.F.Offset))
	case *typed.Index:
		return f.index(e)
	case *typed.VarRef:
		if p := f.variable(e.Var); !p.inSSA {
			return f.varMem(p)
		}
	case *typed.MapGet:
		return f.mapMem(e)
	case *typed.Arg:
		if m, ok := f.argumentMem(e); ok {
			return m
		}
	case *typed.Cond:
		return f.built(e)
	case *typed.BlockExpr:
		f.block(e.Block)
		return f.locate(e.Result)
	case *typed.Convert:
		if f.sameBytes(e) {
			return f.locate(e.X)
		}
	case *typed.Zero:
		return mem{kind: direct, base: f.b.Map(ir.OpMapValue, f.zeros(e.T.Size()), 0)}
	}
	return f.built(e)
}

// memory is locate for memory that is about to be read at constant offsets:
// what needs a helper is fetched first.
func (f *fn) memory(e typed.Expr) mem {
	m := f.locate(e)
	if m.kind == remote || m.btf || len(m.checks) > 0 {
		return f.solid(m, int64(e.Type().Size()))
	}
	return m
}

// array is memory that is about to be read at any offset.
func (f *fn) array(e typed.Expr) mem { return f.solid(f.locate(e), int64(e.Type().Size())) }

// built builds e in a temporary.
func (f *fn) built(e typed.Expr) mem {
	m := f.temp("value", e.Type().Size())
	f.buildInto(m, e, false)
	return m
}

// sameBytes reports whether a conversion leaves what lies in memory as it is.
func (f *fn) sameBytes(e *typed.Convert) bool {
	from, to := e.X.Type(), e.T
	if types.IsScalar(from) || types.IsScalar(to) {
		return false
	}
	if types.Equal(from, to) {
		return true
	}
	return !isTuple(from) && !isTuple(to) && !isString(to) && from.Size() >= to.Size()
}

func isTuple(t types.Type) bool {
	s, ok := t.(*types.Struct)
	return ok && s.IsTuple()
}

func isString(t types.Type) bool { _, ok := t.(types.String); return ok }

func (f *fn) deref(e *typed.Deref) mem {
	v := f.value(e.X)
	p, _ := e.X.Type().(types.Pointer)
	switch {
	case v.Type == ir.Ptr && p.Space == types.Local:
		return mem{kind: direct, base: v}
	case v.Type == ir.Ptr && p.BTF:
		return mem{kind: fixed, base: v, btf: true}
	case v.Type == ir.Ptr && isCtx(e.X):
		return mem{kind: fixed, base: v}
	}
	space := p.Space
	if space == types.Local {
		space = types.Kernel
	}
	return mem{kind: remote, base: v, space: space}
}

// isCtx reports whether e is the context itself, which is read by loads where
// the kernel allows it.
func isCtx(e typed.Expr) bool {
	for {
		switch x := e.(type) {
		case *typed.Ctx:
			return true
		case *typed.Convert:
			e = x.X
		default:
			return false
		}
	}
}

// untrack makes the parts of a kernel object that the verifier does not follow
// be read by a helper.
func (f *fn) untrack(m mem) mem {
	m.kind, m.space, m.flat = remote, types.Kernel, false
	return m
}

// plainMember reports whether the verifier finds the member of a kernel object
// that a load at its offset means: not in unions and bit-fields.
func plainMember(e *typed.Field) bool {
	s, ok := e.X.Type().(*types.Struct)
	if !ok || s.Kind != types.CStruct || e.F.BitSize > 0 {
		return false
	}
	for _, m := range s.Fields() {
		if m.Name == e.F.Name && m.Offset == e.F.Offset && m.Name != "" {
			return true
		}
	}
	return false
}

func isFlat(t types.Type) bool {
	switch t := t.(type) {
	case types.String:
		return true
	case types.Array:
		_, ok := t.Elem.(types.Int)
		return ok
	}
	return false
}

// index returns the place of an element.
func (f *fn) index(e *typed.Index) mem {
	m := f.locate(e.X)
	elem, n, start := elements(e.X.Type())
	size := int64(elem.Size())
	m = m.at(start)
	if c, ok := e.I.(*typed.Const); ok && c.Value < uint64(n) {
		return m.at(int64(c.Value) * size)
	}
	if m.kind == fixed {
		if m.btf {
			m = f.untrack(m)
		} else {
			m = f.solid(m.at(-start), int64(e.X.Type().Size())).at(start)
		}
	}
	i := f.number(e.I)
	m.checks = append(m.checks[:len(m.checks):len(m.checks)], check{i, int64(n), size, e.Span})
	if m.kind == remote {
		m.base, m.btf = f.as(m.base, ir.I64), false
	}
	return m
}

// elements returns the element type, the number of elements and the offset of
// the first one.
func elements(t types.Type) (elem types.Type, n int, start int64) {
	switch t := t.(type) {
	case types.Array:
		return t.Elem, t.Len, 0
	case types.Buffer:
		return types.Int{Bits: 8}, t.Cap - 4, 4
	case types.Opaque:
		return types.Int{Bits: 8}, t.Size(), 0
	}
	return types.Int{Bits: 8}, t.Size(), 0
}

// pointer reports whether the value of e is a pointer that the verifier tracks.
func (p *plan) pointer(e typed.Expr) bool {
	t, ok := e.Type().(types.Pointer)
	if !ok {
		return false
	}
	switch e := e.(type) {
	case *typed.Const, *typed.Zero:
		return false
	case *typed.VarRef:
		return p.tracked[e.Var]
	case *typed.IncDec:
		return e.Var != nil && p.tracked[e.Var]
	case *typed.AddrOf:
		return e.Var != nil || sharedValue(e.Map)
	case *typed.Ctx:
		return true
	case *typed.AddrOfPlace:
		return t.BTF && p.inObject(e.X)
	case *typed.Convert:
		_, ok := e.X.Type().(types.Pointer)
		return ok && p.pointer(e.X)
	case *typed.Cond:
		return p.pointer(e.Then) && p.pointer(e.Else) || p.pointer(e.Then) && isNull(e.Else) || isNull(e.Then) && p.pointer(e.Else)
	case *typed.BlockExpr:
		return e.Result != nil && p.pointer(e.Result)
	case *typed.Binary:
		x, ok := e.X.Type().(types.Pointer)
		return ok && p.pointer(e.X) && x.Space == types.Local
	case *typed.Arg:
		return e.Arg.Loc.Kind == target.LocCtx && e.Arg.Loc.Trusted || e.Arg.Loc.Kind == target.LocDynamic ||
			e.Arg.Loc.Kind == target.LocRelDyn || e.Arg.Loc.Kind == target.LocCtxAddr
	case *typed.Field:
		return t.BTF && p.inObject(e)
	case *typed.Call:
		return t.BTF && e.Fn == typed.FnCurtask && p.g.opt.Features.TaskBTF
	}
	return false
}

// inObject reports whether e is a member of a kernel object that the verifier
// follows loads of.
func (p *plan) inObject(e typed.Expr) bool {
	switch e := e.(type) {
	case *typed.Field:
		return plainMember(e) && p.inObject(e.X)
	case *typed.Deref:
		x, ok := e.X.Type().(types.Pointer)
		return ok && x.BTF && p.pointer(e.X)
	}
	return false
}

func isNull(e typed.Expr) bool {
	switch e := e.(type) {
	case *typed.Zero:
		return true
	case *typed.Const:
		return e.Value == 0
	}
	return false
}
