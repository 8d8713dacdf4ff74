package build

import (
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// maxUnrolled is the number of bytes up to which memory is compared without a
// loop.
const maxUnrolled = 64

// compareMem compares values that lie in memory, with Eq or Ne.
func (f *fn) compareMem(e *typed.Binary) *ir.Value {
	eq := f.equalExprs(e.X, e.Y)
	if e.Op == typed.Ne {
		return f.b.Value(ir.OpXor, eq, f.num(1))
	}
	return eq
}

func (f *fn) equalExprs(x, y typed.Expr) *ir.Value {
	if s, ok := x.(*typed.Str); ok {
		x, y = y, s
	}
	if s, ok := y.(*typed.Str); ok {
		return f.equalText(x, s.Value)
	}
	a := f.array(x)
	if effects(y) {
		tmp := f.temp("left", x.Type().Size())
		f.copyMem(tmp, a, int64(x.Type().Size()))
		a = tmp
	}
	b := f.array(y)
	return f.allEqual(func(fail *ir.Block) { f.equalMem(a, b, x.Type(), y.Type(), fail) })
}

// allEqual returns 1 if body does not jump to fail, else 0.
func (f *fn) allEqual(body func(fail *ir.Block)) *ir.Value {
	v := f.b.NewVar(ir.I64)
	fail, join := f.b.NewBlock(), f.b.NewBlock()
	body(fail)
	f.b.WriteVar(v, f.num(1))
	f.b.Jump(join)
	f.open(fail)
	f.b.WriteVar(v, f.num(0))
	f.b.Jump(join)
	f.open(join)
	return f.b.ReadVar(v)
}

// equalText compares a string with a literal: as many bytes as the literal has,
// and the zero byte behind it.
func (f *fn) equalText(x typed.Expr, text string) *ir.Value {
	size := x.Type().Size()
	if size < len(text) {
		f.discard(x)
		return f.num(0)
	}
	want := text + "\x00"
	if size == len(text) {
		want = text
	}
	m := f.prefix(x, len(want))
	return f.allEqual(func(fail *ir.Block) { f.equalConst(m, want, fail) })
}

// prefix returns the first bytes of a string; what comes behind need not be
// there.
func (f *fn) prefix(x typed.Expr, n int) mem {
	if c, ok := x.(*typed.Call); ok && c.Fn == typed.FnStr {
		size := min(x.Type().Size(), n+1)
		m := f.temp("prefix", size)
		f.strInto(m, c, size, false)
		return m
	}
	m := f.locate(x)
	if m.kind == remote || m.btf || len(m.checks) > 0 {
		return f.solid(m, int64(n))
	}
	return m
}

// equalConst leaves for fail unless m starts with want.
func (f *fn) equalConst(m mem, want string, fail *ir.Block) {
	for i := 0; i < len(want); {
		w := f.width(len(want)-i, m.at(int64(i)))
		got := f.b.Load(ir.I64, m.base, m.off+int64(i), w)
		f.exit(f.b.Value(ir.OpNe, got, f.num(word(want[i:i+w]))), 0, fail)
		i += w
	}
}

// width returns the size of the next access of up to n bytes that is aligned
// at all places.
func (f *fn) width(n int, places ...mem) int {
	w := 8
	for w > n {
		w /= 2
	}
	for _, m := range places {
		for m.off%int64(w) != 0 {
			w /= 2
		}
		if m.base.Op == ir.OpAdd {
			w = 1
		}
	}
	return w
}

// equalMem leaves for fail unless the values at a and b are equal.
func (f *fn) equalMem(a, b mem, ta, tb types.Type, fail *ir.Block) {
	switch t := ta.(type) {
	case types.String:
		f.equalStrings(a, b, t.Cap, tb.Size(), fail)
	case *types.Struct:
		if other, ok := tb.(*types.Struct); ok && t.IsTuple() {
			f.equalTuples(a, b, t, other, fail)
			return
		}
		f.equalBytes(a, b, min(ta.Size(), tb.Size()), fail)
	case types.Stack:
		f.equalBytes(a, b, 8, fail)
	default:
		f.equalBytes(a, b, min(ta.Size(), tb.Size()), fail)
	}
}

func (f *fn) equalTuples(a, b mem, ta, tb *types.Struct, fail *ir.Block) {
	for i, x := range ta.Fields() {
		y := tb.Fields()[i]
		if ta.Kind == types.RecordKind {
			y, _ = tb.Lookup(x.Name)
		}
		ma, mb := a.at(int64(x.Offset)), b.at(int64(y.Offset))
		if types.IsScalar(x.Type) {
			f.exit(f.b.Value(ir.OpNe, f.loadScalar(ma, x.Type, false), f.loadScalar(mb, y.Type, false)), 0, fail)
		} else {
			f.equalMem(ma, mb, x.Type, y.Type, fail)
		}
	}
}

// equalBytes leaves for fail unless n bytes are equal.
func (f *fn) equalBytes(a, b mem, n int, fail *ir.Block) {
	f.words(n, a, b, func(a, b mem, w int) {
		x, y := f.b.Load(ir.I64, a.base, a.off, w), f.b.Load(ir.I64, b.base, b.off, w)
		f.exit(f.b.Value(ir.OpNe, x, y), 0, fail)
	})
}

// words calls body for each word of the first n bytes of a and b: in a loop of
// 8-byte words if there are many, else one by one.
func (f *fn) words(n int, a, b mem, body func(a, b mem, w int)) {
	i := 0
	if n > maxUnrolled && f.width(8, a, b) == 8 {
		f.turns(int64(n/8), func(turn *ir.Value, _, _ *ir.Block) {
			off := f.b.Value(ir.OpShl, turn, f.num(3))
			ma, mb := a, b
			ma.base, mb.base = f.b.Value(ir.OpAdd, a.base, off), f.b.Value(ir.OpAdd, b.base, off)
			body(ma, mb, 8)
		})
		i = n &^ 7
	}
	for i < n {
		w := f.width(n-i, a.at(int64(i)), b.at(int64(i)))
		body(a.at(int64(i)), b.at(int64(i)), w)
		i += w
	}
}

const (
	lowBits  = 0x0101010101010101
	highBits = -0x7f7f7f7f7f7f7f80 // 0x8080808080808080
)

// zeroBytes returns a word whose lowest set bit is the top bit of the first
// zero byte of the w-byte word x; 0 if there is none. (Mycroft's test.)
func (f *fn) zeroBytes(x *ir.Value, w int) *ir.Value {
	mask := int64(highBits)
	if w < 8 {
		mask = int64(uint64(mask) & (1<<(8*w) - 1))
	}
	op := f.b.Value
	low := op(ir.OpSub, x, f.num(lowBits))
	return op(ir.OpAnd, op(ir.OpAnd, low, op(ir.OpXor, x, f.num(-1))), f.num(mask))
}

// equalStrings compares word by word up to the zero byte. Where a word of both
// differs, only the bytes up to the first zero byte count.
func (f *fn) equalStrings(a, b mem, sizeA, sizeB int, fail *ir.Block) {
	n := min(sizeA, sizeB)
	equal := f.b.NewBlock()
	f.words(n, a, b, func(a, b mem, w int) {
		x, y := f.b.Load(ir.I64, a.base, a.off, w), f.b.Load(ir.I64, b.base, b.off, w)
		z := f.zeroBytes(x, w)
		f.when(z, 0, func() {
			upTo := f.b.Value(ir.OpXor, z, f.add(z, -1))
			diff := f.b.Value(ir.OpAnd, f.b.Value(ir.OpXor, x, y), upTo)
			f.exit(f.b.Value(ir.OpNe, diff, f.num(0)), 0, fail)
			f.b.Jump(equal)
			f.dead()
		}, func() { f.exit(f.b.Value(ir.OpNe, x, y), 0, fail) })
	})
	// Both are full; the longer one must end here.
	switch {
	case sizeA > n:
		f.exit(f.b.Load(ir.I64, a.base, a.off+int64(n), 1), 0, fail)
	case sizeB > n:
		f.exit(f.b.Load(ir.I64, b.base, b.off+int64(n), 1), 0, fail)
	}
	f.b.Jump(equal)
	f.open(equal)
}
