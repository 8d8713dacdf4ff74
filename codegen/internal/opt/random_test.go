package opt

import (
	"math/rand/v2"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// generator makes random functions that end and touch no memory out of
// bounds: if-else, counted loops, slots of 16 bytes, a map with 8-byte keys and
// values.
type generator struct {
	rng   *rand.Rand
	b     *ir.Builder
	f     *ir.Func
	m     *ir.Map
	vars  []ir.Var
	slots []*ir.Slot
	last  *ir.Value // of the expression being made
	left  int       // statements
}

func randomFunc(rng *rand.Rand) *ir.Func {
	g := newGenerator(rng)
	g.left = 10 + rng.IntN(40)
	g.statements(3)
	return g.end()
}

func newGenerator(rng *rand.Rand) *generator {
	f := ir.NewFunc("f", ir.I64, ir.I64)
	g := &generator{rng: rng, f: f, b: ir.NewBuilder(f), m: &ir.Map{Name: "m", KeySize: 8, ValueSize: 8}}
	for i := range 4 {
		v := g.b.NewVar(ir.I64)
		g.b.WriteVar(v, f.Blocks[0].Params[i%2])
		g.vars = append(g.vars, v)
	}
	for range 3 {
		s := f.NewSlot("s", 16, 8)
		g.slots = append(g.slots, s)
		g.b.Zero(g.b.Slot(s), 0, 16)
	}
	return g
}

// end returns what all variables hold.
func (g *generator) end() *ir.Func {
	sum := g.b.ReadVar(g.vars[0])
	for _, v := range g.vars[1:] {
		sum = g.b.Value(ir.OpXor, sum, g.b.ReadVar(v))
	}
	g.b.Return(sum)
	return g.f
}

func (g *generator) read() *ir.Value { return g.b.ReadVar(g.vars[g.rng.IntN(len(g.vars))]) }

func (g *generator) write(x *ir.Value) { g.b.WriteVar(g.vars[g.rng.IntN(len(g.vars))], x) }

// edgeNumber returns a number at which operations tend to change what they do,
// seldom any other.
func edgeNumber(rng *rand.Rand) int64 {
	edges := []int64{0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 40, 1<<63 - 1}
	n := edges[rng.IntN(len(edges))]
	switch rng.IntN(8) {
	case 0:
		return int64(rng.Uint64())
	case 1:
		return -n
	case 2:
		return ^n
	}
	return n
}

// randomExpression returns a function of two numbers without branches.
func randomExpression(rng *rand.Rand) *ir.Func {
	g := newGenerator(rng)
	for range 1 + rng.IntN(4) {
		g.write(g.chain())
	}
	return g.end()
}

func (g *generator) number() *ir.Value {
	return g.b.Const(edgeNumber(g.rng))
}

func (g *generator) operand() *ir.Value {
	if g.rng.IntN(3) == 0 {
		return g.number()
	}
	return g.read()
}

func (g *generator) statements(depth int) {
	for n := 1 + g.rng.IntN(10); n > 0 && g.left > 0; n-- {
		g.left--
		switch k := g.rng.IntN(20); {
		case k < 2 && depth > 0:
			g.branch(depth)
		case k == 2 && depth > 0:
			g.loop(depth)
		case k < 8:
			g.write(g.chain())
		case k < 15:
			g.memory()
		case k < 18:
			g.mapOp()
		default:
			g.b.Call(helper("output"), g.slot())
		}
	}
}

// chain nests some operations, so that rules about two of them apply.
func (g *generator) chain() *ir.Value {
	for range 1 + g.rng.IntN(4) {
		g.last = g.expression()
	}
	x := g.last
	g.last = nil
	return x
}

// first returns a left operand: what the chain has so far, if anything.
func (g *generator) first() *ir.Value {
	if g.last != nil && g.rng.IntN(6) > 0 {
		return g.last
	}
	return g.operand()
}

// second returns a right operand, often a number.
func (g *generator) second() *ir.Value {
	if g.rng.IntN(2) == 0 {
		return g.number()
	}
	return g.operand()
}

func (g *generator) expression() *ir.Value {
	ops := []ir.Op{
		ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpShl, ir.OpLShr, ir.OpAShr,
		ir.OpEq, ir.OpNe, ir.OpULt, ir.OpULe, ir.OpSLt, ir.OpSLe, ir.OpUDiv, ir.OpUMod,
		ir.OpNeg, ir.OpSExt, ir.OpZExt, ir.OpBSwap,
	}
	switch op := ops[g.rng.IntN(len(ops))]; op {
	case ir.OpUDiv, ir.OpUMod:
		divisor := g.b.Const(int64(1) << g.rng.IntN(5))
		if g.rng.IntN(3) == 0 {
			divisor = g.b.Value(ir.OpOr, g.operand(), divisor)
		}
		return g.b.Value(op, g.first(), divisor)
	case ir.OpNeg:
		return g.b.Value(op, g.first())
	case ir.OpSExt, ir.OpZExt:
		return g.b.Extend(op, g.first(), []int{1, 8, 16, 31, 32, 64}[g.rng.IntN(6)])
	case ir.OpBSwap:
		return g.b.Extend(op, g.first(), 16<<g.rng.IntN(3))
	default:
		return g.b.Value(op, g.first(), g.second())
	}
}

func (g *generator) slot() *ir.Value { return g.b.Slot(g.slots[g.rng.IntN(len(g.slots))]) }

// at returns a pointer to a random slot and an offset for an access of size
// bytes; part of the offset may be in the pointer.
func (g *generator) at(size int) (*ir.Value, int64) {
	p, off := g.slot(), int64(g.rng.IntN(16/size)*size)
	if g.rng.IntN(4) == 0 {
		// An index that only the run knows: 0 or 8 less than the offset allows.
		mask := g.b.Const(off)
		i := g.b.Value(ir.OpAnd, g.operand(), mask)
		return g.b.Value(ir.OpAdd, p, i), 0
	}
	if g.rng.IntN(4) == 0 {
		return g.b.Value(ir.OpAdd, p, g.b.Const(off)), 0
	}
	return p, off
}

func (g *generator) memory() {
	size := 1 << g.rng.IntN(4)
	p, off := g.at(size)
	switch g.rng.IntN(8) {
	case 0, 1:
		g.write(g.b.Load(ir.I64, p, off, size))
	case 2, 3:
		g.b.Store(p, off, g.operand(), size)
	case 4:
		g.b.Zero(p, off, int64(size))
	case 5:
		q, from := g.at(size)
		g.b.Copy(p, off, q, from, int64(size))
	case 6:
		g.b.Copy(g.slot(), 0, g.slot(), 0, 16)
	case 7:
		name := []string{"comm", "read", "kstack"}[g.rng.IntN(3)]
		x := g.b.Call(helper(name), g.slot(), g.b.Const(8+8*int64(g.rng.IntN(2))))
		if g.rng.IntN(3) == 0 {
			g.write(x)
		}
	}
}

func (g *generator) mapOp() {
	key := g.slot()
	switch g.rng.IntN(6) {
	case 0:
		g.write(g.b.Map(ir.OpMapUpdate, g.m, 0, key, g.slot()))
	case 1:
		g.write(g.b.Map(ir.OpMapDelete, g.m, 0, key))
	default:
		g.lookup(key)
	}
}

// lookup uses the element if there is one.
func (g *generator) lookup(key *ir.Value) {
	p := g.b.Map(ir.OpMapLookup, g.m, 0, key)
	found, done := g.b.NewBlock(), g.b.NewBlock()
	g.b.Branch(g.b.Value(ir.OpNe, p, g.b.Const(0)), found, done)
	g.b.Seal(found)
	g.b.SetBlock(found)
	for range 1 + g.rng.IntN(4) {
		switch size := 1 << g.rng.IntN(4); g.rng.IntN(4) {
		case 0, 1:
			g.write(g.b.Load(ir.I64, p, int64(size*g.rng.IntN(8/size)), size))
		case 2:
			g.b.Store(p, int64(size*g.rng.IntN(8/size)), g.operand(), size)
		case 3:
			g.memory()
		}
	}
	g.b.Jump(done)
	g.b.Seal(done)
	g.b.SetBlock(done)
}

func (g *generator) branch(depth int) {
	yes, no, done := g.b.NewBlock(), g.b.NewBlock(), g.b.NewBlock()
	g.b.Branch(g.operand(), yes, no)
	for _, b := range []*ir.Block{yes, no} {
		g.b.Seal(b)
		g.b.SetBlock(b)
		g.statements(depth - 1)
		if g.rng.IntN(10) == 0 {
			g.b.Return(g.read())
		}
		g.b.Jump(done)
	}
	g.b.Seal(done)
	g.b.SetBlock(done)
	if len(done.Preds) == 0 {
		g.b.Return(g.b.Const(0))
		g.b.SetBlock(g.f.NewBlock())
	}
}

func (g *generator) loop(depth int) {
	count := g.b.NewVar(ir.I64)
	g.b.WriteVar(count, g.b.Const(int64(1+g.rng.IntN(3))))
	head, body, done := g.b.NewBlock(), g.b.NewBlock(), g.b.NewBlock()
	g.b.Jump(head)
	g.b.SetBlock(head)
	g.b.Branch(g.b.ReadVar(count), body, done)
	g.b.Seal(body)
	g.b.SetBlock(body)
	g.statements(depth - 1)
	g.b.WriteVar(count, g.b.Value(ir.OpSub, g.b.ReadVar(count), g.b.Const(1)))
	g.b.Jump(head)
	g.b.Seal(head)
	g.b.Seal(done)
	g.b.SetBlock(done)
}
