package check

import (
	"slices"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// regProbes have registers in their context.
func regProbes() []target.Provider {
	return []target.Provider{
		target.Kprobe, target.Kretprobe, target.Uprobe, target.Uretprobe, target.USDT,
		target.Profile, target.Interval, target.Software, target.Hardware, target.Watchpoint,
	}
}

// eventBuiltins are about the event: language reference, section 13.1.
func eventBuiltins() map[string]*builtin {
	return map[string]*builtin{
		"args":   {check: (*checker).argsRecord, ctx: true, reads: readsArgs | readsRecord},
		"ctx":    {check: (*checker).ctxPointer, ctx: true},
		"retval": {check: (*checker).retval, ctx: true, reads: readsArgs},
		"func":   {check: (*checker).funcName, ctx: true, reads: readsArgs},
		"probe":  {check: (*checker).probeText, reads: readsName},
		"probetype": {check: func(c *checker, s *site) operand {
			return strLit(probeType(c.target().Provider), s.sp)
		}},
		"reg":      {min: 1, max: 1, check: (*checker).register, probes: regProbes(), ctx: true},
		"usermode": {check: (*checker).usermode, ctx: true},
		"sarg0":    {check: (*checker).sarg}, "sarg1": {check: (*checker).sarg}, "sarg2": {check: (*checker).sarg},
		"sarg3": {check: (*checker).sarg}, "sarg4": {check: (*checker).sarg}, "sarg5": {check: (*checker).sarg},
	}
}

// probeType is the text of probetype.
func probeType(p target.Provider) string {
	switch p {
	case target.Begin, target.End, target.Self:
		return "special"
	case target.Bench:
		return "benchmark"
	}
	return string(p)
}

func (c *checker) probeText(s *site) operand {
	name := c.target().Name
	return operand{Expr: &typed.Str{Node: node(types.String{Cap: len(name) + 1}, s.sp), Value: name}, lit: true}
}

func (c *checker) sarg(s *site) operand {
	c.diags.Errorf(diag.NotHere, s.sp, "%s has been removed", s.name).
		Hint("read stack arguments through reg(\"sp\")")
	return c.bad(s.sp)
}

// argsRecord is args itself: a record without memory of its own.
func (c *checker) argsRecord(s *site) operand {
	t := c.target()
	if len(t.Args) == 0 {
		if t.Provider != target.Tracepoint && t.Provider != target.Fentry && t.Provider != target.Fexit &&
			t.Provider != target.RawTracepoint && t.Provider != target.Uprobe {
			c.errNotHere(s)
			return c.bad(s.sp)
		}
	}
	return of(&typed.Zero{Node: node(types.NewArgs(argFields(t)), s.sp)})
}

func argFields(t *target.Target) []types.Field {
	fields := make([]types.Field, len(t.Args))
	for i, a := range t.Args {
		fields[i] = types.Field{Name: a.Name, Type: a.Type}
	}
	return fields
}

// specialField is args.x and config.x, whose records have no memory.
func (c *checker) specialField(x *ast.Field) (operand, bool) {
	id, ok := x.X.(*ast.Ident)
	if !ok {
		return operand{}, false
	}
	switch id.Name {
	case "args":
		b := c.builtins["args"]
		s := &site{name: "args", sp: x.X.Pos(), bare: true}
		if !c.allowedHere(b, s) {
			return c.bad(x.Pos()), true
		}
		rec := c.argsRecord(s)
		if isUnknown(rec.Type()) {
			return rec, true
		}
		return c.argField(x), true
	case "ctx":
		if c.target().Program == target.ProgIter {
			return c.argField(x), true
		}
	}
	return operand{}, false
}

func (c *checker) argField(x *ast.Field) operand {
	t := c.target()
	for _, a := range t.Args {
		if a.Name == x.Name.Name {
			return of(&typed.Arg{Node: node(c.argType(a), x.Pos()), Arg: a})
		}
	}
	d := c.diags.Errorf(diag.UnknownName, x.Pos(), "%s does not contain a field named '%s'", argsName(t), x.Name.Name)
	if near := c.nearest(x.Name.Name, fieldNames(types.NewArgs(argFields(t)))); near != "" {
		d.Hint("did you mean %q?", near)
	}
	return c.bad(x.Pos())
}

func argsName(t *target.Target) string { return "The argument record of " + t.Name }

// argType gives pointers among the arguments the address space of the probe.
func (c *checker) argType(a target.Arg) types.Type {
	if p, ok := a.Type.(types.Pointer); ok && p.Space == types.NoSpace {
		p.Space = c.target().Space
		return p
	}
	return a.Type
}

func (c *checker) argN(s *site) operand {
	t := c.target()
	n := atoi(s.name[3:])
	if len(t.Positional) == 0 && t.Provider != target.USDT {
		c.errNotHere(s)
		return c.bad(s.sp)
	}
	if n >= len(t.Positional) {
		if t.Provider == target.USDT {
			return of(&typed.Const{Node: node(uint64Type, s.sp)})
		}
		c.diags.Errorf(diag.NotHere, s.sp, "%s is not available: %s probes have %d positional arguments here", s.name, t.Provider, len(t.Positional))
		return c.bad(s.sp)
	}
	a := t.Positional[n]
	if a.Problem != "" {
		c.diags.Errorf(diag.NotHere, s.sp, "%s of %s can not be read: %s", s.name, t.Name, a.Problem)
		return c.bad(s.sp)
	}
	return of(&typed.Arg{Node: node(c.argType(a), s.sp), Arg: a})
}

func (c *checker) retval(s *site) operand {
	t := c.target()
	if t.Ret == nil {
		c.errNotHere(s)
		return c.bad(s.sp)
	}
	return of(&typed.Arg{Node: node(c.argType(*t.Ret), s.sp), Arg: *t.Ret})
}

func (c *checker) funcName(s *site) operand {
	t := c.target()
	if t.Func == nil {
		c.errNotHere(s)
		return c.bad(s.sp)
	}
	addr := &typed.Arg{Node: node(uint64Type, s.sp), Arg: *t.Func}
	kind := types.KSym
	if t.Provider == target.Uprobe || t.Provider == target.Uretprobe {
		kind = types.USym
	}
	return s.make(types.Opaque{Kind: kind}, typed.FnFunc, addr)
}

func (c *checker) ctxPointer(s *site) operand {
	if c.target().Provider == target.Tracepoint {
		c.diags.Errorf(diag.NotHere, s.sp, "ctx can not be used in tracepoint probes").Hint("use args")
		return c.bad(s.sp)
	}
	switch t := c.target(); t.Program {
	case target.ProgKprobe:
		return c.ctxAs("pt_regs", s)
	case target.ProgPerfEvent:
		if t.Provider != target.Begin && t.Provider != target.End {
			return c.ctxAs("bpf_perf_event_data", s)
		}
	case target.ProgIter:
		return of(&typed.Ctx{Node: node(types.Pointer{Elem: types.Void{}, Space: types.Kernel}, s.sp)})
	}
	c.errNotHere(s)
	return c.bad(s.sp)
}

func (c *checker) ctxAs(tag string, s *site) operand {
	elem := types.Type(types.Void{})
	if t, ok := c.env.Kernel.Struct(tag); ok {
		elem = t
	}
	return of(&typed.Ctx{Node: node(types.Pointer{Elem: elem, Space: types.Kernel}, s.sp)})
}

func (c *checker) register(s *site) operand {
	name, ok := c.litArg(s, 0)
	if !ok {
		return c.bad(s.sp)
	}
	off, ok := c.env.System.Register(name)
	if !ok {
		c.diags.Errorf(diag.BadArgument, s.sp, "'%s' is not a valid register on this architecture (%s)", name, c.env.System.Arch())
		return c.bad(s.sp)
	}
	return of(&typed.Call{Node: node(uint64Type, s.sp), Fn: typed.FnReg, Imm: int64(off), Str: name})
}

func (c *checker) usermode(s *site) operand {
	switch p := c.target().Provider; {
	case p == target.Begin || p == target.End || p == target.Self:
		// These run on behalf of the tracer's own system call.
		return of(&typed.Const{Node: node(types.Int{Bits: 8, Signed: true}, s.sp), Value: 1})
	case !slices.Contains(regProbes(), p):
		c.errNotHere(s)
		return c.bad(s.sp)
	}
	off, ok := c.env.System.Register("cs")
	if !ok {
		return c.unsupported(s.sp, "usermode on "+c.env.System.Arch())
	}
	return of(&typed.Call{Node: node(types.Int{Bits: 8, Signed: true}, s.sp), Fn: typed.FnUsermode, Imm: int64(off)})
}
