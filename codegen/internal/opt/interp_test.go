package opt

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// machine runs a function: numbers, slots, branches, a hash map and helpers
// whose results depend on their arguments only. Pointers are an object and an
// offset, so that an access outside of an object is found.
type machine struct {
	vals  map[*ir.Value]word
	slots map[*ir.Slot]*object
	elems map[string]*object // of the only map
	trace []uint64           // visible effects in order
	steps int
	limit int
}

type object struct{ data []byte }

// word is a number (obj is nil) or a pointer.
type word struct {
	n   int64
	obj *object
}

// result is what can be seen of a run.
type result struct {
	ret   int64
	trace []uint64
	elems string
	err   error
}

func run(f *ir.Func, limit int, args ...int64) (r result) {
	m := &machine{vals: map[*ir.Value]word{}, slots: map[*ir.Slot]*object{}, elems: map[string]*object{}, limit: limit}
	defer func() {
		if e := recover(); e != nil {
			r.err = fmt.Errorf("%v", e)
		}
	}()
	for _, s := range f.Slots {
		m.slots[s] = &object{make([]byte, s.Size)}
	}
	for i, p := range f.Blocks[0].Params {
		m.vals[p] = word{n: args[i]}
	}
	r.ret = m.exec(f.Blocks[0])
	r.trace = m.trace
	keys := []string{}
	for k, o := range m.elems {
		keys = append(keys, fmt.Sprintf("%x=%x;", k, o.data))
	}
	slices.Sort(keys)
	r.elems = fmt.Sprint(keys)
	return r
}

func (m *machine) exec(b *ir.Block) int64 {
	for {
		for _, v := range b.Values {
			if m.steps++; m.steps > m.limit {
				panic("too many steps")
			}
			m.vals[v] = m.eval(v)
		}
		if m.steps++; m.steps > m.limit {
			panic("too many steps")
		}
		t := b.Term
		if t.Kind == ir.Return {
			return m.vals[t.Cond].n
		}
		e := t.Succs[0]
		if c := t.Cond; t.Kind == ir.Branch && m.vals[c].n == 0 && m.vals[c].obj == nil {
			e = t.Succs[1]
		}
		passed := make([]word, len(e.Args))
		for i, a := range e.Args {
			passed[i] = m.vals[a]
		}
		for i, p := range e.To.Params {
			m.vals[p] = passed[i]
		}
		b = e.To
	}
}

func (m *machine) mem(p *ir.Value, off, size int64) []byte {
	w := m.vals[p]
	if w.obj == nil {
		panic("access through a null pointer")
	}
	return w.obj.data[w.n+off : w.n+off+size]
}

func (m *machine) eval(v *ir.Value) word {
	arg := func(i int) int64 { return m.vals[v.Args[i]].n }
	w := int64(v.Width)
	switch v.Op {
	case ir.OpConst:
		return word{n: v.Imm}
	case ir.OpSlotAddr:
		return word{obj: m.slots[v.Aux.(*ir.Slot)]}
	case ir.OpLoad:
		return word{n: int64(load(m.mem(v.Args[0], v.Imm, w)))}
	case ir.OpStore:
		store(m.mem(v.Args[0], v.Imm, w), uint64(arg(1)))
	case ir.OpAtomicAdd, ir.OpAtomicFetchAdd:
		b := m.mem(v.Args[0], v.Imm, w)
		old := load(b)
		store(b, old+uint64(arg(1)))
		return word{n: int64(old)}
	case ir.OpZero:
		clear(m.mem(v.Args[0], v.Imm, v.Size))
	case ir.OpCopy:
		copy(m.mem(v.Args[0], v.Imm, v.Size), m.mem(v.Args[1], v.Imm2, v.Size))
	case ir.OpMapLookup, ir.OpMapUpdate, ir.OpMapDelete:
		return m.mapOp(v)
	case ir.OpCall:
		return m.call(v)
	case ir.OpAdd:
		return word{arg(0) + arg(1), m.vals[v.Args[0]].obj}
	case ir.OpSub:
		return word{arg(0) - arg(1), m.vals[v.Args[0]].obj}
	case ir.OpEq, ir.OpNe:
		same := m.vals[v.Args[0]] == m.vals[v.Args[1]]
		if same == (v.Op == ir.OpEq) {
			return word{n: 1}
		}
	default:
		return word{n: m.arith(v)}
	}
	return word{}
}

// arith is written apart from fold, from the definition of the operations.
func (m *machine) arith(v *ir.Value) int64 {
	x := uint64(m.vals[v.Args[0]].n)
	var y uint64
	if len(v.Args) > 1 {
		y = uint64(m.vals[v.Args[1]].n)
	}
	flag := func(b bool) uint64 {
		if b {
			return 1
		}
		return 0
	}
	keep := 64 - v.Width
	var r uint64
	switch v.Op {
	case ir.OpMul:
		_, r = bits.Mul64(x, y)
	case ir.OpUDiv:
		r = x / y
	case ir.OpUMod:
		r = x - x/y*y
	case ir.OpAnd:
		r = x & y
	case ir.OpOr:
		r = x | y
	case ir.OpXor:
		r = x ^ y
	case ir.OpShl:
		r = x << (y % 64)
	case ir.OpLShr:
		r = x >> (y % 64)
	case ir.OpAShr:
		r = uint64(int64(x) >> (y % 64))
	case ir.OpNeg:
		r = ^x + 1
	case ir.OpZExt:
		r = x << keep >> keep
	case ir.OpSExt:
		r = uint64(int64(x<<keep) >> keep)
	case ir.OpBSwap:
		for range v.Width / 8 {
			r, x = r<<8|x&0xff, x>>8
		}
	case ir.OpULt:
		r = flag(x < y)
	case ir.OpULe:
		r = flag(x <= y)
	case ir.OpSLt:
		r = flag(int64(x) < int64(y))
	case ir.OpSLe:
		r = flag(int64(x) <= int64(y))
	default:
		panic("no such operation: " + v.String())
	}
	return int64(r)
}

