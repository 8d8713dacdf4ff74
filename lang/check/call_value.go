package check

import (
	"net/netip"
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

func tracingProbes() []target.Provider {
	return []target.Provider{target.Fentry, target.Fexit, target.Iter}
}

func userProbes() []target.Provider {
	return []target.Provider{target.Uprobe, target.Uretprobe, target.USDT}
}

// valueBuiltins make values of other values: section 13.4.
func valueBuiltins() map[string]*builtin {
	return map[string]*builtin{
		"bswap":         {min: 1, max: 1, check: (*checker).bswap},
		"ntop":          {min: 1, max: 2, check: (*checker).ntop},
		"pton":          {min: 1, max: 1, check: (*checker).pton},
		"macaddr":       {min: 1, max: 1, check: (*checker).macaddr},
		"ksym":          {min: 1, max: 1, check: symbol(types.KSym, typed.FnKsym)},
		"usym":          {min: 1, max: 1, check: symbol(types.USym, typed.FnUsym)},
		"kaddr":         {min: 1, max: 1, check: (*checker).kaddr},
		"uaddr":         {min: 1, max: 1, check: (*checker).uaddr, probes: userProbes(), reads: readsArgs | readsName},
		"percpu_kaddr":  {min: 1, max: 2, check: (*checker).percpuKaddr},
		"kptr":          {min: 1, max: 1, check: inSpace(types.Kernel)},
		"uptr":          {min: 1, max: 1, check: inSpace(types.User)},
		"is_err":        {min: 1, max: 1, check: (*checker).isErr},
		"container_of":  {min: 3, max: 3, check: (*checker).containerOf},
		"strftime":      {min: 2, max: 2, check: (*checker).strftime},
		"cgroupid":      {min: 1, max: 1, check: (*checker).cgroupID},
		"cgroup_path":   {min: 1, max: 2, check: (*checker).cgroupPath},
		"socket_cookie": {min: 1, max: 1, check: (*checker).socketCookie, probes: []target.Provider{target.Fentry, target.Fexit}},
	}
}

func (c *checker) bswap(s *site) operand {
	x := c.arg(s, 0)
	it, ok := intOf(x.Type())
	if _, isIntType := x.Type().(types.Int); !ok || !isIntType {
		if !isUnknown(x.Type()) {
			c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "bswap() only supports integer arguments (%s provided)", kindName(x.Type()))
		}
		return c.bad(s.sp)
	}
	t := types.Int{Bits: it.Bits}
	if it.Bits == 8 {
		return of(convert(x.Expr, t))
	}
	return s.make(t, typed.FnBswap, convert(x.Expr, t))
}

func (c *checker) ntop(s *site) operand {
	t := types.Opaque{Kind: types.Inet}
	var family operand
	i := 0
	if len(s.args) == 2 {
		family = c.intArg(s, 0, false)
		if isUnknown(family.Type()) {
			return family
		}
		i = 1
	}
	x := c.arg(s, i)
	switch a := x.Type().(type) {
	case unknown:
		return x
	case types.Int, *types.Enum:
		x = of(widen(x.Expr, false))
	case types.Array:
		if n := a.Size(); n != 4 && n != 16 {
			c.diags.Errorf(diag.BadArgument, s.sp, "ntop() needs an address of 4 or 16 bytes, not of %d", n)
			return c.bad(s.sp)
		}
	case types.String:
		if a.Cap != 4 && a.Cap != 16 {
			c.diags.Errorf(diag.BadArgument, s.sp, "ntop() needs an address of 4 or 16 bytes (string provided)")
			return c.bad(s.sp)
		}
	case types.Pointer:
	default:
		c.diags.Errorf(diag.BadArgument, s.sp, "ntop() expects an integer or array (%s provided)", kindName(a))
		return c.bad(s.sp)
	}
	call := &typed.Call{Node: node(t, s.sp), Fn: typed.FnNtop, Args: []typed.Expr{x.Expr}}
	if family.Expr != nil {
		if n, ok := constOf(family.Expr); ok {
			call.Imm = int64(n)
		} else {
			call.Args = append(call.Args, convert(family.Expr, uint64Type))
		}
	}
	return of(call)
}

