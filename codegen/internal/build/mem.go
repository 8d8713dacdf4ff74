package build

import (
	"math/bits"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// memKind is how memory is read.
type memKind uint8

const (
	direct memKind = iota // by loads: slots, map values, records
	fixed                 // by loads at constant offsets: the context, kernel objects known by BTF
	remote                // through helpers, from the address space
)

// mem is a place in memory: off bytes behind base, which is a pointer that the
// verifier tracks, or for remote memory a number or pointer.
type mem struct {
	kind  memKind
	base  *ir.Value
	off   int64
	space types.Space // of remote memory
	// btf tells that base is a kernel object, which may be null: the verifier
	// wants that to be known before anything is added to it.
	btf bool
	// flat tells that the memory is one array of integers or characters of a
	// kernel object, which the verifier lets be read in words.
	flat bool
	// checks are the bounds of indices, to be tested before anything is read.
	checks []check
}

// check is an index that is tested before a read; where it is out of bounds the
// value is zero and the script is warned. The address is computed behind the
// test, as the verifier does not carry bounds over to what was computed before.
type check struct {
	index *ir.Value
	n     int64 // number of elements
	size  int64 // bytes of one
	span  source.Span
}

func (m mem) at(off int64) mem {
	m.off += off
	return m
}

// addr returns the address of m as a helper argument.
func (f *fn) addr(m mem) *ir.Value { return f.add(m.base, m.off) }

// guarded evaluates read where all checks of m hold and its base is not null,
// else bad.
func (f *fn) guarded(m mem, t ir.Type, read func(mem) *ir.Value, bad func() *ir.Value) *ir.Value {
	if len(m.checks) == 0 {
		if m.btf {
			return f.choose(m.base, 1, t, func() *ir.Value { return read(m) }, bad)
		}
		return read(m)
	}
	c := m.checks[0]
	m.checks = m.checks[1:]
	return f.choose(f.b.Value(ir.OpULt, c.index, f.num(c.n)), 1, t,
		func() *ir.Value {
			// The mask changes nothing, but where the verifier knows a high bit it does
			// not see that the test fails.
			index := f.b.Value(ir.OpAnd, c.index, f.num(int64(1)<<bits.Len64(uint64(c.n-1))-1))
			m.base = f.b.Value(ir.OpAdd, m.base, f.b.Value(ir.OpMul, index, f.num(c.size)))
			return f.guarded(m, t, read, bad)
		},
		func() *ir.Value {
			f.warn(types.ActWarning, "Array access out of bounds. 0 is being used as the result.", c.span, nil)
			return bad()
		})
}

// loadScalar reads a scalar of type t. The result is a tracked pointer only if
// ptr is set.
func (f *fn) loadScalar(m mem, t types.Type, ptr bool) *ir.Value {
	it := ir.I64
	if ptr {
		it = ir.Ptr
	}
	zero := func() *ir.Value {
		if ptr {
			return f.null()
		}
		return f.num(0)
	}
	return f.guarded(m, it, func(m mem) *ir.Value { return f.loadNow(m, t, it) }, zero)
}

func (f *fn) loadNow(m mem, t types.Type, it ir.Type) *ir.Value {
	if m.kind == remote {
		tmp := f.temp("read", t.Size())
		f.readRemote(tmp, m, int64(t.Size()))
		m = tmp
	}
	return f.extend(f.b.Load(it, m.base, m.off, t.Size()), t)
}

// extend turns the zero-extended bytes of a scalar into its value.
func (f *fn) extend(v *ir.Value, t types.Type) *ir.Value {
	if types.IsSigned(t) && t.Size() < 8 {
		return f.b.Extend(ir.OpSExt, v, 8*t.Size())
	}
	return v
}

// readRemote copies size bytes from remote memory; what can not be read
// becomes zero.
func (f *fn) readRemote(dst, src mem, size int64) {
	f.readVar(dst, src, f.num(size), asm.FnProbeReadKernel, asm.FnProbeReadUser)
}

// readVar calls the helper for the address space of src and returns its result.
func (f *fn) readVar(dst, src mem, size *ir.Value, kernel, user asm.BuiltinFunc) *ir.Value {
	from, to := f.addr(src), f.addr(dst)
	read := func(fn asm.BuiltinFunc) *ir.Value {
		r := f.call(fn, to, size, from)
		f.failed(r, helperName(fn))
		return r
	}
	switch {
	case src.space == types.User:
		return read(user)
	case src.space == types.ByAddress && from.Type == ir.I64:
		return f.choose(f.b.Value(ir.OpSLt, from, f.num(0)), 0, ir.I64,
			func() *ir.Value { return read(kernel) }, func() *ir.Value { return read(user) })
	case src.space == types.NoSpace && from.Type == ir.I64:
		first := f.call(kernel, to, size, from)
		return f.choose(f.b.Value(ir.OpSLt, first, f.num(0)), -1, ir.I64,
			func() *ir.Value { return read(user) }, func() *ir.Value { return first })
	}
	return read(kernel)
}

// failed reports a negative result of a helper if the script asked for it.
func (f *fn) failed(r *ir.Value, name string) {
	if f.typed.Config.HelperErrors {
		f.when(f.b.Value(ir.OpSLt, r, f.num(0)), -1, func() { f.warn(types.ActHelper, name, f.b.Span, r) }, nil)
	}
}

// maxFlat is the size of arrays in kernel objects, in bytes, up to which loads
// are cheaper than a helper.
const maxFlat = 32

// copyMem copies size bytes to dst, which is direct.
func (f *fn) copyMem(dst, src mem, size int64) {
	if size == 0 {
		return
	}
	f.guarded(src, ir.I64, func(src mem) *ir.Value {
		switch {
		case src.kind == remote:
			f.readRemote(dst, src, size)
		case src.btf && !(src.flat && size <= maxFlat):
			f.readRemote(dst, f.untrack(src), size)
		default:
			f.b.Copy(dst.base, dst.off, src.base, src.off, size)
		}
		return f.num(0)
	}, func() *ir.Value {
		f.b.Zero(dst.base, dst.off, size)
		return f.num(0)
	})
}

// solid returns memory with the bytes of m that can be loaded from at any
// offset, and passed to helpers.
func (f *fn) solid(m mem, size int64) mem {
	if m.kind == direct && len(m.checks) == 0 {
		return m
	}
	tmp := f.temp("copy", int(size))
	f.copyMem(tmp, m, size)
	return tmp
}

func (f *fn) zero(m mem, size int64) {
	if size > 0 {
		f.b.Zero(m.base, m.off, size)
	}
}

// storeScalar writes the low bytes of v.
func (f *fn) storeScalar(m mem, v *ir.Value, t types.Type) {
	if t.Size() < 8 {
		v = f.as(v, ir.I64)
	}
	f.b.Store(m.base, m.off, v, t.Size())
}

// storePieces writes the bytes of a scalar to a place that is aligned to align
// bytes only: the verifier wants aligned accesses of the stack.
func (f *fn) storePieces(m mem, v *ir.Value, size, align int) {
	v = f.as(v, ir.I64)
	for off := 0; off < size; off += align {
		part := v
		if off > 0 {
			part = f.b.Value(ir.OpLShr, v, f.num(int64(8*off)))
		}
		f.b.Store(m.base, m.off+int64(off), part, align)
	}
}

// loadNumber reads a number of type t from memory that is aligned to align only.
func (f *fn) loadNumber(m mem, t types.Type, align int) *ir.Value {
	if align < t.Align() {
		tmp := f.temp("number", t.Size())
		f.copyMem(tmp, m, int64(t.Size()))
		m = tmp
	}
	return f.loadScalar(m, t, false)
}

// storeBytes writes constant bytes in as few stores as their alignment allows.
func (f *fn) storeBytes(m mem, data string) {
	for i := 0; i < len(data); {
		w := 8
		for w > len(data)-i || (m.off+int64(i))%int64(w) != 0 {
			w /= 2
		}
		f.b.Store(m.base, m.off+int64(i), f.num(word(data[i:i+w])), w)
		i += w
	}
}

// word returns the number that up to 8 bytes are in memory.
func word(b string) int64 {
	var n uint64
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return int64(n)
}

// as converts between what a value is for the verifier: a tracked pointer
// becomes a number by being read from memory. Only the null pointer can be
// made of a number.
func (f *fn) as(v *ir.Value, t ir.Type) *ir.Value {
	switch {
	case v.Type == t:
		return v
	case t == ir.I64:
		src := f.temp("pointer", 8)
		dst := f.temp("number", 8)
		f.b.Store(src.base, src.off, v, 8)
		f.call(asm.FnProbeReadKernel, dst.base, f.num(8), src.base)
		return f.b.Load(ir.I64, dst.base, dst.off, 8)
	case v.Op == ir.OpConst && v.Imm == 0:
		return f.null()
	}
	panic("a number is used as a pointer that the verifier tracks")
}
