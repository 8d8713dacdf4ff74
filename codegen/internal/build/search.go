package build

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/typed"
)

// A search copies the text, and the needle if it is not constant, to an area of
// memory of its own, with a zero byte behind each and room to read words beyond.
// Turn by turn it then looks for the next place where the first character of the
// needle stands, eight characters at a time, and compares the first eight
// characters there. Constant needles are compared as a whole. For others the
// place where the first eight characters agree is where the algorithm of Knuth,
// Morris and Pratt takes over, until a mismatch leaves nothing that could be the
// start of a match. Its table of borders is made as far as a mismatch asks for
// it. So the time is linear in the lengths of both, and a search that finds
// nothing alike costs a few operations for each eight characters.

// Offsets in the area of a search: a word each. Places count from the start of
// the text.
const (
	searchAt      = 0  // next place to look at
	searchFound   = 8  // where the needle is, or -1
	searchMatched = 16 // number of characters of the needle that stand before searchAt
	searchLen     = 24 // length of the needle
	searchFirst   = 32 // its first 8 characters, behind its end zero
	searchMask    = 40 // ones for those that it has
	searchSame    = 48 // its first character, 8 times
	searchBuilt   = 56 // number of entries of the table
	searchBorder  = 64 // border of the next entry's prefix, as far as known
	searchText    = 72 // the text
)

// wordRoom is how far words are read beyond what they are about.
const wordRoom = 16

// search is what the turns of a search know when compiling.
type search struct {
	size   int64 // capacity of the text
	text   string
	needle int64 // offset of the needle in the area; 0 if it is text
	limit  int64 // capacity of the needle
	table  int64 // offset of the table; entry i is the length of the border of i+1 characters, as uint32
	area   int64 // bytes
}

func newSearch(hay, needle typed.Expr) search {
	s := search{size: int64(hay.Type().Size())}
	s.area = searchText + s.size + wordRoom
	if t, ok := needle.(*typed.Str); ok {
		s.text = t.Text()
		s.area += int64(len(s.text))
	} else {
		s.limit = int64(needle.Type().Size())
		s.needle = (s.area + 7) &^ 7
		s.table = (s.needle + s.limit + wordRoom + 7) &^ 7
		s.area = s.table + 4*(s.limit+wordRoom)
	}
	return s
}

// steps bounds the turns. Each moves searchAt, or the start of the attempt, or
// adds to the table.
func (s *search) steps() int64 {
	if s.needle == 0 {
		return s.size + 2
	}
	return 2*(s.size+s.limit) + 16
}

// name names the loop: searches of one name have the same turns.
func (s *search) name() string { return fmt.Sprintf("search %d %d %q", s.size, s.limit, s.text) }

// Kernels without bpf_loop have the verifier walk the turns. These are as many as
// it takes of each kind, of which the one for constant needles has fewer branches.
const (
	maxTextSteps   = 1100
	maxNeedleSteps = 850
)

// find0 returns the index of the first needle in the text, or -1.
func (f *fn) find0(e *typed.Call) *ir.Value {
	hay, needle := e.Args[0], e.Args[1]
	s := newSearch(hay, needle)
	switch {
	case s.needle == 0 && (s.text == "" || len(s.text) > int(s.size)):
		f.discard(hay)
		return f.num(-b2i(s.text != ""))
	case !f.searchable(&s, e):
		return f.num(0)
	}
	if searches(hay) || searches(needle) { // which need the area
		hay, needle = f.apart(hay), f.apart(needle)
	}
	area := f.searchArea(s.area)
	f.hayInto(area.at(searchText), hay)
	set := func(off int64, x *ir.Value) { f.b.Store(area.base, off, x, 8) }
	set(searchAt, f.num(0))
	set(searchFound, f.num(-1))
	if s.needle == 0 {
		f.searchLoop(&s, area)
		return f.b.Load(ir.I64, area.base, searchFound, 8)
	}
	n := f.lengthOf(f.textInto(area.at(s.needle), needle), s.limit)
	return f.choose(n, 1, ir.I64, func() *ir.Value {
		f.setNeedle(&s, area, n)
		f.searchLoop(&s, area)
		return f.b.Load(ir.I64, area.base, searchFound, 8)
	}, func() *ir.Value { return f.num(0) })
}

