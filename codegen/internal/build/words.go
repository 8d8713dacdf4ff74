package build

import (
	"fmt"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// maxUnrolled is the number of bytes up to which memory is walked without a
// loop.
const maxUnrolled = 64

// maxOldWords is how many words are walked on kernels without bpf_loop, whose
// verifier takes no longer sequence of branches in several such loops.
const maxOldWords = 2048

// scan says what to do with the words of two pieces of memory.
type scan struct {
	name string // of the loop, see repeat
	// stops is not zero for the pair of words of w bytes that ends the scan.
	stops func(f *fn, x, y *ir.Value, w int) *ir.Value
	// end is run for that pair, which lies off bytes behind the start. It jumps
	// somewhere.
	end func(x, y, off *ir.Value, w int)
}

// words walks the first n bytes of a and b, in words of 8 bytes as long as
// there are. Many of them are walked in a loop.
func (f *fn) words(n int, a, b mem, s scan) {
	i := 0
	if n > maxUnrolled {
		a, b = f.aligned(a, n), f.aligned(b, n)
		i = n &^ 7
		switch words := i / 8; {
		case words <= maxWalked:
			f.walkWords(i, a, b, s)
		case words <= maxOldWords || f.opt.Features.BPFLoop:
			f.skipWords(i, a, b, s)
		default:
			f.needs(f.b.Span, fmt.Sprintf("looking at %d bytes (see max_strlen)", n), "5.17")
		}
	}
	for i < n {
		w := f.width(n-i, a.at(int64(i)), b.at(int64(i)))
		f.pair(a.at(int64(i)), b.at(int64(i)), f.num(int64(i)), w, s)
		i += w
	}
}

// aligned returns memory that can be read in words of 8 bytes: m, or a copy of
// its first n bytes.
func (f *fn) aligned(m mem, n int) mem {
	if f.width(8, m) == 8 {
		return m
	}
	dst := f.temp("aligned", n)
	f.copyMem(dst, m, int64(n))
	return dst
}

// pair looks at one pair of words.
func (f *fn) pair(a, b mem, off *ir.Value, w int, s scan) {
	x, y := f.b.Load(ir.I64, a.base, a.off, w), f.b.Load(ir.I64, b.base, b.off, w)
	f.when(s.stops(f, x, y, w), 0, func() {
		s.end(x, y, off, w)
		f.dead()
	}, nil)
}

func (f *fn) walkWords(n int, a, b mem, s scan) {
	f.strides(f.num(int64(n&^7)), 8, func(off *ir.Value, _, _ *ir.Block) {
		f.pair(f.behind(a, off), f.behind(b, off), off, 8, s)
	})
}

// behind moves m by off, which is not known when compiling.
func (f *fn) behind(m mem, off *ir.Value) mem {
	m.base = f.b.Value(ir.OpAdd, m.base, off)
	return m
}

// skipWords has a loop of its own find the pair that ends the scan.
func (f *fn) skipWords(n int, a, b mem, s scan) {
	name := fmt.Sprintf("%s %d", s.name, n)
	env := f.repeat(name, int64(n/8), []*ir.Value{f.addr(a), f.addr(b), f.num(int64(n))}, func(t *turn) {
		g := t.fn
		g.when(g.b.Value(ir.OpULt, t.index, g.num(int64(n/8))), 1, func() {}, t.done) // the verifier knows no bound
		off := g.b.Value(ir.OpShl, t.index, g.num(3))
		x := g.b.Load(ir.I64, g.b.Value(ir.OpAdd, t.words[0], off), 0, 8)
		y := g.b.Load(ir.I64, g.b.Value(ir.OpAdd, t.words[1], off), 0, 8)
		g.when(s.stops(g, x, y, 8), 0, func() {
			t.set(2, off)
			t.done()
		}, nil)
	})
	off := f.b.Load(ir.I64, env, 16, 8)
	f.when(f.b.Value(ir.OpULe, off, f.num(int64(n-8))), 0, func() {
		x := f.behind(a, off)
		y := f.behind(b, off)
		s.end(f.b.Load(ir.I64, x.base, x.off, 8), f.b.Load(ir.I64, y.base, y.off, 8), off, 8)
		f.dead()
	}, nil)
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

// firstByte returns the index of the byte whose top bit is the lowest set bit
// of z, a number from 0 to 7. That bit, moved to the bottom of its byte, shifts
// the index to the top of the constant.
func (f *fn) firstByte(z *ir.Value) *ir.Value {
	const indices = 0x0001020304050607
	op := f.b.Value
	one := op(ir.OpLShr, op(ir.OpAnd, z, op(ir.OpNeg, z)), f.num(7))
	return op(ir.OpLShr, op(ir.OpMul, one, f.num(indices)), f.num(56))
}
