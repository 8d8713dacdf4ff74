package emit

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// condition is a comparison as the machine has it: one for either outcome, and
// one for swapped operands.
type condition struct{ yes, no, swapped, swappedNo asm.JumpOp }

func conditionOf(op ir.Op) condition {
	switch op {
	case ir.OpEq:
		return condition{asm.JEq, asm.JNE, asm.JEq, asm.JNE}
	case ir.OpNe:
		return condition{asm.JNE, asm.JEq, asm.JNE, asm.JEq}
	case ir.OpULt:
		return condition{asm.JLT, asm.JGE, asm.JGT, asm.JLE}
	case ir.OpULe:
		return condition{asm.JLE, asm.JGT, asm.JGE, asm.JLT}
	case ir.OpSLt:
		return condition{asm.JSLT, asm.JSGE, asm.JSGT, asm.JSLE}
	case ir.OpSLe:
		return condition{asm.JSLE, asm.JSGT, asm.JSGE, asm.JSLT}
	}
	return condition{}
}

// compare returns the jump that is taken if v, a comparison of what is in args,
// holds, or if it does not. Its offset is left open.
func (e *emitter) compare(v *ir.Value, args []ir.Loc, negate bool) asm.Instruction {
	c := conditionOf(v.Op)
	op, swapped := c.yes, c.swapped
	if negate {
		op, swapped = c.no, c.swappedNo
	}
	switch {
	case v.Folded(1):
		return condJump(op, asm.ImmSource, reg(args[0]), 0, v.Args[1].Imm)
	case v.Folded(0):
		return condJump(swapped, asm.ImmSource, reg(args[1]), 0, v.Args[0].Imm)
	}
	return condJump(op, asm.RegSource, reg(args[0]), reg(args[1]), 0)
}

func condJump(op asm.JumpOp, src asm.Source, x, y asm.Register, imm int64) asm.Instruction {
	return asm.Instruction{OpCode: op.Op(src), Dst: x, Src: y, Constant: imm}
}

// terminator ends b; next is the block that follows in memory.
func (e *emitter) terminator(b, next *ir.Block) error {
	switch b.Term.Kind {
	case ir.Return:
		e.add(asm.Return())
	case ir.Jump:
		to := e.forward(b.Term.Succs[0].To)
		if e.isLoopTest(to, next) {
			return e.repeat(to, next)
		}
		if to != next {
			e.jump(asm.Instruction{OpCode: asm.Ja.Op(asm.ImmSource)}, to)
		}
	case ir.Branch:
		e.branch(b, next)
	default:
		return fmt.Errorf("block b%d has no terminator", b.ID)
	}
	return nil
}

// isLoopTest reports whether b, the target of a jump, is the short head of a
// loop that this jump closes, and next is where it leads.
func (e *emitter) isLoopTest(b, next *ir.Block) bool {
	const short = 2
	if !e.emitted[b.ID] || b.Term.Kind != ir.Branch || len(e.a.Blocks[b.ID].Steps) > short {
		return false
	}
	return e.forward(b.Term.Succs[0].To) == next || e.forward(b.Term.Succs[1].To) == next
}

// repeat emits the head of a loop once more, at its end: one jump less in every
// round.
func (e *emitter) repeat(head, next *ir.Block) error {
	if err := e.steps(head); err != nil {
		return err
	}
	e.branch(head, next)
	return nil
}

func (e *emitter) branch(b, next *ir.Block) {
	yes, no := e.forward(b.Term.Succs[0].To), e.forward(b.Term.Succs[1].To)
	args := e.a.Blocks[b.ID].Term
	cond := b.Fused()
	// There is no jump for "no bit in common": a test of bits is not negated.
	bits := cond != nil && cond.Op == ir.OpAnd
	switch {
	case yes == no:
	case bits:
		e.jump(e.test(cond, args), yes)
	case yes == next:
		e.jump(e.decide(cond, args, true), no)
		return
	default:
		e.jump(e.decide(cond, args, false), yes)
	}
	if no != next {
		e.jump(asm.Instruction{OpCode: asm.Ja.Op(asm.ImmSource)}, no)
	}
}

func (e *emitter) decide(cond *ir.Value, args [2]ir.Loc, negate bool) asm.Instruction {
	switch {
	case cond != nil:
		return e.compare(cond, args[:], negate)
	case negate:
		return condJump(asm.JEq, asm.ImmSource, reg(args[0]), 0, 0)
	}
	return condJump(asm.JNE, asm.ImmSource, reg(args[0]), 0, 0)
}

// test returns the jump that is taken if the operands of v, an OpAnd, have a
// bit in common.
func (e *emitter) test(v *ir.Value, args [2]ir.Loc) asm.Instruction {
	if v.Folded(1) {
		return condJump(asm.JSet, asm.ImmSource, reg(args[0]), 0, v.Args[1].Imm)
	}
	return condJump(asm.JSet, asm.RegSource, reg(args[0]), reg(args[1]), 0)
}