// searchable reports a search that takes too many turns.
func (f *fn) searchable(s *search, e *typed.Call) bool {
	n := max(s.limit, int64(len(s.text)))
	switch steps := s.steps(); {
	case f.opt.Features.BPFLoop:
		if steps > maxLoop {
			f.errs.Errorf(diag.Unsupported, e.Span, "searching %d in %d characters takes more steps than the kernel allows", n, s.size)
			return false
		}
	case s.needle == 0 && steps > maxTextSteps, s.needle > 0 && steps > maxNeedleSteps:
		f.needs(e.Span, fmt.Sprintf("searching %d in %d characters", n, s.size), "5.17")
		return false
	}
	return true
}

// searches reports whether e has a search.
func searches(e typed.Expr) bool {
	found := false
	visitor{expr: func(e typed.Expr) bool {
		switch x := e.(type) {
		case *typed.BlockExpr:
			found = true
		case *typed.Call:
			found = found || x.Fn == typed.FnStrstr || x.Fn == typed.FnStrcontains
		}
		return !found
	}}.exprs(e)
	return found
}

// apart builds e in memory of its own.
func (f *fn) apart(e typed.Expr) typed.Expr {
	if _, ok := e.(*typed.Str); ok {
		return e
	}
	return &place{Node: typed.Node{T: e.Type(), Span: e.Pos()}, mem: f.built(e)}
}

// searchArea returns memory that all searches of a function share.
func (f *fn) searchArea(size int64) mem {
	if f.area == nil {
		f.area = f.f.NewSlot("search", size, 8)
	}
	f.area.Size = max(f.area.Size, size)
	return mem{kind: direct, base: f.b.Slot(f.area)}
}

// hayInto is textInto without a result: a short text is cheaper to build in place.
func (f *fn) hayInto(dst mem, e typed.Expr) {
	size := int64(e.Type().Size())
	if c, ok := e.(*typed.Call); ok && c.Fn == typed.FnStr || size > maxUnrolled {
		f.textInto(dst, e)
		return
	}
	f.buildInto(dst, e, false)
	f.b.Store(dst.base, dst.off+size, f.num(0), 1)
}

// textInto copies a string to dst, with a zero byte behind it even where it fills
// its capacity, and returns the result of the helper.
func (f *fn) textInto(dst mem, e typed.Expr) *ir.Value {
	size := int64(e.Type().Size())
	if c, ok := e.(*typed.Call); ok && c.Fn == typed.FnStr {
		return f.strInto(dst, c, int(size), false)
	}
	src := f.solid(f.locate(e), size)
	r := f.call(asm.FnProbeReadKernelStr, f.addr(dst), f.num(size+1), f.addr(src))
	f.b.Store(dst.base, dst.off+size, f.num(0), 1) // a full one has no end
	return r
}

// lengthOf turns the result of a helper that reads a string into its length, of
// limit at most; what can not be read is empty.
func (f *fn) lengthOf(r *ir.Value, limit int64) *ir.Value {
	n := f.add(r, -1)
	return f.choose(f.b.Value(ir.OpULt, n, f.num(limit)), 1, ir.I64,
		func() *ir.Value { return n },
		func() *ir.Value {
			full := f.b.Value(ir.OpSLt, f.num(0), n)
			return f.b.Value(ir.OpMul, full, f.num(limit))
		})
}