func load(b []byte) uint64 {
	var buf [8]byte
	copy(buf[:], b)
	return binary.LittleEndian.Uint64(buf[:])
}

func store(b []byte, n uint64) {
	var buf [8]byte
	binary.LittleEndian.PutUint64(buf[:], n)
	copy(b, buf[:])
}

// mapOp: an update moves the element, and what held it before is overwritten,
// as the kernel may do with it.
func (m *machine) mapOp(v *ir.Value) word {
	mp := v.Aux.(*ir.Map)
	key := string(m.mem(v.Args[0], 0, int64(mp.KeySize)))
	old := m.elems[key]
	switch v.Op {
	case ir.OpMapLookup:
		return word{obj: old}
	case ir.OpMapUpdate:
		m.elems[key] = &object{slices.Clone(m.mem(v.Args[1], 0, int64(mp.ValueSize)))}
	case ir.OpMapDelete:
		delete(m.elems, key)
		if old == nil {
			return word{n: -2}
		}
	}
	if old != nil {
		for i := range old.data {
			old.data[i] = 0xdd
		}
	}
	return word{}
}

func (m *machine) call(v *ir.Value) word {
	switch h := v.Aux.(*ir.Helper); h.Name {
	case "pid", "cpu_ctx":
		return word{n: 4711}
	case "comm", "read", "kstack":
		b := m.mem(v.Args[0], 0, m.vals[v.Args[1]].n)
		for i := range b {
			b[i] = h.Name[i%4]
		}
		return word{n: int64(len(b))}
	case "output":
		sum := fnv.New64()
		_, _ = sum.Write(m.vals[v.Args[0]].obj.data)
		m.trace = append(m.trace, sum.Sum64())
	default:
		panic("no such helper: " + h.Name)
	}
	return word{}
}

// TestRandomExpressions does the same as TestRandomFunctions for what simplify
// and gvn work on most.
func TestRandomExpressions(t *testing.T) {
	count := 20000
	if testing.Short() {
		count = 3000
	}
	simplify, gvn := passNamed(t, "simplify"), passNamed(t, "gvn")
	changed := 0
	for seed := range count {
		text := randomExpression(rand.New(rand.NewPCG(uint64(seed), 3))).String()
		for _, p := range []Pass{simplify, gvn} {
			if checkPass(t, p, text, uint64(seed)) {
				changed++
			}
		}
		if t.Failed() {
			return
		}
	}
	if changed < count/2 {
		t.Errorf("only %d of %d expressions changed", changed, count)
	}
}

// TestRandomFunctions checks that random functions do the same before and
// after each pass alone, and after the whole pipeline.
func TestRandomFunctions(t *testing.T) {
	count := 1500
	if testing.Short() {
		count = 200
	}
	seen := map[string]bool{}
	passes := []Pass{{Name: "all", Run: runAll}}
	for _, p := range Passes() {
		if !seen[p.Name] {
			passes = append(passes, p)
		}
		seen[p.Name] = true
	}
	changed := map[string]int{}
	for seed := range count {
		text := randomFunc(rand.New(rand.NewPCG(uint64(seed), 1))).String()
		for _, p := range passes {
			if checkPass(t, p, text, uint64(seed)) {
				changed[p.Name]++
			}
			if t.Failed() {
				return
			}
		}
	}
	for _, p := range passes {
		if p.Name != "reach" && changed[p.Name] == 0 {
			t.Errorf("pass %s never changed anything", p.Name)
		}
	}
}

func runAll(f *ir.Func) bool {
	changed := false
	for _, p := range Passes() {
		changed = p.Run(f) || changed
		if err := verifyReachable(f); err != nil {
			panic(fmt.Sprintf("after %s: %v\n%s", p.Name, err, f))
		}
	}
	return changed
}

// verifyReachable is ir.Verify for functions that must have no unreachable
// blocks.
func verifyReachable(f *ir.Func) error {
	d := ir.Dominators(f)
	for _, b := range f.Blocks {
		if !d.Reachable(b) {
			return fmt.Errorf("b%d is unreachable", b.ID)
		}
	}
	return ir.Verify(f)
}

func checkPass(t *testing.T, p Pass, text string, seed uint64) (changed bool) {
	t.Helper()
	before, err := ir.ParseFunc(text, helper)
	if err != nil {
		t.Fatalf("random function is bad: %v\n%s", err, text)
	}
	after, _ := ir.ParseFunc(text, helper)
	changed = p.Run(after)
	if err := ir.Verify(after); err != nil {
		t.Fatalf("seed %d, pass %s: %v\n%s\n%s", seed, p.Name, err, text, after)
	}
	if !changed && after.String() != text {
		t.Fatalf("seed %d, pass %s says that it changed nothing:\n%s\n%s", seed, p.Name, text, after)
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	for range 6 {
		args := []int64{edgeNumber(rng), edgeNumber(rng)}
		want := run(before, 20000, args...)
		if want.err != nil {
			t.Fatalf("seed %d: random function fails: %v\n%s", seed, want.err, text)
		}
		got := run(after, 40000, args...)
		if got.err != nil || got.ret != want.ret || !slices.Equal(got.trace, want.trace) || got.elems != want.elems {
			t.Fatalf("seed %d, pass %s, arguments %d: %+v, want %+v\n%s\n%s", seed, p.Name, args, got, want, text, after)
		}
	}
	return changed
}
