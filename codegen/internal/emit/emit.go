// Package emit turns allocated functions into eBPF instructions.
//
// Jumps within a function have their final offsets; references to maps and
// functions stay symbolic for cilium/ebpf: the first instruction of each
// function carries its name as a symbol if there are several. A source map tells
// which script text each instruction implements.
package emit

import (
	"fmt"
	"math"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/lang/source"
)

// Options tell what the kernel offers beyond the instructions of Linux 5.10.
type Options struct {
	// SignExtend allows sign-extending moves (Linux 6.6).
	SignExtend bool
}

// Mark tells that the raw instructions from Off up to the next mark implement
// the text at Span. Off counts 8-byte units: 64-bit constants count two.
type Mark struct {
	Off  uint32
	Span source.Span
}

// Program emits all functions of p, whose allocations are in the order of
// p.Funcs. It fails if a function is too long for 16-bit jumps.
func Program(p *ir.Program, allocs []*ir.Alloc, o Options) (asm.Instructions, []Mark, error) {
	var out asm.Instructions
	var marks []Mark
	raw := 0
	for _, a := range allocs {
		e := &emitter{a: a, f: a.Func, o: o}
		if err := e.function(); err != nil {
			return nil, nil, fmt.Errorf("program %s: function %s: %w", p.Name, a.Func.Name, err)
		}
		if len(allocs) > 1 {
			e.insns[0] = withFunction(e.insns[0], a.Func)
		}
		for _, m := range e.marks {
			m.Off += uint32(raw)
			if n := len(marks); n == 0 || marks[n-1].Span != m.Span {
				marks = append(marks, m)
			}
		}
		out = append(out, e.insns...)
		raw += e.raw
	}
	return out, marks, nil
}

// emitter emits one function.
type emitter struct {
	a *ir.Alloc
	f *ir.Func
	o Options

	insns   asm.Instructions
	raw     int     // raw instructions so far
	starts  []int   // by block ID: raw offset
	emitted []bool  // by block ID: starts is known
	jumps   []fixup // to blocks
	marks   []Mark
}

// fixup is a jump whose offset is not known yet.
type fixup struct {
	index int // in insns
	after int // raw offset of the instruction behind the jump
	to    *ir.Block
}

func (e *emitter) function() error {
	e.starts, e.emitted = make([]int, e.f.NumBlocks()), make([]bool, e.f.NumBlocks())
	order := layout(e.a)
	for i, b := range order {
		var next *ir.Block
		if i+1 < len(order) {
			next = order[i+1]
		}
		e.starts[b.ID], e.emitted[b.ID] = e.raw, true
		if err := e.steps(b); err != nil {
			return err
		}
		if err := e.terminator(b, next); err != nil {
			return err
		}
	}
	for _, j := range e.jumps {
		off := e.starts[j.to.ID] - j.after
		if off < math.MinInt16 || off > math.MaxInt16 {
			return &ir.LimitError{Msg: fmt.Sprintf("it takes %d instructions, and jumps reach %d", e.raw, math.MaxInt16)}
		}
		e.insns[j.index].Offset = int16(off)
	}
	return nil
}

// steps emits b without its terminator.
func (e *emitter) steps(b *ir.Block) error {
	for _, s := range e.a.Blocks[b.ID].Steps {
		if s.Value != nil {
			e.mark(s.Value.Span)
		}
		if err := e.step(s); err != nil {
			return err
		}
	}
	e.mark(b.Term.Span)
	return nil
}

// mark tells that what follows implements s. Instructions without a span
// belong to what surrounds them.
func (e *emitter) mark(s source.Span) {
	n := len(e.marks)
	switch {
	case !s.IsValid():
	case n > 0 && e.marks[n-1].Span == s:
	case n > 0 && e.marks[n-1].Off == uint32(e.raw):
		e.marks[n-1].Span = s
	default:
		e.marks = append(e.marks, Mark{uint32(e.raw), s})
	}
}

func (e *emitter) add(i asm.Instruction) {
	e.insns = append(e.insns, i)
	e.raw += int(i.Width())
}

// jump appends a jump to a block.
func (e *emitter) jump(i asm.Instruction, to *ir.Block) {
	e.add(i)
	e.jumps = append(e.jumps, fixup{len(e.insns) - 1, e.raw, e.forward(to)})
}

// forward skips blocks that only jump on.
func (e *emitter) forward(b *ir.Block) *ir.Block { return forward(e.a, b) }

func (e *emitter) step(s ir.Step) error {
	if s.Move {
		e.move(s)
		return nil
	}
	return e.operation(s)
}

// move copies a value between registers and memory, or recomputes it.
func (e *emitter) move(s ir.Step) {
	switch {
	case s.Src == ir.NoLoc && s.Dst.IsReg():
		e.remat(reg(s.Dst), s.Value)
	case s.Src == ir.NoLoc:
		e.add(storeImm(asm.RFP, int16(e.a.SpillOff(s.Dst)), s.Value.Imm, asm.DWord))
	case !s.Dst.IsReg():
		e.add(asm.StoreMem(asm.RFP, int16(e.a.SpillOff(s.Dst)), reg(s.Src), asm.DWord))
	case !s.Src.IsReg():
		e.add(asm.LoadMem(reg(s.Dst), asm.RFP, int16(e.a.SpillOff(s.Src)), asm.DWord))
	default:
		e.copyReg(reg(s.Dst), reg(s.Src))
	}
}

func (e *emitter) copyReg(dst, src asm.Register) {
	if dst != src {
		e.add(asm.Mov.Reg(dst, src))
	}
}

func reg(l ir.Loc) asm.Register { return asm.Register(l) }

// remat recomputes v in dst.
func (e *emitter) remat(dst asm.Register, v *ir.Value) {
	switch v.Op {
	case ir.OpConst:
		e.constant(dst, v.Imm)
	case ir.OpSlotAddr:
		e.add(asm.Mov.Reg(dst, asm.RFP))
		e.add(asm.Add.Imm(dst, int32(v.Aux.(*ir.Slot).Off+v.Imm)))
	case ir.OpMapPtr:
		e.add(asm.LoadMapPtr(dst, 0).WithReference(v.Aux.(*ir.Map).Name))
	case ir.OpMapValue:
		e.add(asm.LoadMapValue(dst, 0, uint32(v.Imm)).WithReference(v.Aux.(*ir.Map).Name))
	case ir.OpFuncAddr:
		e.add(asm.Instruction{OpCode: asm.LoadImmOp(asm.DWord), Dst: dst, Src: asm.PseudoFunc, Constant: -1}.
			WithReference(v.Aux.(*ir.Func).Name))
	}
}

func (e *emitter) constant(dst asm.Register, n int64) {
	switch {
	case ir.Fits32(n):
		e.add(asm.Mov.Imm(dst, int32(n)))
	case n>>32 == 0:
		e.add(asm.Mov.Imm32(dst, int32(uint32(n))))
	default:
		e.add(asm.LoadImm(dst, n, asm.DWord))
	}
}

// storeImm emits a store of a constant; asm.StoreImm does not do 8 bytes.
func storeImm(base asm.Register, off int16, n int64, size asm.Size) asm.Instruction {
	return asm.Instruction{OpCode: asm.StoreImmOp(size), Dst: base, Offset: off, Constant: int64(int32(n))}
}