// setNeedle prepares the search for a needle of n characters.
func (f *fn) setNeedle(s *search, area mem, n *ir.Value) {
	op := f.b.Value
	set := func(off int64, x *ir.Value) { f.b.Store(area.base, off, x, 8) }
	mask := f.choose(op(ir.OpULt, n, f.num(8)), 0, ir.I64,
		func() *ir.Value { return f.add(op(ir.OpShl, f.num(1), op(ir.OpShl, n, f.num(3))), -1) },
		func() *ir.Value { return f.num(-1) })
	first := op(ir.OpAnd, f.b.Load(ir.I64, area.base, s.needle, 8), mask)
	set(searchMatched, f.num(0))
	set(searchLen, n)
	set(searchFirst, first)
	set(searchMask, mask)
	set(searchSame, op(ir.OpMul, f.b.Extend(ir.OpZExt, first, 8), f.num(lowBits)))
	set(searchBuilt, f.num(1))
	set(searchBorder, f.num(0))
	f.b.Store(area.base, s.table, f.num(0), 4)
}

// searchLoop runs the turns.
func (f *fn) searchLoop(s *search, area mem) {
	f.repeat(s.name(), s.steps(), []*ir.Value{area.base}, func(t *turn) {
		r := &searchTurn{turn: t, fn: t.fn, search: s, area: t.words[0]}
		r.at = r.get(searchAt)
		r.bound(r.at, s.size)
		if s.needle == 0 {
			r.constant()
			return
		}
		matched := r.get(searchMatched)
		r.when(matched, -1, func() { r.goOn(matched) }, r.start)
	})
}

// searchTurn generates one turn.
type searchTurn struct {
	*turn
	*fn
	*search
	area *ir.Value
	at   *ir.Value // searchAt as the turn starts
}

func (r *searchTurn) get(off int64) *ir.Value    { return r.fn.b.Load(ir.I64, r.area, off, 8) }
func (r *searchTurn) put(off int64, x *ir.Value) { r.fn.b.Store(r.area, off, x, 8) }

// bound tells the verifier that x is at most limit, which is so.
func (r *searchTurn) bound(x *ir.Value, limit int64) {
	r.when(r.fn.b.Value(ir.OpULe, x, r.fn.num(limit)), 1, func() {}, r.done)
}

// load reads n bytes at the place x of what starts at off.
func (r *searchTurn) load(off int64, x *ir.Value, n int) *ir.Value {
	return r.fn.b.Load(ir.I64, r.fn.b.Value(ir.OpAdd, r.area, x), off, n)
}

// goTo ends the turn; the next one looks at place x.
func (r *searchTurn) goTo(x *ir.Value) {
	r.put(searchAt, x)
	r.next()
}

func (r *searchTurn) foundAt(x *ir.Value) {
	r.put(searchFound, x)
	r.done()
}

// candidate returns the next place, among eight, of the character that first
// holds 8 times; narrow, if it is not nil, may strike out some of the eight. It
// ends the turn where there is none, and the search at the end of the text.
func (r *searchTurn) candidate(first *ir.Value, narrow func(places *ir.Value) *ir.Value) *ir.Value {
	op := r.fn.b.Value
	x := r.load(searchText, r.at, 8)
	z := r.zeroBytes(op(ir.OpXor, x, first), 8)
	if narrow != nil {
		z = narrow(z)
	}
	z = op(ir.OpOr, z, r.zeroBytes(x, 8))
	r.when(z, 0, func() {}, func() { r.goTo(r.add(r.at, 8)) })
	at := op(ir.OpAdd, r.at, op(ir.OpAnd, r.firstByte(z), r.num(7)))
	r.when(r.load(searchText, at, 1), 1, func() {}, r.done)
	return at
}

// constant looks for a needle that is known.
func (r *searchTurn) constant() {
	text := r.text
	last := len(text) - 1
	at := r.candidate(r.num(int64(text[0])*lowBits), func(z *ir.Value) *ir.Value {
		if last == 0 {
			return z
		}
		y := r.fn.b.Value(ir.OpXor, r.load(searchText+int64(last), r.at, 8), r.num(int64(text[last])*lowBits))
		return r.fn.b.Value(ir.OpAnd, z, r.zeroBytes(y, 8))
	})
	miss := func() { r.goTo(r.add(at, 1)) }
	if n := len(text); n < 8 {
		shift := r.num(int64(64 - 8*n))
		x := r.fn.b.Value(ir.OpShl, r.load(searchText, at, 8), shift)
		r.when(r.fn.b.Value(ir.OpEq, x, r.num(word(text)<<(64-8*n))), 0, func() {}, miss)
		r.foundAt(at)
		return
	}
	for i := 0; i < len(text); i += 8 {
		i := min(i, len(text)-8)
		x := r.load(searchText+int64(i), at, 8)
		r.when(r.fn.b.Value(ir.OpEq, x, r.num(word(text[i:i+8]))), 0, func() {}, miss)
	}
	r.foundAt(at)
}

