package build

import (
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// buildInto writes the value of e to dst, which e does not refer to. With clean
// every byte is defined and those behind the end of strings and buffers and
// between fields are zero, as map keys need it.
func (f *fn) buildInto(dst mem, e typed.Expr, clean bool) {
	old := f.b.Span
	f.at(e.Pos())
	defer func() { f.b.Span = old }()
	t := e.Type()
	if types.IsScalar(t) {
		f.storeScalar(dst, f.value(e), t)
		return
	}
	switch e := e.(type) {
	case *typed.Str:
		f.storeText(dst, e, t.Size(), clean)
	case *typed.Bytes:
		f.constantInto(dst, e.Value, t.Size())
	case *typed.Zero:
		f.zero(dst, int64(t.Size()))
	case *typed.Tuple:
		f.tupleInto(dst, e, clean)
	case *typed.Cond:
		f.when(f.value(e.Cond), 0, func() { f.buildInto(dst, e.Then, clean) }, func() { f.buildInto(dst, e.Else, clean) })
	case *typed.BlockExpr:
		f.block(e.Block)
		f.buildInto(dst, e.Result, clean)
	case *typed.Convert:
		f.convertInto(dst, e, clean)
	case *typed.Call:
		f.callInto(dst, e, clean)
	case *typed.Arg:
		f.argumentInto(dst, e, clean)
	default:
		f.copyInto(dst, f.locate(e), t, clean)
	}
}

// copyInto copies a value from memory.
func (f *fn) copyInto(dst, src mem, t types.Type, clean bool) {
	if clean {
		f.copyClean(dst, src, t)
	} else {
		f.copyMem(dst, src, int64(t.Size()))
	}
}

// copyClean copies a value and clears the bytes that mean nothing. Buffers and
// opaque values have none such.
func (f *fn) copyClean(dst, src mem, t types.Type) {
	switch t := t.(type) {
	case types.String:
		f.copyText(dst, src, t.Cap)
		return
	case *types.Struct:
		if t.IsTuple() {
			src = f.solid(src, int64(t.Bytes))
			f.zero(dst, int64(t.Bytes))
			for _, field := range t.Fields() {
				f.copyClean(dst.at(int64(field.Offset)), src.at(int64(field.Offset)), field.Type)
			}
			return
		}
	}
	f.copyMem(dst, src, int64(t.Size()))
}

// maxShort is the size of strings, in bytes, up to which the bytes behind the
// end are cleared without a helper.
const maxShort = 32

// copyShort copies a string word by word, each cut at the first zero byte of
// the string, without branches.
func (f *fn) copyShort(dst, src mem, size int) {
	op := f.b.Value
	keep := f.num(-1) // 0 once the string has ended
	for i := 0; i < size; {
		from, to := src.at(int64(i)), dst.at(int64(i))
		w := f.width(size-i, from, to)
		x := f.b.Load(ir.I64, from.base, from.off, w)
		z := f.zeroBytes(x, w)
		// The lowest bit of z, moved to the bottom of its byte, less one: a
		// mask of the bytes before it, of all if z is 0.
		before := f.add(op(ir.OpLShr, op(ir.OpAnd, z, op(ir.OpNeg, z)), f.num(7)), -1)
		f.b.Store(to.base, to.off, op(ir.OpAnd, op(ir.OpAnd, x, before), keep), w)
		keep = op(ir.OpAnd, keep, f.add(op(ir.OpNe, z, f.num(0)), -1))
		i += w
	}
}

// copyText copies a string up to its end and clears the rest. The helper puts a
// zero byte last; text that fills the capacity has none.
func (f *fn) copyText(dst, src mem, size int) {
	src = f.solid(src, int64(size))
	if size <= maxShort && src.base.Op != ir.OpAdd {
		f.copyShort(dst, src, size)
		return
	}
	f.zero(dst, int64(size))
	n := f.call(asm.FnProbeReadKernelStr, f.addr(dst), f.num(int64(size)), f.addr(src))
	f.when(f.b.Value(ir.OpEq, n, f.num(int64(size))), -1, func() {
		last := int64(size - 1)
		f.b.Store(dst.base, dst.off+last, f.b.Load(ir.I64, src.base, src.off+last, 1), 1)
	}, nil)
}

// storeText writes constant text and zeros up to size.
func (f *fn) storeText(dst mem, s *typed.Str, size int, clean bool) {
	text := s.Value
	if clean {
		text = s.Text()
	}
	f.constantInto(dst, []byte(cut(text, size)), size)
}

// maxStoredConst is the length in bytes from which constants are copied from a
// read-only map instead of being stored word by word.
const maxStoredConst = 128

// constantInto writes constant bytes and zeros up to size.
func (f *fn) constantInto(dst mem, data []byte, size int) {
	full := make([]byte, size)
	copy(full, data)
	n := len(full)
	for n > 0 && full[n-1] == 0 {
		n--
	}
	n = min(size, (n+7)&^7)
	if n > maxStoredConst {
		src := f.b.Map(ir.OpMapValue, f.constant(full), 0)
		f.b.Copy(dst.base, dst.off, src, 0, int64(size))
		return
	}
	f.storeBytes(dst, string(full[:n]))
	f.zero(dst.at(int64(n)), int64(size-n))
}

// tupleInto builds the elements in place. Gaps between them are cleared.
func (f *fn) tupleInto(dst mem, e *typed.Tuple, clean bool) {
	t := e.T.(*types.Struct)
	fields := t.Fields()
	if len(fields) != len(e.Elems) {
		panic("a tuple has another number of elements than its type")
	}
	end := 0
	for i, field := range fields {
		f.zero(dst.at(int64(end)), int64(field.Offset-end))
		f.buildInto(dst.at(int64(field.Offset)), e.Elems[i], clean)
		end = field.Offset + field.Type.Size()
	}
	f.zero(dst.at(int64(end)), int64(t.Bytes-end))
}

// convertInto builds an aggregate of another type.
func (f *fn) convertInto(dst mem, e *typed.Convert, clean bool) {
	from, to := e.X.Type(), e.T
	switch {
	case types.IsScalar(from):
		f.zero(dst, int64(to.Size()))
		f.storePieces(dst, f.value(e.X), from.Size(), min(from.Size(), to.Align()))
	case types.Equal(from, to):
		f.buildInto(dst, e.X, clean)
	case isString(from) && isString(to):
		f.stringInto(dst, e.X, to.Size(), clean)
	case isTuple(from) && isTuple(to):
		f.retuple(dst, e, clean)
	default:
		n := min(from.Size(), to.Size())
		f.copyMem(dst, f.memory(e.X), int64(n))
		f.zero(dst.at(int64(n)), int64(to.Size()-n))
	}
}

// stringInto copies a string to one of another capacity.
func (f *fn) stringInto(dst mem, x typed.Expr, size int, clean bool) {
	n := x.Type().Size()
	if s, ok := x.(*typed.Str); ok {
		f.storeText(dst, s, size, clean)
		return
	}
	if n <= size {
		f.buildInto(dst, x, clean)
		f.zero(dst.at(int64(n)), int64(size-n))
		return
	}
	src := f.array(x)
	if clean {
		f.zero(dst, int64(size))
		f.call(asm.FnProbeReadKernelStr, f.addr(dst), f.num(int64(size)), f.addr(src))
		return
	}
	f.copyMem(dst, src, int64(size))
	f.b.Store(dst.base, dst.off+int64(size-1), f.num(0), 1)
}

// cut shortens text so that a zero byte fits behind it.
func cut(text string, size int) string {
	if len(text) >= size {
		return text[:max(0, size-1)]
	}
	return text
}

// retuple converts a tuple or record element by element; records by name.
func (f *fn) retuple(dst mem, e *typed.Convert, clean bool) {
	from, to := e.X.Type().(*types.Struct), e.T.(*types.Struct)
	src := f.memory(e.X)
	f.zero(dst, int64(to.Bytes))
	x := &place{Node: typed.Node{T: from, Span: e.Span}, mem: src}
	for i, field := range to.Fields() {
		sf := from.Fields()[i]
		if to.Kind == types.RecordKind {
			sf, _ = from.Lookup(field.Name)
		}
		elem := typed.Expr(&typed.Field{Node: typed.Node{T: sf.Type, Span: e.Span}, X: x, F: sf})
		if !types.Equal(sf.Type, field.Type) {
			elem = &typed.Convert{Node: typed.Node{T: field.Type, Span: e.Span}, X: elem}
		}
		f.buildInto(dst.at(int64(field.Offset)), elem, clean)
	}
}

// place is an expression whose value lies in known memory.
type place struct {
	typed.Node
	mem mem
}
