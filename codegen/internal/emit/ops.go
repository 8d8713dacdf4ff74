package emit

import (
	"fmt"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// operation emits one operation other than a move.
func (e *emitter) operation(s ir.Step) error {
	v := s.Value
	dst := reg(s.Dst)
	switch v.Op {
	case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpUDiv, ir.OpUMod, ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpShl, ir.OpLShr, ir.OpAShr:
		return e.binary(s)
	case ir.OpNeg:
		e.copyReg(dst, reg(s.Args[0]))
		e.add(asm.Neg.Imm(dst, 0))
	case ir.OpSExt, ir.OpZExt, ir.OpBSwap:
		return e.convert(v, dst, reg(s.Args[0]))
	case ir.OpEq, ir.OpNe, ir.OpULt, ir.OpULe, ir.OpSLt, ir.OpSLe:
		e.add(asm.Mov.Imm(dst, 1))
		jump := e.compare(v, s.Args[:2], false)
		jump.Offset = 1
		e.add(jump)
		e.add(asm.Mov.Imm(dst, 0))
	case ir.OpLoad, ir.OpStore, ir.OpAtomicAdd, ir.OpAtomicFetchAdd:
		return e.memory(s)
	case ir.OpCall:
		e.add(v.Aux.(*ir.Helper).Fn.Call())
	default:
		return fmt.Errorf("operation %s has no instruction", v.Op)
	}
	return nil
}

func aluOp(op ir.Op) asm.ALUOp {
	switch op {
	case ir.OpAdd:
		return asm.Add
	case ir.OpSub:
		return asm.Sub
	case ir.OpMul:
		return asm.Mul
	case ir.OpUDiv:
		return asm.Div
	case ir.OpUMod:
		return asm.Mod
	case ir.OpAnd:
		return asm.And
	case ir.OpOr:
		return asm.Or
	case ir.OpXor:
		return asm.Xor
	case ir.OpShl:
		return asm.LSh
	case ir.OpLShr:
		return asm.RSh
	case ir.OpAShr:
		return asm.ArSh
	}
	return asm.InvalidALUOp
}

// binary emits dst = x op y in the two-operand form of the machine.
func (e *emitter) binary(s ir.Step) error {
	v, dst := s.Value, reg(s.Dst)
	op := aluOp(v.Op)
	x := reg(s.Args[0])
	if v.Folded(1) {
		e.copyReg(dst, x)
		e.add(op.Imm(dst, int32(v.Args[1].Imm)))
		return nil
	}
	y := reg(s.Args[1])
	if dst == y && dst != x {
		if v.Constraint() != ir.TiedCommutes {
			return fmt.Errorf("result of %s in the register of its second operand", v.Op)
		}
		x, y = y, x
	}
	e.copyReg(dst, x)
	e.add(op.Reg(dst, y))
	return nil
}

// convert emits the operations on the low Width bits of x.
func (e *emitter) convert(v *ir.Value, dst, x asm.Register) error {
	switch {
	case v.Width == 64 && v.Op != ir.OpBSwap:
		e.copyReg(dst, x)
	case v.Op == ir.OpBSwap:
		size, err := sizeOf(v.Width / 8)
		if err != nil || size == asm.Byte {
			return fmt.Errorf("%s of %d bits", v.Op, v.Width)
		}
		e.copyReg(dst, x)
		// Supported machines are little-endian.
		e.add(asm.HostTo(asm.BE, dst, size))
	case v.Width == 0 || v.Width > 64:
		return fmt.Errorf("%s of %d bits", v.Op, v.Width)
	case v.Op == ir.OpZExt:
		e.zeroExtend(v.Width, dst, x)
	default:
		e.signExtend(v.Width, dst, x)
	}
	return nil
}

func (e *emitter) zeroExtend(width uint8, dst, x asm.Register) {
	switch {
	case width == 32:
		e.add(asm.Mov.Reg32(dst, x))
	case width < 32:
		e.copyReg(dst, x)
		e.add(asm.And.Imm(dst, int32(1)<<width-1))
	default:
		e.shifts(asm.RSh, width, dst, x)
	}
}

func (e *emitter) signExtend(width uint8, dst, x asm.Register) {
	if e.o.SignExtend {
		switch width {
		case 8:
			e.add(asm.MovSX8.Reg(dst, x))
			return
		case 16:
			e.add(asm.MovSX16.Reg(dst, x))
			return
		case 32:
			e.add(asm.MovSX32.Reg(dst, x))
			return
		}
	}
	e.shifts(asm.ArSh, width, dst, x)
}

// shifts extends by moving the low bits to the top and back.
func (e *emitter) shifts(back asm.ALUOp, width uint8, dst, x asm.Register) {
	e.copyReg(dst, x)
	e.add(asm.LSh.Imm(dst, int32(64-width)))
	e.add(back.Imm(dst, int32(64-width)))
}

func sizeOf(bytes uint8) (asm.Size, error) {
	switch bytes {
	case 1:
		return asm.Byte, nil
	case 2:
		return asm.Half, nil
	case 4:
		return asm.Word, nil
	case 8:
		return asm.DWord, nil
	}
	return asm.InvalidSize, fmt.Errorf("memory access of %d bytes", bytes)
}

// memory emits loads, stores and atomic operations.
func (e *emitter) memory(s ir.Step) error {
	v := s.Value
	size, err := sizeOf(v.Width)
	if err != nil {
		return err
	}
	base, off := reg(s.Args[0]), v.Imm
	if v.Folded(0) {
		base = asm.RFP
		off += v.Args[0].Imm + v.Args[0].Aux.(*ir.Slot).Off
	}
	if !ir.FitsOffset(off) {
		return fmt.Errorf("%s at offset %d", v.Op, off)
	}
	o := int16(off)
	switch v.Op {
	case ir.OpLoad:
		e.add(asm.LoadMem(reg(s.Dst), base, o, size))
	case ir.OpStore:
		if v.Folded(1) {
			e.add(storeImm(base, o, v.Args[1].Imm, size))
		} else {
			e.add(asm.StoreMem(base, o, reg(s.Args[1]), size))
		}
	case ir.OpAtomicAdd:
		e.add(asm.AddAtomic.Mem(base, reg(s.Args[1]), size, o))
	default:
		e.copyReg(reg(s.Dst), reg(s.Args[1]))
		e.add(fetchAdd(base, reg(s.Dst), size, o))
	}
	return nil
}

// fetchAdd emits src, *base = *base, *base+src. The encoder of cilium/ebpf
// v0.22 takes the immediate, which holds BPF_FETCH, from Constant instead of
// the opcode, which would make it a plain addition.
func fetchAdd(base, src asm.Register, size asm.Size, off int16) asm.Instruction {
	const fetch = 1
	i := asm.FetchAdd.Mem(base, src, size, off)
	i.Constant = fetch
	return i
}
