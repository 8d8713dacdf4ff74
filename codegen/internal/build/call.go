package build

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// callValue returns the result of a function that gives a scalar or nothing.
func (f *fn) callValue(e *typed.Call) *ir.Value {
	switch e.Fn {
	case typed.FnPid, typed.FnTid, typed.FnUid, typed.FnGid, typed.FnCurtask, typed.FnCgroup, typed.FnCPU, typed.FnNumaID,
		typed.FnRand, typed.FnJiffies, typed.FnNsecs, typed.FnElapsed, typed.FnCpid:
		return f.state(e)
	case typed.FnReg, typed.FnUsermode, typed.FnStackLen, typed.FnBswap, typed.FnSocketCookie, typed.FnPercpuKaddr, typed.FnUaddr:
		return f.simpleCall(e)
	case typed.FnStrlen, typed.FnStrncmp, typed.FnStrstr, typed.FnStrcontains, typed.FnMemcmp:
		return f.textCall(e)
	}
	return f.act(e)
}

// state returns what is known of the task, the machine and the time.
func (f *fn) state(e *typed.Call) *ir.Value {
	switch e.Fn {
	case typed.FnPid:
		return f.b.Value(ir.OpLShr, f.call(asm.FnGetCurrentPidTgid), f.num(32))
	case typed.FnTid:
		return f.b.Extend(ir.OpZExt, f.call(asm.FnGetCurrentPidTgid), 32)
	case typed.FnUid:
		return f.b.Extend(ir.OpZExt, f.call(asm.FnGetCurrentUidGid), 32)
	case typed.FnGid:
		return f.b.Value(ir.OpLShr, f.call(asm.FnGetCurrentUidGid), f.num(32))
	case typed.FnCurtask:
		if f.plan.pointer(e) {
			return f.call(asm.FnGetCurrentTaskBtf)
		}
		return f.currentTask()
	case typed.FnCgroup:
		return f.call(asm.FnGetCurrentCgroupId)
	case typed.FnCPU:
		return f.call(asm.FnGetSmpProcessorId)
	case typed.FnNumaID:
		return f.call(asm.FnGetNumaNodeId)
	case typed.FnRand:
		return f.call(asm.FnGetPrandomU32)
	case typed.FnJiffies:
		return f.call(asm.FnJiffies64)
	case typed.FnNsecs:
		return f.nsecs(e)
	case typed.FnElapsed:
		return f.b.Value(ir.OpSub, f.call(asm.FnKtimeGetBootNs), f.param(object.ParamStart))
	}
	return f.cpid(e)
}

func (f *fn) currentTask() *ir.Value { return f.call(asm.FnGetCurrentTask) }

// param reads what the session has told the programs.
func (f *fn) param(off int64) *ir.Value {
	return f.b.Load(ir.I64, f.b.Map(ir.OpMapValue, f.params(), 0), off, 8)
}

// The clocks of nsecs, as Imm of FnNsecs.
const (
	clockBoot = iota
	clockMonotonic
	clockTAI
	clockSoftTAI
)

func (f *fn) nsecs(e *typed.Call) *ir.Value {
	switch e.Imm {
	case clockMonotonic:
		return f.call(asm.FnKtimeGetNs)
	case clockTAI, clockSoftTAI:
		if f.opt.Features.KtimeTAI {
			return f.call(asm.FnKtimeGetTaiNs)
		}
		if e.Imm == clockTAI {
			f.needs(e.Span, "nsecs(tai)", "6.1")
			return f.num(0)
		}
		return f.b.Value(ir.OpAdd, f.wallClock(), f.num(taiAhead))
	}
	return f.call(asm.FnKtimeGetBootNs)
}

// taiAhead is what the TAI clock is ahead of UTC in ns, since 2017.
const taiAhead = 37_000_000_000

func (f *fn) wallClock() *ir.Value {
	return f.b.Value(ir.OpAdd, f.call(asm.FnKtimeGetBootNs), f.param(object.ParamWall))
}

func (f *fn) cpid(e *typed.Call) *ir.Value {
	pid := f.param(object.ParamCpid)
	f.when(pid, 1, func() {}, func() {
		f.warn(types.ActWarning, "cpid is used without a child process; 0 is being used as the result.", e.Span, nil)
	})
	return pid
}

// simpleCall returns the functions that need few operations.
func (f *fn) simpleCall(e *typed.Call) *ir.Value {
	switch e.Fn {
	case typed.FnReg:
		return f.b.Load(ir.I64, f.ctx(), e.Imm, 8)
	case typed.FnUsermode:
		// The two low bits of the code segment are the privilege level.
		cs := f.b.Load(ir.I64, f.ctx(), e.Imm, 8)
		return f.truth(f.b.Value(ir.OpAnd, cs, f.num(3)))
	case typed.FnStackLen:
		m := f.memory(e.Args[0])
		return f.loadScalar(m.at(stackFrames), types.Int{Bits: 32}, false)
	case typed.FnBswap:
		x := f.number(e.Args[0])
		if e.T.Size() == 1 {
			return f.b.Extend(ir.OpZExt, x, 8)
		}
		return f.b.Extend(ir.OpBSwap, x, 8*e.T.Size())
	case typed.FnUaddr:
		return f.userAddress(e)
	case typed.FnSocketCookie:
		return f.call(asm.FnGetSocketCookie, f.value(e.Args[0]))
	}
	return f.percpu(e)
}