func (c *checker) pton(s *site) operand {
	text, ok := c.litArg(s, 0)
	if !ok {
		return c.bad(s.sp)
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || strings.Contains(text, ".") && !addr.Is4() {
		c.diags.Errorf(diag.BadArgument, s.sp, "pton() expects a string argument of an IPv4/IPv6 address, got %q", text)
		return c.bad(s.sp)
	}
	raw := addr.AsSlice()
	if !strings.Contains(text, ".") {
		b := addr.As16()
		raw = b[:]
	}
	t := types.Array{Elem: types.Int{Bits: 8}, Len: len(raw)}
	return of(&typed.Bytes{Node: node(t, s.sp), Value: raw})
}

func (c *checker) macaddr(s *site) operand {
	x := c.arg(s, 0)
	switch t := x.Type().(type) {
	case unknown:
		return x
	case types.Array, types.String:
		if t.Size() < 6 {
			c.diags.Errorf(diag.BadArgument, s.sp, "macaddr() needs six bytes, not %d", t.Size())
			return c.bad(s.sp)
		}
	case types.Pointer:
	case types.Int:
		x = of(c.address(x))
	default:
		c.diags.Errorf(diag.BadArgument, s.sp, "macaddr() expects an array or pointer (%s provided)", kindName(t))
		return c.bad(s.sp)
	}
	return s.make(types.Opaque{Kind: types.MAC}, typed.FnMacaddr, x.Expr)
}

func symbol(kind types.OpaqueKind, fn typed.Fn) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		x := c.arg(s, 0)
		if o, ok := x.Type().(types.Opaque); ok && o.Kind == kind {
			return x
		}
		x = c.intArg(s, 0, true)
		if isUnknown(x.Type()) {
			return x
		}
		return s.make(types.Opaque{Kind: kind}, fn, convert(x.Expr, uint64Type))
	}
}

func (c *checker) kaddr(s *site) operand {
	name, ok := c.litArg(s, 0)
	if !ok {
		return c.bad(s.sp)
	}
	addr, err := c.env.System.KernelSymbol(name)
	if err != nil {
		c.diags.Errorf(diag.BadArgument, s.sp, "Failed to resolve kernel symbol: %s: %v", name, err)
		return c.bad(s.sp)
	}
	return of(constUint(addr, s.sp))
}

func (c *checker) uaddr(s *site) operand {
	name, ok := c.litArg(s, 0)
	if !ok {
		return c.bad(s.sp)
	}
	addr, size, err := c.env.System.UserSymbol(c.target().Path, name)
	if err != nil {
		c.diags.Errorf(diag.BadArgument, s.sp, "Failed to resolve symbol: %s in %s: %v", name, c.target().Path, err)
		return c.bad(s.sp)
	}
	bits := 64
	if size == 1 || size == 2 || size == 4 {
		bits = int(size) * 8
	}
	t := types.Pointer{Elem: types.Int{Bits: bits, Signed: true}, Space: types.User}
	return of(&typed.Call{Node: node(t, s.sp), Fn: typed.FnUaddr, Imm: int64(addr), Str: name})
}

func (c *checker) percpuKaddr(s *site) operand {
	name, ok := c.litArg(s, 0)
	if !ok {
		return c.bad(s.sp)
	}
	elem, ok := c.env.Kernel.PerCPU(name)
	if !ok {
		c.diags.Errorf(diag.BadArgument, s.sp, "Unknown variable: the kernel's types know no per-cpu variable %q", name)
		return c.bad(s.sp)
	}
	addr, err := c.env.System.KernelSymbol(name)
	if err != nil {
		c.diags.Errorf(diag.BadArgument, s.sp, "Failed to resolve kernel symbol: %s: %v", name, err)
		return c.bad(s.sp)
	}
	offsets, err := c.env.System.KernelSymbol("__per_cpu_offset")
	if err != nil {
		return c.unsupported(s.sp, "percpu_kaddr() on this kernel: "+err.Error())
	}
	call := &typed.Call{Node: node(types.Pointer{Elem: elem, Space: types.Kernel}, s.sp), Fn: typed.FnPercpuKaddr, Str: name,
		Imm: int64(addr), Args: []typed.Expr{constUint(offsets, s.sp)}}
	if len(s.args) == 2 {
		cpu := c.intArg(s, 1, false)
		call.Args = append(call.Args, convert(cpu.Expr, uint64Type))
	}
	return of(call)
}

// inSpace is kptr and uptr.
func inSpace(space types.Space) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		x := c.arg(s, 0)
		switch t := x.Type().(type) {
		case unknown:
			return x
		case types.Pointer:
			t.Space = space
			return of(convert(x.Expr, t))
		case types.Int, *types.Enum:
			return of(convert(widen(x.Expr, false), types.Pointer{Elem: types.Int{Bits: 8, Signed: true}, Space: space}))
		}
		c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "%s() only supports integer or pointer arguments (%s provided)", s.name, kindName(x.Type()))
		return c.bad(s.sp)
	}
}

func (c *checker) isErr(s *site) operand {
	x := c.intArg(s, 0, true)
	if isUnknown(x.Type()) {
		return x
	}
	// The unsigned comparison is IS_ERR_VALUE of include/linux/err.h.
	const lowest = ^uint64(4095 - 1)
	return of(&typed.Binary{Node: node(types.Bool{}, s.sp), Op: typed.Ge, X: convert(x.Expr, uint64Type), Y: constUint(lowest, s.sp)})
}

