package check

import (
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

func signalProbes() []target.Provider {
	return []target.Provider{
		target.Kprobe, target.Kretprobe, target.Uprobe, target.Uretprobe, target.USDT, target.Tracepoint,
		target.RawTracepoint, target.Profile, target.Fentry, target.Fexit,
	}
}

// systemBuiltins change the traced system.
func systemBuiltins() map[string]*builtin {
	return map[string]*builtin{
		"signal":        {min: 1, max: 1, void: true, unsafe: true, probes: signalProbes(), check: signalTo(0)},
		"signal_thread": {min: 1, max: 1, void: true, unsafe: true, probes: signalProbes(), check: signalTo(1)},
		"override":      {min: 1, max: 1, void: true, unsafe: true, probes: []target.Provider{target.Kprobe}, check: (*checker).override},
		"write_user":    {min: 3, max: 3, unsafe: true, check: (*checker).writeUser},
		"unwatch":       {min: 1, max: 1, void: true, probes: []target.Provider{target.Watchpoint}, check: (*checker).unwatch},
		"skboutput":     {min: 4, max: 4, probes: []target.Provider{target.Fentry, target.Fexit}, check: func(c *checker, s *site) operand { return c.unsupported(s.sp, "skboutput()") }},
	}
}

// signalNumber finds the number of a signal of Linux on x86-64 and arm64 by its
// name without SIG (include/uapi/asm-generic/signal.h).
func signalNumber(name string) (int, bool) {
	names := [...]string{"", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
		"ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
		"WINCH", "IO", "PWR", "SYS"}
	if len(name) > 3 && name[:3] == "SIG" {
		name = name[3:]
	}
	for i, n := range names {
		if n == name && i > 0 {
			return i, true
		}
	}
	return 0, false
}

// maxSignal is the largest signal number.
const maxSignal = 64

func signalTo(thread int64) func(*checker, *site) operand {
	return func(c *checker, s *site) operand {
		x := c.arg(s, 0)
		if isUnknown(x.Type()) {
			return operand{}
		}
		if text, ok := litStr(x); ok {
			n, ok := signalNumber(text)
			if !ok {
				c.diags.Errorf(diag.BadArgument, s.sp, "%s is not a valid signal", text)
				return operand{}
			}
			x = of(constUint(uint64(n), s.sp))
		} else if n, ok := constOf(x.Expr); ok && x.lit && (int64(n) < 1 || int64(n) > maxSignal) {
			c.diags.Errorf(diag.BadArgument, s.sp, "%d is not a valid signal: allowed range 1 to %d", int64(n), maxSignal)
			return operand{}
		}
		if !isInt(x.Type()) {
			c.diags.Errorf(diag.BadArgument, s.sp, "%s() expects a signal name or number (%s provided)", s.name, kindName(x.Type()))
			return operand{}
		}
		n := convert(x.Expr, uint64Type)
		call := &typed.Call{Node: node(types.Void{}, s.sp), Fn: typed.FnSignal, Args: []typed.Expr{n}, Imm: thread}
		send := &typed.Eval{X: call, Span: s.sp}
		if _, isConst := constOf(n); isConst {
			add(s.out, send)
		} else {
			c.checkedSignal(s, call, send)
		}
		return operand{}
	}
}

func (c *checker) override(s *site) operand {
	x := c.intArg(s, 0, false)
	if isUnknown(x.Type()) {
		return operand{}
	}
	call := &typed.Call{Node: node(types.Void{}, s.sp), Fn: typed.FnOverride, Args: []typed.Expr{convert(x.Expr, uint64Type)}}
	add(s.out, &typed.Eval{X: call, Span: s.sp})
	return operand{}
}

func (c *checker) writeUser(s *site) operand {
	dst, src, n := c.arg(s, 0), c.arg(s, 1), c.intArg(s, 2, false)
	if isUnknown(dst.Type()) || isUnknown(src.Type()) || isUnknown(n.Type()) {
		return c.bad(s.sp)
	}
	return s.make(types.Bool{}, typed.FnWriteUser, c.address(dst), src.Expr, convert(n.Expr, uint64Type))
}

func (c *checker) unwatch(s *site) operand {
	x := c.intArg(s, 0, true)
	if !isUnknown(x.Type()) {
		add(s.out, &typed.Emit{Action: types.ActUnwatch, Args: []typed.Expr{convert(x.Expr, uint64Type)}, Span: s.sp})
	}
	return operand{}
}

// checkedSignal sends a signal whose number is known only when run, or reports
// one that does not exist.
func (c *checker) checkedSignal(s *site, call *typed.Call, send typed.Stmt) {
	v := &typed.Var{Name: "signal", Type: uint64Type, Span: s.sp}
	ref := &typed.VarRef{Node: node(uint64Type, s.sp), Var: v}
	add(s.out, &typed.Assign{Var: v, X: call.Args[0], Span: s.sp})
	call.Args = []typed.Expr{ref}
	// One comparison serves both bounds: 0 wraps around.
	less := &typed.Binary{Node: node(uint64Type, s.sp), Op: typed.Sub, X: ref, Y: constUint(1, s.sp)}
	valid := &typed.Binary{Node: node(types.Bool{}, s.sp), Op: typed.Lt, X: less, Y: constUint(maxSignal, s.sp)}
	report := &typed.Emit{
		Action: types.ActErrorf, Format: s.name + "() expects an integer between 1 and 64, got %ld", Args: []typed.Expr{ref}, Span: s.sp,
	}
	add(s.out, &typed.If{Cond: valid, Then: &typed.Block{Stmts: []typed.Stmt{send}}, Else: &typed.Block{Stmts: []typed.Stmt{report}}, Span: s.sp})
}