// start looks for the first eight characters of a needle.
func (r *searchTurn) start() {
	op := r.fn.b.Value
	at := r.candidate(r.get(searchSame), nil)
	diff := op(ir.OpAnd, op(ir.OpXor, r.load(searchText, at, 8), r.get(searchFirst)), r.get(searchMask))
	r.when(diff, 0, func() { r.goTo(r.add(at, 1)) }, nil)
	r.when(op(ir.OpULe, r.get(searchLen), r.num(8)), 1, func() { r.foundAt(at) }, nil)
	r.put(searchMatched, r.num(8))
	r.goTo(r.add(at, 8))
}

// goOn compares the next eight characters of a needle that matched so far.
func (r *searchTurn) goOn(matched *ir.Value) {
	op := r.fn.b.Value
	r.bound(matched, r.limit)
	diff := op(ir.OpXor, r.load(searchText, r.at, 8), r.load(r.needle, matched, 8))
	left := op(ir.OpSub, r.get(searchLen), matched)
	more := r.choose(diff, 0, ir.I64,
		func() *ir.Value { return op(ir.OpAnd, r.firstByte(r.differing(diff)), r.num(7)) },
		func() *ir.Value { return r.num(8) })
	r.when(op(ir.OpULe, left, more), 0, func() { r.foundAt(op(ir.OpSub, r.at, matched)) }, nil)
	at, now := op(ir.OpAdd, r.at, more), op(ir.OpAdd, matched, more)
	r.when(diff, 0, func() { r.mismatch(at, now) }, nil)
	r.put(searchMatched, now)
	r.goTo(at)
}

// differing returns a word with the top bits of the bytes of x that are not
// zero.
func (r *searchTurn) differing(x *ir.Value) *ir.Value {
	op := r.fn.b.Value
	rest := r.num(^highBits)
	low := op(ir.OpAdd, op(ir.OpAnd, x, rest), rest)
	return op(ir.OpAnd, op(ir.OpOr, low, x), r.num(highBits))
}

// mismatch lets the attempt start later: the characters that matched may end in
// some of the needle's first ones. If the table does not tell, a turn adds to it,
// and the next one gets here again.
func (r *searchTurn) mismatch(at, matched *ir.Value) {
	op := r.fn.b.Value
	r.when(r.load(searchText, at, 1), 1, func() {}, r.done) // the text ends
	r.when(op(ir.OpULt, r.get(searchBuilt), matched), -1, r.extend, nil)
	r.put(searchMatched, r.border(matched))
	r.goTo(at)
}

// border reads the table: the border of n characters. Nothing is taken from n, as
// old verifiers see a negative index then.
func (r *searchTurn) border(n *ir.Value) *ir.Value {
	return r.load(r.table-4, r.fn.b.Value(ir.OpShl, n, r.num(2)), 4)
}

// extend adds an entry to the table, or takes one step towards it.
func (r *searchTurn) extend() {
	op := r.fn.b.Value
	n, border := r.get(searchBuilt), r.get(searchBorder)
	r.bound(n, r.limit)
	r.bound(border, r.limit)
	same := op(ir.OpEq, r.load(r.needle, n, 1), r.load(r.needle, border, 1))
	r.when(op(ir.OpOr, same, op(ir.OpEq, border, r.num(0))), 0, func() {
		b := op(ir.OpAdd, border, same)
		r.fn.b.Store(op(ir.OpAdd, r.area, op(ir.OpShl, n, r.num(2))), r.table, b, 4)
		r.put(searchBorder, b)
		r.put(searchBuilt, r.add(n, 1))
	}, func() { r.put(searchBorder, r.border(border)) })
	r.next()
}