func (c *checker) containerOf(s *site) operand {
	x := c.arg(s, 0)
	var t types.Type = unknown{}
	switch a := s.args[1].(type) {
	case *ast.TypeArg:
		t = c.typeOrExpr(a.X)
	case *ast.Ident:
		if st, ok := c.tagged("struct", a.Name); ok {
			t = st
		} else if mt, ok := c.macroType(a.Name); ok {
			t = mt
		} else {
			c.diags.Errorf(diag.UnknownName, a.Pos(), "Unknown struct: %s", a.Name)
		}
	default:
		c.diags.Errorf(diag.BadArgument, a.Pos(), "container_of() expects a type as its second argument")
	}
	st, ok := t.(*types.Struct)
	if !ok || isUnknown(x.Type()) {
		if !isUnknown(t) {
			c.diags.Errorf(diag.BadArgument, s.args[1].Pos(), "container_of() expects a struct type")
		}
		return c.bad(s.sp)
	}
	member, ok := c.memberOffset(st, s.args[2])
	p, isPtr := x.Type().(types.Pointer)
	if !ok || !isPtr {
		if ok {
			c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "container_of() expects a pointer (%s provided)", kindName(x.Type()))
		}
		return c.bad(s.sp)
	}
	p.Elem, p.BTF = st, false
	return of(&typed.Binary{Node: node(p, s.sp), Op: typed.Sub, X: convert(x.Expr, p), Y: &typed.Const{Node: node(int64Type, s.sp), Value: uint64(member)}})
}

// memberOffset reads a member designator: name or name.name.
func (c *checker) memberOffset(st *types.Struct, x ast.Expr) (int, bool) {
	switch x := x.(type) {
	case *ast.Ident:
		f, ok := st.Lookup(x.Name)
		if !ok {
			c.diags.Errorf(diag.UnknownName, x.Pos(), "%s does not contain a field named '%s'", structName(st), x.Name)
		}
		return f.Offset, ok
	case *ast.Field:
		id, ok := x.X.(*ast.Ident)
		if !ok {
			break
		}
		f, ok := st.Lookup(id.Name)
		inner, isStruct := f.Type.(*types.Struct)
		if !ok || !isStruct {
			break
		}
		off, ok := c.memberOffset(inner, x.Name)
		return f.Offset + off, ok
	}
	c.diags.Errorf(diag.BadArgument, x.Pos(), "container_of() expects the name of a member")
	return 0, false
}

func (c *checker) strftime(s *site) operand {
	format, ok := c.litArg(s, 0)
	x := c.intArg(s, 1, false)
	if !ok || isUnknown(x.Type()) {
		return c.bad(s.sp)
	}
	call := &typed.Call{Node: node(types.Opaque{Kind: types.Timestamp}, s.sp), Fn: typed.FnStrftime, Str: format, Args: []typed.Expr{convert(x.Expr, uint64Type)}}
	if n, ok := constOf(x.Expr); ok && x.lit && int64(n) < 0 && !x.flex {
		c.diags.Errorf(diag.BadArgument, s.sp, "strftime() can not take a negative value")
		return c.bad(s.sp)
	}
	if ns, ok := x.Expr.(*typed.Call); ok && ns.Fn == typed.FnNsecs {
		switch ns.Imm {
		case 1:
			c.diags.Errorf(diag.BadArgument, s.sp, "strftime() can not take a monotonic timestamp")
			return c.bad(s.sp)
		case 2, 3:
			call.Imm = 1
		}
	}
	return of(call)
}

func (c *checker) cgroupID(s *site) operand {
	path, ok := c.litArg(s, 0)
	if !ok {
		return c.bad(s.sp)
	}
	id, err := c.env.System.CgroupID(path)
	if err != nil {
		c.diags.Errorf(diag.BadArgument, s.sp, "Failed to get cgroup id of %s: %v", path, err)
		return c.bad(s.sp)
	}
	return of(constUint(id, s.sp))
}

func (c *checker) cgroupPath(s *site) operand {
	x := c.intArg(s, 0, false)
	call := &typed.Call{Node: node(types.Opaque{Kind: types.CgroupPath}, s.sp), Fn: typed.FnCgroupPath}
	if len(s.args) == 2 {
		filter, ok := c.litArg(s, 1)
		if !ok {
			return c.bad(s.sp)
		}
		call.Str = filter
	}
	if isUnknown(x.Type()) {
		return x
	}
	call.Args = []typed.Expr{convert(x.Expr, uint64Type)}
	return of(call)
}

func (c *checker) socketCookie(s *site) operand {
	x := c.arg(s, 0)
	if _, ok := x.Type().(types.Pointer); !ok {
		if !isUnknown(x.Type()) {
			c.diags.Errorf(diag.BadArgument, s.args[0].Pos(), "socket_cookie() expects a pointer to struct sock (%s provided)", kindName(x.Type()))
		}
		return c.bad(s.sp)
	}
	return s.make(uint64Type, typed.FnSocketCookie, x.Expr)
}
