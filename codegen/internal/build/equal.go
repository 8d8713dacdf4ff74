package build

import (
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

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
		return f.equalText(x, s.Text())
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
	f.words(n, a, b, scan{
		name:  "equal bytes",
		stops: func(g *fn, x, y *ir.Value, _ int) *ir.Value { return g.b.Value(ir.OpNe, x, y) },
		end:   func(_, _, _ *ir.Value, _ int) { f.b.Jump(fail) },
	})
}

// equalStrings compares word by word up to the zero byte. Where a word of both
// differs, only the bytes up to the first zero byte count.
func (f *fn) equalStrings(a, b mem, sizeA, sizeB int, fail *ir.Block) {
	n := min(sizeA, sizeB)
	equal := f.b.NewBlock()
	f.words(n, a, b, scan{
		name: "equal text",
		stops: func(g *fn, x, y *ir.Value, w int) *ir.Value {
			return g.b.Value(ir.OpOr, g.zeroBytes(x, w), g.b.Value(ir.OpXor, x, y))
		},
		end: func(x, y, _ *ir.Value, w int) {
			// All bytes up to the zero byte; all of them if there is none.
			z := f.zeroBytes(x, w)
			upTo := f.b.Value(ir.OpXor, z, f.add(z, -1))
			diff := f.b.Value(ir.OpAnd, f.b.Value(ir.OpXor, x, y), upTo)
			f.b.Branch(diff, fail, equal)
		},
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
