package build

import (
	"cmp"
	"slices"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// prologue leaves the program at once when the event is none of the probe's
// targets: a raw tracepoint that serves system call events sees all calls.
func (f *fn) prologue() {
	f.walkEnd()
	f.otherProcess()
	first := f.target.Syscall
	if first == nil {
		return
	}
	numbers := f.syscalls()
	if numbers == nil {
		return
	}
	number := f.load(first.NumberLoc, types.Int{Bits: 32, Signed: true})
	on, out := f.b.NewBlock(), f.b.NewBlock()
	f.among(number, numbers, on, out)
	f.open(out)
	f.b.Return(f.num(0))
	f.open(on)
	if first.CompatMask != 0 {
		flags := f.load(first.Compat, types.Int{Bits: 8 * max(1, first.Compat.Size)})
		f.leaveIf(f.b.Value(ir.OpAnd, flags, f.num(int64(first.CompatMask))))
	}
}

// otherProcess leaves where the event is none of the process of option -p, for
// the probes that the kernel can not be told to attach to a process.
func (f *fn) otherProcess() {
	if f.target.Pid == 0 || !f.target.Provider.Systemwide() {
		return
	}
	pid := f.b.Value(ir.OpLShr, f.call(asm.FnGetCurrentPidTgid), f.num(32))
	f.leaveIf(f.b.Value(ir.OpNe, pid, f.num(int64(f.target.Pid))))
}

// walkEnd leaves iterators whose object is null: the walk is over.
func (f *fn) walkEnd() {
	if f.target.Program != target.ProgIter {
		return
	}
	for _, a := range f.target.Args {
		if _, ok := a.Type.(types.Pointer); ok && a.Name != "meta" && a.Loc.Kind == target.LocCtx {
			object := f.b.Load(ir.Ptr, f.ctxArg, int64(a.Loc.Off), 8)
			f.leaveIf(f.b.Value(ir.OpEq, object, f.null()))
			return
		}
	}
}

func (f *fn) leaveIf(cond *ir.Value) {
	on, out := f.b.NewBlock(), f.b.NewBlock()
	at := f.b.Block()
	f.b.Branch(cond, out, on)
	at.Likely = -1
	f.open(out)
	f.b.Return(f.num(0))
	f.open(on)
}

// syscalls returns the numbers of all targets in order, nil if every call is
// meant.
func (g *program) syscalls() []int {
	var list []int
	for _, t := range g.probe.Targets {
		if t.Syscall == nil || t.Syscall.Number < 0 {
			return nil
		}
		list = append(list, t.Syscall.Number)
	}
	slices.SortFunc(list, cmp.Compare[int])
	return slices.Compact(list)
}

// among jumps to yes if x is in the sorted list, else to no. Runs of numbers
// are tested as ranges, by binary search.
func (f *fn) among(x *ir.Value, list []int, yes, no *ir.Block) {
	var runs [][2]int
	for _, n := range list {
		if k := len(runs); k > 0 && runs[k-1][1]+1 == n {
			runs[k-1][1] = n
		} else {
			runs = append(runs, [2]int{n, n})
		}
	}
	f.search(x, runs, yes, no)
}

func (f *fn) search(x *ir.Value, runs [][2]int, yes, no *ir.Block) {
	if len(runs) > 1 {
		mid := len(runs) / 2
		low, high := f.b.NewBlock(), f.b.NewBlock()
		f.b.Branch(f.b.Value(ir.OpULt, x, f.num(int64(runs[mid][0]))), low, high)
		f.open(low)
		f.search(x, runs[:mid], yes, no)
		f.open(high)
		f.search(x, runs[mid:], yes, no)
		return
	}
	lo, hi := int64(runs[0][0]), int64(runs[0][1])
	cond := f.b.Value(ir.OpEq, x, f.num(lo))
	if lo != hi {
		cond = f.b.Value(ir.OpULe, f.add(x, -lo), f.num(hi-lo))
	}
	f.b.Branch(cond, yes, no)
}

// argument returns a scalar argument of the probe.
func (f *fn) argument(e *typed.Arg) *ir.Value {
	if types.IsScalar(e.T) || e.T.Size() == 0 {
		return f.loadAs(e.Arg.Loc, e.T, f.plan.pointer(e))
	}
	panic("an aggregate argument is used as a scalar")
}

func (f *fn) load(l target.Loc, t types.Type) *ir.Value { return f.loadAs(l, t, false) }

func (f *fn) loadAs(l target.Loc, t types.Type, ptr bool) *ir.Value {
	switch l.Kind {
	case target.LocConst:
		return f.num(l.Const)
	case target.LocIP:
		return f.call(asm.FnGetFuncIp, f.ctx())
	case target.LocDynamic, target.LocRelDyn:
		return f.dynamic(l)
	case target.LocCtxAddr:
		return f.add(f.ctx(), int64(l.Off))
	case target.LocMem:
		return f.cut(f.loadScalar(f.memOperand(l), types.Int{Bits: 8 * width(l.Size)}, false), width(l.Size), l)
	case target.LocRegs, target.LocTask:
		return f.fromRegs(l)
	}
	return f.fromCtx(l, ptr)
}

// width returns size, or 8 where a Loc does not say.
func width(size int) int {
	switch size {
	case 1, 2, 4:
		return size
	}
	return 8
}

// cut extends the low Size bytes of v, which has have bytes.
func (f *fn) cut(v *ir.Value, have int, l target.Loc) *ir.Value {
	n := width(l.Size)
	switch {
	case n == 8:
		return v
	case l.Signed:
		return f.b.Extend(ir.OpSExt, v, 8*n)
	case n < have:
		return f.b.Extend(ir.OpZExt, v, 8*n)
	}
	return v
}

// fromCtx loads from the context. The verifier demands whole words where the
// context is an array of such.
func (f *fn) fromCtx(l target.Loc, ptr bool) *ir.Value {
	n, it := width(l.Size), ir.I64
	switch f.target.Program {
	case target.ProgRaw, target.ProgTracing, target.ProgIter:
		if l.Off%8 == 0 {
			n = 8
		}
	}
	if ptr {
		return f.b.Load(ir.Ptr, f.ctx(), int64(l.Off), 8)
	}
	return f.cut(f.b.Load(it, f.ctx(), int64(l.Off), n), n, l)
}

// dynamic returns the address of an event field that lies behind the fixed
// part of the record.
func (f *fn) dynamic(l target.Loc) *ir.Value {
	off := f.b.Value(ir.OpAnd, f.b.Load(ir.I64, f.ctx(), int64(l.Off), 4), f.num(0xffff))
	if l.Kind == target.LocRelDyn {
		off = f.add(off, int64(l.Off+4))
	}
	return f.b.Value(ir.OpAdd, f.ctx(), off)
}

// regs returns the struct that a Loc counts from.
func (f *fn) regs(l target.Loc) mem {
	if l.Kind == target.LocTask {
		if f.opt.Features.TaskBTF {
			return mem{kind: fixed, base: f.call(asm.FnGetCurrentTaskBtf)}
		}
		return mem{kind: remote, base: f.currentTask(), space: types.Kernel}
	}
	if l.Trusted {
		return mem{kind: fixed, base: f.b.Load(ir.Ptr, f.ctx(), int64(8*l.Base), 8)}
	}
	return mem{kind: remote, base: f.b.Load(ir.I64, f.ctx(), int64(8*l.Base), 8), space: types.Kernel}
}

func (f *fn) fromRegs(l target.Loc) *ir.Value {
	n := width(l.Size)
	if l.Kind == target.LocRegs {
		n = 8
	}
	return f.cut(f.loadScalar(f.regs(l).at(int64(l.Off)), types.Int{Bits: 8 * n}, false), n, l)
}

// memOperand is the user memory that the operand of a USDT marker names.
func (f *fn) memOperand(l target.Loc) mem {
	at := f.add(f.b.Load(ir.I64, f.ctx(), int64(l.Off), 8), l.Const)
	if l.Index >= 0 && l.Scale != 0 {
		i := f.b.Load(ir.I64, f.ctx(), int64(l.Index), 8)
		at = f.b.Value(ir.OpAdd, at, f.b.Value(ir.OpMul, i, f.num(int64(l.Scale))))
	}
	return mem{kind: remote, base: at, space: types.User}
}

// argumentMem returns where an aggregate argument lies, if it needs no
// assembling.
func (f *fn) argumentMem(e *typed.Arg) (mem, bool) {
	l := e.Arg.Loc
	switch l.Kind {
	case target.LocCtx, target.LocCtxAddr:
		return mem{kind: fixed, base: f.ctx(), off: int64(l.Off)}, true
	case target.LocMem:
		return f.memOperand(l), true
	case target.LocTask:
		return f.regs(l).at(int64(l.Off)), true
	case target.LocRegs:
		return mem{kind: remote, base: f.b.Load(ir.I64, f.ctx(), int64(8*l.Base), 8), off: int64(l.Off), space: types.Kernel}, true
	}
	return mem{}, false
}

// argumentInto assembles an aggregate argument.
func (f *fn) argumentInto(dst mem, e *typed.Arg, clean bool) {
	l := e.Arg.Loc
	switch {
	case l.Kind == target.LocArgs:
		f.registerArray(dst, l)
	case e.Arg.Loc.Kind == target.LocIP:
		f.zero(dst, int64(e.T.Size()))
		f.b.Store(dst.base, dst.off, f.loadAs(l, e.T, false), 8)
	default:
		f.copyInto(dst, f.locate(e), e.T, clean)
	}
}

// registerArray copies registers. The calling convention of a 32-bit task is
// another one.
func (f *fn) registerArray(dst mem, l target.Loc) {
	store := func(offs []int) func() {
		return func() {
			for i, off := range offs {
				v := f.loadScalar(f.regs(l).at(int64(off)), types.Int{Bits: 64}, false)
				f.b.Store(dst.base, dst.off+int64(8*i), v, 8)
			}
		}
	}
	sc := f.target.Syscall
	if l.CompatOffs == nil || sc == nil || sc.CompatMask == 0 {
		store(l.Offs)()
		return
	}
	flags := f.load(sc.Compat, types.Int{Bits: 8 * max(1, sc.Compat.Size)})
	f.when(f.b.Value(ir.OpAnd, flags, f.num(int64(sc.CompatMask))), -1, store(l.CompatOffs), store(l.Offs))
}
