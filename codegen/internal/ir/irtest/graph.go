package irtest

import (
	"math/rand"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Graph returns a function with a random control flow graph, in general an
// irreducible one with loops that do not end: for stages that are checked
// without running their output. It has calls, operations of every constraint
// on registers, and values that live long.
func Graph(seed int64, blocks, vars int) *ir.Func {
	g := &gen{Rand: rand.New(rand.NewSource(seed)), c: Config{Calls: true}}
	f := ir.NewFunc("graph", ir.Ptr, ir.I64, ir.I64)
	f.Frame = 64
	g.b = ir.NewBuilder(f)
	for i := range 2 {
		s := f.NewSlot("slot", 16, 8)
		s.Off = int64(-16 * (i + 1))
		g.slots = append(g.slots, s)
	}
	for i := range vars {
		v := g.b.NewVar(ir.I64)
		g.b.WriteVar(v, f.Blocks[0].Params[1+i%2])
		g.vars = append(g.vars, v)
	}
	all := make([]*ir.Block, blocks)
	for i := range all {
		all[i] = g.b.NewBlock()
	}
	g.b.Jump(all[0])
	for i, blk := range all {
		g.b.SetBlock(blk)
		for n := g.Intn(6); n > 0; n-- {
			g.graphStmt()
		}
		// Mostly forward, so that much of the graph is reachable.
		to := func() *ir.Block {
			if i+1 < blocks && g.Intn(3) > 0 {
				return all[min(blocks-1, i+1+g.Intn(3))]
			}
			return all[g.Intn(blocks)]
		}
		switch n := g.Intn(8); {
		case n == 0 || i == blocks-1:
			g.b.Return(g.read())
		case n < 3:
			g.b.Jump(to())
		default:
			blk.Likely = int8(g.Intn(3) - 1)
			g.b.Branch(g.cond(), to(), to())
		}
	}
	for _, blk := range all {
		g.b.Seal(blk)
	}
	f.RemoveUnreachable()
	return f
}

func (g *gen) graphStmt() {
	switch n := g.Intn(10); {
	case n < 5:
		g.b.WriteVar(g.pick(), g.expr(1+g.Intn(2)))
	case n < 7:
		p, off := g.place(8)
		g.b.Store(p, off, g.operand(), 8)
	case n < 8:
		g.atomic()
	default:
		g.call()
	}
}
