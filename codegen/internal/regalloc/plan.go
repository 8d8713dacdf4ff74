package regalloc

import "github.com/gotrace/gotrace/codegen/internal/ir"

// plan knows the future within the current block: where each value is used
// next, where the calls are, and which register a value had better be in.
type plan struct {
	pos   int32   // of the current operation
	calls []int32 // positions, the last one first
	head  []int32 // by value ID: index in uses + 1 of the next use
	uses  []useAt
	last  []int32 // by value ID: position of the last use
	far   []bool  // by value ID: a call in a later block comes before the last use
	want  []hint  // by value ID
	out   []liveEntry
	known []*ir.Value // values with uses in or behind the block
}

type useAt struct{ pos, next int32 }

// hint is a register and the position of what demands it.
type hint struct {
	reg int8 // -1 for none
	pos int32
}

func (p *plan) init(values int) {
	p.head = make([]int32, values)
	p.last = make([]int32, values)
	p.far = make([]bool, values)
	p.want = make([]hint, values)
	for i := range p.want {
		p.want[i].reg = -1
	}
}

// next returns the position of the next use of v, noPosition for none.
func (p *plan) next(v *ir.Value) int32 {
	if h := p.head[v.ID]; h > 0 {
		return p.uses[h-1].pos
	}
	return noPosition
}

// push enters a use of v before those that are known.
func (p *plan) push(v *ir.Value, pos int32) {
	if p.head[v.ID] == 0 {
		p.last[v.ID] = pos
		p.want[v.ID].reg = -1
		p.known = append(p.known, v)
	}
	p.uses = append(p.uses, useAt{pos, p.head[v.ID]})
	p.head[v.ID] = int32(len(p.uses))
}

// advance forgets the uses of v up to the current position.
func (p *plan) advance(v *ir.Value) {
	for p.next(v) <= p.pos {
		p.head[v.ID] = p.uses[p.head[v.ID]-1].next
	}
}

// nextCall returns the position of the next call behind the current operation.
func (p *plan) nextCall() int32 {
	for len(p.calls) > 0 && p.calls[len(p.calls)-1] <= p.pos {
		p.calls = p.calls[:len(p.calls)-1]
	}
	if len(p.calls) == 0 {
		return noPosition
	}
	return p.calls[len(p.calls)-1]
}

// crosses reports whether a call comes before the last use of v.
func (p *plan) crosses(v *ir.Value) bool {
	return p.head[v.ID] > 0 && (p.far[v.ID] || p.nextCall() < p.last[v.ID])
}

// wants returns the register that v had better be in from here on, or -1. What
// a call would destroy on the way counts for nothing.
func (p *plan) wants(v *ir.Value) int {
	w := p.want[v.ID]
	if w.reg < 0 || w.pos <= p.pos || int(w.reg) < firstSaved && p.nextCall() < w.pos {
		return -1
	}
	return int(w.reg)
}

// prepare reads b backwards. paramRegs has where the parameters of its
// successor are, if that is known.
func (p *plan) prepare(b *ir.Block, out []liveEntry, paramRegs func(i int) int) {
	p.out, p.pos = out, -1
	p.uses, p.calls = p.uses[:0], p.calls[:0]
	n := int32(len(b.Values))
	for _, e := range out {
		p.push(e.v, n+1+e.dist)
		p.far[e.v.ID] = e.crosses
	}
	termUses(b, func(v *ir.Value) { p.push(v, n) })
	if b.Term.Kind == ir.Return {
		p.hint(b.Term.Cond, 0, n)
	}
	for _, e := range b.Term.Succs {
		for i, v := range e.Args {
			p.hint(v, paramRegs(i), n)
		}
	}
	for i := n - 1; i >= 0; i-- {
		if v := b.Values[i]; v != b.Fused() && !v.Remat() {
			p.operation(v, i)
		}
	}
}

// operation enters the uses and hints of v.
func (p *plan) operation(v *ir.Value, pos int32) {
	c := v.Constraint()
	if c == ir.CallRegs {
		p.calls = append(p.calls, pos)
	}
	for i, x := range v.Args {
		if v.Folded(i) {
			continue
		}
		p.push(x, pos)
		switch {
		case c == ir.CallRegs:
			p.hint(x, i+1, pos)
		case c != ir.AnyReg && c != ir.Distinct && i == tied(c) && p.last[x.ID] == pos:
			p.want[x.ID] = p.want[v.ID]
		}
	}
}

// tied returns which operand the result replaces.
func tied(c ir.Constraint) int {
	if c == ir.TiedSecond {
		return 1
	}
	return 0
}

// hint asks for v to be in register reg at pos, if that is its last use.
func (p *plan) hint(v *ir.Value, reg int, pos int32) {
	if reg >= 0 && p.last[v.ID] == pos {
		p.want[v.ID] = hint{int8(reg), pos}
	}
}

// finish forgets the block.
func (p *plan) finish() {
	for _, v := range p.known {
		p.head[v.ID] = 0
		p.far[v.ID] = false
	}
	p.known = p.known[:0]
}
