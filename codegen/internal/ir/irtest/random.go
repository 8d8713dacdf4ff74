// Package irtest makes random functions and evaluates them, for tests of the
// stages that work on the IR.
//
// The programs take a pointer to a context of 64-bit words, load from it,
// compute, and return 32 bits that depend on everything. All their loops end,
// all memory is written before it is read, and the kernel's verifier accepts
// them.
package irtest

import (
	"math/rand"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Words is the number of context words that random programs read.
const Words = 8

// Config bounds a random program.
type Config struct {
	Stmts int  // statements of a function
	Vars  int  // variables that live all along
	Calls bool // helper calls and a callback
	Loops bool
}

// ScratchMap returns the per-CPU array that the programs' scratch memory is in.
func ScratchMap() *ir.Map { return &ir.Map{Name: "scratch", KeySize: 4, ValueSize: 1 << 14} }

// ProbeRead is the helper that copies Args[1] bytes from Args[2] to Args[0].
func ProbeRead() *ir.Helper {
	return &ir.Helper{Name: "probe_read_kernel", Fn: asm.FnProbeReadKernel, Effect: ir.KernelRead, Result: ir.I64, Writes: 0, SizeArg: 1, MayFail: true}
}

// CPU is a helper without operands.
func CPU() *ir.Helper {
	return &ir.Helper{Name: "get_smp_processor_id", Fn: asm.FnGetSmpProcessorId, Effect: ir.Invariant, Result: ir.I64, Writes: -1, SizeArg: -1}
}

// Loop is the helper that calls function Args[1] up to Args[0] times, with the
// number of the turn and the pointer Args[2].
func Loop() *ir.Helper {
	return &ir.Helper{Name: "loop", Fn: asm.FnLoop, Effect: ir.Emit, Result: ir.I64, Writes: -1, SizeArg: -1}
}

// Random returns the program that belongs to seed.
func Random(seed int64, c Config) *ir.Program {
	g := &gen{Rand: rand.New(rand.NewSource(seed)), c: c}
	p := &ir.Program{Name: "random", Scratch: ScratchMap()}
	if c.Calls && g.Intn(2) == 0 {
		g.sub = ir.NewFunc("sub", ir.I64, ir.Ptr)
		g.sub.Callback, g.sub.Depth = true, 1
		sub := &gen{Rand: g.Rand, c: Config{Stmts: c.Stmts / 4, Vars: 3, Calls: true}}
		sub.callback(g.sub)
		p.Subs = []*ir.Func{g.sub}
	}
	p.Main = ir.NewFunc("main", ir.Ptr)
	g.start(p.Main, Words)
	g.b.Return(g.result())
	return p
}

type gen struct {
	*rand.Rand
	c     Config
	b     *ir.Builder
	sub   *ir.Func // the callback, if there is one
	env   *ir.Slot // what it gets a pointer to
	vars  []ir.Var
	slots []*ir.Slot
	left  int // statements
	depth int
}

// envWords is the number of words that the callback gets a pointer to.
const envWords = 3

// callback fills f, which leaves its result in the memory that it gets.
func (g *gen) callback(f *ir.Func) {
	g.start(f, envWords)
	g.b.Store(f.Blocks[0].Params[1], int64(8*g.Intn(envWords)), g.result(), 8)
	g.b.Return(g.b.Const(0)) // anything else ends the loop
}

// start fills f with statements, on variables that are parameters or one of
// the words that a parameter points to.
func (g *gen) start(f *ir.Func, words int) {
	g.b = ir.NewBuilder(f)
	g.slots = []*ir.Slot{f.NewSlot("small", 8, 8), f.NewSlot("key", 16, 8), f.NewSlot("large", 40, 8)}
	for _, s := range g.slots {
		g.b.Zero(g.b.Slot(s), 0, s.Size)
	}
	params := f.Blocks[0].Params
	for i := range g.c.Vars {
		x := params[i%len(params)]
		if x.Type == ir.Ptr {
			x = g.b.Load(ir.I64, x, int64(8*g.Intn(words)), 8)
		}
		v := g.b.NewVar(ir.I64)
		g.b.WriteVar(v, x)
		g.vars = append(g.vars, v)
	}
	g.left = g.c.Stmts
	for g.left > 0 {
		g.stmt()
	}
}

// result returns 32 bits that depend on all variables and slots.
func (g *gen) result() *ir.Value {
	sum := g.b.Const(7)
	mix := func(x *ir.Value) {
		sum = g.b.Value(ir.OpAdd, g.b.Value(ir.OpMul, sum, g.b.Const(31)), x)
	}
	for _, v := range g.vars {
		mix(g.b.ReadVar(v))
	}
	for _, s := range g.slots {
		for off := int64(0); off < s.Size; off += 8 {
			mix(g.b.Load(ir.I64, g.b.Slot(s), off, 8))
		}
	}
	high := g.b.Value(ir.OpLShr, sum, g.b.Const(32))
	return g.b.Extend(ir.OpZExt, g.b.Value(ir.OpXor, sum, high), 32)
}

func (g *gen) pick() ir.Var    { return g.vars[g.Intn(len(g.vars))] }
func (g *gen) read() *ir.Value { return g.b.ReadVar(g.pick()) }

// place returns a slot and an aligned offset in it for an access of width bytes.
func (g *gen) place(width int64) (*ir.Value, int64) {
	s := g.slots[g.Intn(len(g.slots))]
	off := int64(g.Intn(int(s.Size/width))) * width
	p := g.b.Slot(s)
	if g.Intn(4) == 0 { // an address that lowering has to fold
		return g.b.Value(ir.OpAdd, p, g.b.Const(off)), 0
	}
	return p, off
}

func (g *gen) stmt() {
	g.left--
	switch n := g.Intn(20); {
	case n < 9:
		g.b.WriteVar(g.pick(), g.expr(2))
	case n < 11:
		w := int64(1) << g.Intn(4)
		p, off := g.place(w)
		g.b.Store(p, off, g.operand(), int(w))
	case n < 12:
		g.memory()
	case n < 13:
		g.atomic()
	case n < 17:
		g.branch()
	case n < 18 && g.c.Loops && g.depth < 2:
		g.loop()
	case n < 19:
		g.temporary()
	case g.c.Calls:
		g.call()
	}
}

// temporary uses a slot of its own for a while.
func (g *gen) temporary() {
	s := g.b.Func.NewSlot("temporary", 8<<g.Intn(4), 8)
	g.b.Zero(g.b.Slot(s), 0, s.Size)
	g.slots = append(g.slots, s)
	for n := g.Intn(3); n > 0 && g.depth < 4; n-- {
		g.stmt()
	}
	g.slots = g.slots[:len(g.slots)-1]
	v := g.pick()
	g.b.WriteVar(v, g.b.Value(ir.OpXor, g.b.ReadVar(v), g.b.Load(ir.I64, g.b.Slot(s), 0, 8)))
}

func (g *gen) memory() {
	p, off := g.place(8)
	if g.Intn(2) == 0 {
		g.b.Zero(p, off, 1+int64(g.Intn(8)))
		return
	}
	q, qoff := g.place(8)
	g.b.Copy(p, off, q, qoff, 1+int64(g.Intn(8)))
}

func (g *gen) atomic() {
	p, off := g.place(8)
	x := g.read()
	if g.Intn(2) == 0 {
		g.b.Atomic(ir.OpAtomicAdd, p, off, x, 8)
		return
	}
	g.b.WriteVar(g.pick(), g.b.Atomic(ir.OpAtomicFetchAdd, p, off, x, 8))
}

// operand returns a variable or a constant.
func (g *gen) operand() *ir.Value {
	switch g.Intn(8) {
	case 0:
		return g.b.Const(int64(g.Uint64()))
	case 1, 2:
		return g.b.Const(int64(g.Intn(200) - 100))
	}
	return g.read()
}

// binaryOp is one of the operations from OpAdd to OpAShr and from OpEq to OpSLe.
func (g *gen) binaryOp() ir.Op {
	arith, compare := int(ir.OpAShr-ir.OpAdd+1), int(ir.OpSLe-ir.OpEq+1)
	n := g.Intn(arith + compare)
	if n < arith {
		return ir.OpAdd + ir.Op(n)
	}
	return ir.OpEq + ir.Op(n-arith)
}

func (g *gen) expr(depth int) *ir.Value {
	if depth == 0 {
		return g.operand()
	}
	switch n := g.Intn(10); {
	case n < 7:
		op := g.binaryOp()
		x, y := g.expr(depth-1), g.expr(depth-1)
		switch op {
		case ir.OpUDiv, ir.OpUMod:
			y = g.b.Value(ir.OpOr, y, g.b.Const(1))
		case ir.OpShl, ir.OpLShr, ir.OpAShr:
			y = g.b.Value(ir.OpAnd, y, g.b.Const(63))
		}
		return g.b.Value(op, x, y)
	case n < 8:
		return g.b.Value(ir.OpNeg, g.expr(depth-1))
	case n < 9:
		return g.b.Extend(ir.OpSExt+ir.Op(g.Intn(3)), g.expr(depth-1), 16<<g.Intn(3))
	}
	w := int64(1) << g.Intn(4)
	p, off := g.place(w)
	return g.b.Load(ir.I64, p, off, int(w))
}

func (g *gen) cond() *ir.Value {
	switch g.Intn(6) {
	case 0:
		return g.read()
	case 1:
		return g.b.Value(ir.OpEq, g.b.Value(ir.OpAnd, g.read(), g.operand()), g.b.Const(0))
	}
	return g.b.Value(ir.OpEq+ir.Op(g.Intn(6)), g.operand(), g.operand())
}

func (g *gen) branch() {
	yes, no, end := g.b.NewBlock(), g.b.NewBlock(), g.b.NewBlock()
	g.b.Block().Likely = int8(g.Intn(3) - 1)
	g.b.Branch(g.cond(), yes, no)
	g.depth++
	for _, blk := range []*ir.Block{yes, no} {
		g.b.Seal(blk)
		g.b.SetBlock(blk)
		for n := g.Intn(4); n > 0 && g.depth < 4; n-- {
			g.stmt()
		}
		g.b.Jump(end)
	}
	g.depth--
	g.b.Seal(end)
	g.b.SetBlock(end)
}

// loop runs its body up to three times.
func (g *gen) loop() {
	head, body, end := g.b.NewBlock(), g.b.NewBlock(), g.b.NewBlock()
	i := g.b.NewVar(ir.I64)
	g.b.WriteVar(i, g.b.Const(0))
	g.b.Jump(head)
	g.b.SetBlock(head)
	g.b.Branch(g.b.Value(ir.OpULt, g.b.ReadVar(i), g.b.Const(int64(1+g.Intn(3)))), body, end)
	g.b.Seal(body)
	g.b.SetBlock(body)
	g.depth++
	for n := 1 + g.Intn(4); n > 0; n-- {
		g.stmt()
	}
	g.depth--
	g.b.WriteVar(i, g.b.Value(ir.OpAdd, g.b.ReadVar(i), g.b.Const(1)))
	g.b.Jump(head)
	g.b.Seal(head)
	g.b.Seal(end)
	g.b.SetBlock(end)
}

func (g *gen) call() {
	switch {
	case g.sub != nil && g.Intn(2) == 0:
		g.loopCall()
	case g.Intn(2) == 0:
		// The result differs from run to run, so only its lack of bits counts.
		x := g.b.Value(ir.OpAnd, g.b.Call(CPU()), g.b.Const(-1<<40))
		v := g.pick()
		g.b.WriteVar(v, g.b.Value(ir.OpAdd, g.b.ReadVar(v), x))
	default:
		p, off := g.place(8)
		q, qoff := g.place(8)
		p = g.b.Value(ir.OpAdd, p, g.b.Const(off))
		q = g.b.Value(ir.OpAdd, q, g.b.Const(qoff))
		g.b.WriteVar(g.pick(), g.b.Call(ProbeRead(), p, g.b.Const(int64(1+g.Intn(8))), q))
	}
}

// loopCall runs the callback up to twice on values of variables.
func (g *gen) loopCall() {
	if g.env == nil {
		g.env = g.b.Func.NewSlot("env", 8*envWords, 8)
		g.env.OnStack = true
	}
	for i := range int64(envWords) {
		g.b.Store(g.b.Slot(g.env), 8*i, g.operand(), 8)
	}
	g.b.Call(Loop(), g.b.Const(int64(g.Intn(3))), g.b.FuncAddr(g.sub), g.b.Slot(g.env), g.b.Const(0))
	g.b.WriteVar(g.pick(), g.b.Load(ir.I64, g.b.Slot(g.env), int64(8*g.Intn(envWords)), 8))
}