// act returns the functions that do something.
func (f *fn) act(e *typed.Call) *ir.Value {
	switch e.Fn {
	case typed.FnSignal:
		return f.signal(e)
	case typed.FnOverride:
		return f.result(asm.FnOverrideReturn, f.ctx(), f.number(e.Args[0]))
	case typed.FnWriteUser:
		return f.writeUser(e)
	case typed.FnDebugf:
		return f.debugf(e)
	}
	panic(fmt.Sprintf("%s() gives no scalar", e.Fn))
}

func (f *fn) result(fn asm.BuiltinFunc, args ...*ir.Value) *ir.Value {
	r := f.call(fn, args...)
	f.failed(r, helperName(fn))
	return r
}

// maxWrite is the number of bytes that write_user copies at most.
const maxWrite = 4096

func (f *fn) writeUser(e *typed.Call) *ir.Value {
	dst := f.number(e.Args[0])
	src := e.Args[1]
	n := f.number(e.Args[2])
	size := maxWrite
	if c, ok := e.Args[2].(*typed.Const); ok {
		size = int(min(c.Value, maxWrite))
	}
	var from mem
	if _, isPtr := src.Type().(types.Pointer); isPtr {
		from = f.temp("data", size)
		p := f.pointee(src)
		f.readVar(from, p, f.bounded(n, size), asm.FnProbeReadKernel, asm.FnProbeReadUser)
	} else {
		size = min(size, src.Type().Size())
		from = f.operand(src)
	}
	r := f.result(asm.FnProbeWriteUser, dst, f.addr(from), f.bounded(n, size))
	return f.b.Value(ir.OpEq, r, f.num(0))
}

// bounded returns n, or limit if n is larger, as the verifier wants sizes.
func (f *fn) bounded(n *ir.Value, limit int) *ir.Value {
	if n.Op == ir.OpConst {
		return f.num(int64(min(uint64(n.Imm), uint64(limit))))
	}
	return f.choose(f.b.Value(ir.OpULt, f.num(int64(limit)), n), -1, ir.I64,
		func() *ir.Value { return f.num(int64(limit)) }, func() *ir.Value { return n })
}

// pointee is the memory that a pointer or number leads to.
func (f *fn) pointee(e typed.Expr) mem {
	p, ok := e.Type().(types.Pointer)
	space := f.target.Space
	if ok {
		space = p.Space
	}
	v := f.value(e)
	if space == types.Local {
		space = types.Kernel
	}
	return mem{kind: remote, base: v, space: space}
}

// debugf writes to the kernel's trace pipe, which takes three arguments.
func (f *fn) debugf(e *typed.Call) *ir.Value {
	format := f.text0(e.Str)
	args := []*ir.Value{format, f.num(int64(len(e.Str) + 1))}
	for _, a := range e.Args {
		if types.IsScalar(a.Type()) {
			args = append(args, f.value(a))
		} else {
			args = append(args, f.addr(f.array(a)))
		}
	}
	return f.call(asm.FnTracePrintk, args...)
}

// text0 returns the address of constant text with its zero byte.
func (f *fn) text0(s string) *ir.Value {
	return f.b.Map(ir.OpMapValue, f.constant([]byte(s+"\x00")), 0)
}

// percpu returns the address of a processor's copy of a kernel variable: that
// of the variable and the processor's offset, which the kernel keeps in an
// array.
func (f *fn) percpu(e *typed.Call) *ir.Value {
	table := f.number(e.Args[0])
	at := func(cpu *ir.Value) *ir.Value {
		slot := f.b.Value(ir.OpAdd, table, f.b.Value(ir.OpShl, cpu, f.num(3)))
		off := f.loadScalar(mem{kind: remote, base: slot, space: types.Kernel}, types.Int{Bits: 64}, false)
		return f.b.Value(ir.OpAdd, off, f.num(e.Imm))
	}
	if len(e.Args) == 1 {
		return at(f.call(asm.FnGetSmpProcessorId))
	}
	cpu := f.number(e.Args[1])
	return f.choose(f.b.Value(ir.OpULt, cpu, f.num(int64(max(1, f.opt.NumCPU)))), 1, ir.I64,
		func() *ir.Value { return at(cpu) }, func() *ir.Value { return f.num(0) })
}

// userAddress relocates an address of the traced file: the probe's own address
// tells where the file is mapped.
func (f *fn) userAddress(e *typed.Call) *ir.Value {
	for _, t := range f.probe.Targets {
		if t.Func == nil || t.Address != f.target.Address {
			f.errs.Errorf(diag.Unsupported, e.Span, "uaddr() is not supported in %s, or for several functions of one name", t.Provider)
			return f.num(0)
		}
	}
	here := f.load(f.target.Func.Loc, types.Int{Bits: 64})
	return f.add(here, e.Imm-int64(f.target.Address))
}

// maxSignals is the largest signal number.
const maxSignals = 64

// signal sends a signal if its number is one.
func (f *fn) signal(e *typed.Call) *ir.Value {
	n := f.number(e.Args[0])
	fn := asm.FnSendSignal
	if e.Imm == 1 {
		fn = asm.FnSendSignalThread
	}
	f.when(f.b.Value(ir.OpULt, f.add(n, -1), f.num(maxSignals)), 1,
		func() { f.result(fn, n) },
		func() {
			index := f.siteRecord(site{types.ActErrorf, "signal() expects an integer between 1 and 64", e.Span}, false)
			f.send(index, f.obj.Records[index].Layout, func(*ir.Value) {})
		})
	return f.num(0)
}
