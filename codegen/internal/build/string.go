package build

import (
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// callInto builds the result of a function that gives an aggregate.
func (f *fn) callInto(dst mem, e *typed.Call, clean bool) {
	switch e.Fn {
	case typed.FnComm:
		// Linux 6.1, for one, leaves the bytes behind the name alone; those that
		// extend signs (6.6) clear them.
		if !f.opt.Features.SignExtend {
			f.zero(dst, int64(e.T.Size()))
		}
		f.call(asm.FnGetCurrentComm, f.addr(dst), f.num(int64(e.T.Size())))
	case typed.FnStr:
		f.strInto(dst, e, e.T.Size(), clean)
	case typed.FnBuf:
		f.bufInto(dst, e)
	case typed.FnStrConcat:
		f.concatInto(dst, e, clean)
	case typed.FnKstack, typed.FnUstack:
		f.stackInto(dst, e)
	case typed.FnPath:
		f.pathInto(dst, e)
	case typed.FnStrerror, typed.FnSignalName, typed.FnSyscallName:
		f.nameInto(dst, e)
	default:
		f.opaqueInto(dst, e)
	}
}

// strInto reads text of at most size-1 characters and returns the result of the
// helper: the length with the zero byte, or an error. The bytes behind its end
// are left alone unless clean is set.
func (f *fn) strInto(dst mem, e *typed.Call, size int, clean bool) *ir.Value {
	limit := f.number(e.Args[1])
	fixed := limit.Op == ir.OpConst
	n := f.bounded(limit, size)
	if clean || !fixed {
		// The verifier wants memory to be written before a helper fills it
		// partly.
		f.zero(dst, int64(size))
	}
	if fixed && n.Imm == 0 {
		f.b.Store(dst.base, dst.off, f.num(0), 1)
		return f.num(0)
	}
	return f.readVar(dst, f.textSource(e.Args[0]), n, asm.FnProbeReadKernelStr, asm.FnProbeReadUserStr)
}

// textSource is the memory that str() and buf() read.
func (f *fn) textSource(e typed.Expr) mem {
	if types.IsScalar(e.Type()) {
		return f.pointee(e)
	}
	m := f.locate(e)
	if m.kind == remote && len(m.checks) == 0 && !m.btf {
		return m
	}
	m = f.solid(m, int64(e.Type().Size()))
	return mem{kind: remote, base: m.base, off: m.off, space: types.Kernel}
}

// bufInto reads a buffer; what is behind its end is zero.
func (f *fn) bufInto(dst mem, e *typed.Call) {
	room := e.T.Size() - layout.BufferData
	n := f.bounded(f.number(e.Args[1]), room)
	f.zero(dst, int64(e.T.Size()))
	f.b.Store(dst.base, dst.off+layout.BufferLen, n, 4)
	src := f.textSource(e.Args[0])
	if !types.IsScalar(e.Args[0].Type()) && room > e.Args[0].Type().Size() {
		n = f.bounded(n, e.Args[0].Type().Size())
	}
	if n.Op == ir.OpConst && n.Imm == 0 {
		return
	}
	f.readVar(dst.at(layout.BufferData), src, n, asm.FnProbeReadKernel, asm.FnProbeReadUser)
}

// concatInto joins two strings in memory that holds both, where the verifier
// can follow the sizes, and copies what fits.
func (f *fn) concatInto(dst mem, e *typed.Call, clean bool) {
	a, b := e.Args[0], e.Args[1]
	na, nb := int64(a.Type().Size()), int64(b.Type().Size())
	both := f.temp("joined", int(na+nb))
	f.zero(both, na+nb)
	ma, mb := f.array(a), f.array(b)
	r := f.call(asm.FnProbeReadKernelStr, both.base, f.num(na), f.addr(ma))
	last := f.add(r, -1) // one value, so that its test counts for the address on every kernel
	end := f.choose(f.b.Value(ir.OpULt, last, f.num(na)), 1, ir.I64,
		func() *ir.Value { return last }, func() *ir.Value { return f.num(0) })
	at := f.b.Value(ir.OpAdd, both.base, end)
	f.call(asm.FnProbeReadKernelStr, at, f.num(nb), f.addr(mb))
	size := int64(e.T.Size())
	if n := na + nb; n <= size {
		f.copyMem(dst, both, n)
		f.zero(dst.at(n), size-n)
		return
	}
	if clean {
		f.zero(dst, size)
	}
	f.call(asm.FnProbeReadKernelStr, f.addr(dst), f.num(size), both.base)
}

// textCall returns the functions that look into strings.
func (f *fn) textCall(e *typed.Call) *ir.Value {
	switch e.Fn {
	case typed.FnStrlen:
		return f.strlen(e.Args[0])
	case typed.FnStrncmp:
		return f.strncmp(e)
	case typed.FnMemcmp:
		return f.memcmp(e)
	}
	at := f.find0(e)
	if e.Fn == typed.FnStrcontains {
		return f.b.Value(ir.OpSLe, f.num(0), at)
	}
	return at
}

// strlen counts the bytes before the zero byte.
func (f *fn) strlen(x typed.Expr) *ir.Value {
	if s, ok := x.(*typed.Str); ok {
		return f.num(int64(len(s.Text())))
	}
	m := f.array(x)
	n := f.b.NewVar(ir.I64)
	done := f.b.NewBlock()
	f.words(x.Type().Size(), m, m, scan{
		name:  "text end",
		stops: func(g *fn, x, _ *ir.Value, w int) *ir.Value { return g.zeroBytes(x, w) },
		end: func(x, _, off *ir.Value, w int) {
			f.b.WriteVar(n, f.b.Value(ir.OpAdd, off, f.firstByte(f.zeroBytes(x, w))))
			f.b.Jump(done)
		},
	})
	f.b.WriteVar(n, f.num(int64(x.Type().Size())))
	f.b.Jump(done)
	f.open(done)
	return f.b.ReadVar(n)
}

// strncmp gives 0 if the first Imm characters agree, else 1.
func (f *fn) strncmp(e *typed.Call) *ir.Value {
	n := int(min(max(e.Imm, 0), 1<<20))
	x, y := e.Args[0], e.Args[1]
	if s, ok := x.(*typed.Str); ok {
		x, y = y, s
	}
	if s, ok := y.(*typed.Str); ok {
		want := s.Text() + "\x00"
		want = want[:min(len(want), n)]
		if x.Type().Size() < len(want) {
			f.discard(x)
			return f.num(1)
		}
		m := f.prefix(x, len(want))
		eq := f.allEqual(func(fail *ir.Block) { f.equalConst(m, want, fail) })
		return f.b.Value(ir.OpXor, eq, f.num(1))
	}
	a, b := f.array(x), f.array(y)
	na, nb := min(x.Type().Size(), n), min(y.Type().Size(), n)
	eq := f.allEqual(func(fail *ir.Block) { f.equalStrings(a, b, na, nb, fail) })
	return f.b.Value(ir.OpXor, eq, f.num(1))
}

// memcmp gives the sign of the difference of the first bytes.
func (f *fn) memcmp(e *typed.Call) *ir.Value {
	n := int(e.Imm)
	a, b := f.bytesOf(e.Args[0], n), f.bytesOf(e.Args[1], n)
	out := f.b.NewVar(ir.I64)
	f.b.WriteVar(out, f.num(0))
	end := f.b.NewBlock()
	f.words(n, a, b, scan{
		name:  "bytes",
		stops: func(g *fn, x, y *ir.Value, _ int) *ir.Value { return g.b.Value(ir.OpNe, x, y) },
		end: func(x, y, _ *ir.Value, w int) {
			if w > 1 {
				x, y = f.b.Extend(ir.OpBSwap, x, 8*w), f.b.Extend(ir.OpBSwap, y, 8*w)
			}
			less := f.b.Value(ir.OpULt, x, y)
			f.b.WriteVar(out, f.b.Value(ir.OpSub, f.num(1), f.b.Value(ir.OpShl, less, f.num(1))))
			f.b.Jump(end)
		},
	})
	f.b.Jump(end)
	f.open(end)
	return f.b.ReadVar(out)
}

// bytesOf returns n bytes of a value or of what a pointer leads to; what is
// missing is zero.
func (f *fn) bytesOf(e typed.Expr, n int) mem {
	if types.IsScalar(e.Type()) {
		if _, ok := e.Type().(types.Pointer); ok {
			m := f.temp("bytes", n)
			f.copyMem(m, f.pointee(e), int64(n))
			return m
		}
	}
	size := e.Type().Size()
	m := f.operand(e)
	if size >= n {
		return m
	}
	tmp := f.temp("bytes", n)
	f.zero(tmp, int64(n))
	f.copyMem(tmp, m, int64(size))
	return tmp
}
