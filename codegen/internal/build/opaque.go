package build

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// opaqueInto builds the values that user space turns into text.
func (f *fn) opaqueInto(dst mem, e *typed.Call) {
	t, ok := e.T.(types.Opaque)
	if !ok {
		panic(fmt.Sprintf("%s() gives no aggregate", e.Fn))
	}
	word := func(off int64, v *ir.Value, n int) { f.b.Store(dst.base, dst.off+off, v, n) }
	switch t.Kind {
	case types.Inet:
		f.inetInto(dst, e)
	case types.MAC:
		f.bytesInto(dst, e.Args[0], 6)
	case types.Timestamp:
		word(layout.TimestampNsecs, f.number(e.Args[0]), 8)
		word(layout.TimestampClock, f.num(e.Imm), 4)
		word(layout.TimestampFormat, f.num(int64(f.textIndex(e.Str))), 4)
	case types.Username:
		word(0, f.number(e.Args[0]), 8)
	case types.CgroupPath:
		word(layout.CgroupID, f.number(e.Args[0]), 8)
		word(layout.CgroupFilter, f.num(int64(f.textIndex(e.Str))), 8)
	case types.KSym:
		word(layout.SymAddress, f.symbol(e.Args[0]), 8)
	case types.USym:
		word(layout.SymAddress, f.symbol(e.Args[0]), 8)
		pid := f.b.Value(ir.OpLShr, f.call(asm.FnGetCurrentPidTgid), f.num(32))
		word(layout.USymPid, pid, 8)
	}
}

// symbol returns the address that a symbol is looked up for. The argument of
// func may be such a value itself.
func (f *fn) symbol(e typed.Expr) *ir.Value {
	if a, ok := e.(*typed.Arg); ok && !types.IsScalar(e.Type()) {
		return f.load(a.Arg.Loc, types.Int{Bits: 64})
	}
	return f.number(e)
}

// bytesInto copies n bytes of a value or of what a pointer leads to.
func (f *fn) bytesInto(dst mem, e typed.Expr, n int) {
	if _, ok := e.Type().(types.Pointer); ok {
		f.copyMem(dst, f.pointee(e), int64(n))
		return
	}
	f.copyMem(dst, f.locate(e), int64(min(n, e.Type().Size())))
}

// Address families, of which Imm of FnNtop is one.
const (
	afInet  = 2
	afInet6 = 10
)

func (f *fn) inetInto(dst mem, e *typed.Call) {
	a := e.Args[0]
	n := 16
	family := e.Imm
	if family == 0 {
		family = afInet6
		if a.Type().Size() <= 4 || types.IsScalar(a.Type()) {
			family = afInet
		}
	}
	if family == afInet {
		n = 4
	}
	f.zero(dst, int64(e.T.Size()))
	af := f.num(family)
	if len(e.Args) > 1 {
		af = f.number(e.Args[1])
		n = min(16, a.Type().Size())
	}
	f.b.Store(dst.base, dst.off+layout.InetFamily, af, 8)
	at := dst.at(layout.InetAddress)
	if _, isPtr := a.Type().(types.Pointer); !isPtr && types.IsScalar(a.Type()) {
		f.b.Store(at.base, at.off, f.number(a), 4)
		return
	}
	f.bytesInto(at, a, n)
}

// pathInto writes the path of a struct path.
func (f *fn) pathInto(dst mem, e *typed.Call) {
	if f.target.Program == target.ProgIter && !f.opt.Features.PathInIter {
		f.needs(e.Span, "path() in iterators", "5.12")
		return
	}
	m := f.pathMem(e.Args[0])
	f.zero(dst, int64(e.T.Size()))
	if m.base.Type != ir.Ptr {
		f.errs.Errorf(diag.Unsupported, e.Span, "path() needs a struct path that the kernel can follow from the arguments of the probe")
		return
	}
	n := e.T.Size()
	if len(e.Args) > 1 {
		if c, ok := e.Args[1].(*typed.Const); ok {
			n = int(min(uint64(n), c.Value))
		}
	}
	f.when(m.base, 1, func() {
		r := f.call(asm.FnDPath, f.addr(m), f.addr(dst), f.num(int64(n)))
		f.failed(r, helperName(asm.FnDPath))
	}, nil)
}

// pathMem returns where a struct path is: within another object, which may be
// null, or where a pointer leads.
func (f *fn) pathMem(e typed.Expr) mem {
	if a, ok := e.(*typed.AddrOfPlace); ok {
		return f.locate(a.X)
	}
	return mem{base: f.value(e)}
}

// nameInto looks a number up in a table of names of equal size; the last one
// stands for all numbers without a name.
func (f *fn) nameInto(dst mem, e *typed.Call) {
	size := e.T.Size()
	names, unknown := f.names(e.Fn)
	data := make([]byte, 0, (len(names)+1)*size)
	for _, name := range append(names, unknown) {
		entry := make([]byte, size)
		copy(entry, cut(name, size))
		if name == "" {
			copy(entry, cut(unknown, size))
		}
		data = append(data, entry...)
	}
	n := f.number(e.Args[0])
	if e.Fn == typed.FnStrerror {
		n = f.choose(f.b.Value(ir.OpSLt, n, f.num(0)), 0, ir.I64,
			func() *ir.Value { return f.b.Value(ir.OpNeg, n) }, func() *ir.Value { return n })
	}
	i := f.bounded(n, len(names))
	base := f.b.Map(ir.OpMapValue, f.constant(data), 0)
	src := f.b.Value(ir.OpAdd, base, f.b.Value(ir.OpMul, i, f.num(int64(size))))
	f.b.Copy(dst.base, dst.off, src, 0, int64(size))
}
