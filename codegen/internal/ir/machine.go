package ir

import "math"

// The stack in bytes: all frames of a call chain together have StackSize
// (MAX_BPF_STACK), and the kernel rounds each up to FrameAlign, since Linux 6.7
// to 16.
const (
	StackSize  = 512
	FrameAlign = 32
)

// RoundFrame returns what a frame of n bytes takes of the stack.
func RoundFrame(n int) int { return (max(n, 1) + FrameAlign - 1) &^ (FrameAlign - 1) }

// Loc is where register allocation keeps a value: register Rn is n, spill slot
// n is SpillLoc+n.
type Loc int16

// NoLoc is the place of an operand that needs none: it is part of the
// instruction (see Folded), or is recomputed (see Remat).
const (
	NoLoc    Loc = -1
	SpillLoc Loc = 16
)

// IsReg reports whether l is a register.
func (l Loc) IsReg() bool { return l >= 0 && l < SpillLoc }

// Spill returns the number of the spill slot, or -1.
func (l Loc) Spill() int {
	if l < SpillLoc {
		return -1
	}
	return int(l - SpillLoc)
}

// Step is one action of an allocated block: an operation with the places of
// its result and operands, or a move of a value from Src to Dst.
type Step struct {
	Value *Value
	Move  bool
	Dst   Loc
	Src   Loc    // Move: NoLoc for a value that is recomputed
	Args  [5]Loc // operation: by operand
}

// AllocBlock is a block after register allocation. Term has the places of the
// operands of the terminator: of the fused comparison if there is one, else of
// Cond.
type AllocBlock struct {
	Steps []Step
	Term  [2]Loc
}

// Alloc is the result of register allocation for one function.
type Alloc struct {
	Func   *Func
	Blocks []AllocBlock // by block ID
	// Spills is the number of 8-byte spill slots; they lie below the frame of
	// the function's own slots.
	Spills int
	// Spilled has the values that have a spill slot for some time, in the order
	// of First.
	Spilled []SpillSpan
}

// SpillSpan is the stretch of steps, numbered in reverse postorder of the
// blocks, in which a value is in a spill slot; Value is nil for a temporary.
type SpillSpan struct {
	Value       *Value
	First, Last int
}

// Frame returns the bytes of stack that the function needs.
func (a *Alloc) Frame() int { return a.Func.Frame + 8*a.Spills }

// SpillOff returns the offset of a spill slot from the frame pointer.
func (a *Alloc) SpillOff(l Loc) int { return -(a.Func.Frame + 8*(l.Spill()+1)) }

// Remat reports whether v is recomputed where it is needed instead of being
// kept: constants and addresses that cost one or two instructions and no
// operands.
func (v *Value) Remat() bool {
	switch v.Op {
	case OpConst, OpSlotAddr, OpMapPtr, OpMapValue, OpFuncAddr:
		return true
	}
	return false
}

// Constraint is what an operation demands of the register of its result.
type Constraint uint8

// The constraints. A tied result starts as a copy of its operand, so its
// register must not be that of the other one.
const (
	AnyReg       Constraint = iota
	Tied                    // to Args[0]
	TiedCommutes            // to either operand
	TiedSecond              // to Args[1]
	Distinct                // from all operands
	CallRegs                // operands in R1 to R5, result in R0; R0 to R5 are lost
)

// Constraint returns what v demands of the register of its result.
func (v *Value) Constraint() Constraint {
	switch v.Op {
	case OpZExt:
		if v.Width == 32 {
			return AnyReg // a 32-bit move
		}
		return Tied
	case OpAdd, OpMul, OpAnd, OpOr, OpXor:
		if v.Type == Ptr {
			// Where a pointer is added to a number the verifier forgets which
			// function's stack it points to: adjust_ptr_min_max_vals in
			// kernel/bpf/verifier.c (seen in 6.18) leaves frameno as it was.
			return Tied
		}
		return TiedCommutes
	case OpSub, OpUDiv, OpUMod, OpShl, OpLShr, OpAShr, OpNeg, OpSExt, OpBSwap:
		return Tied
	case OpEq, OpNe, OpULt, OpULe, OpSLt, OpSLe:
		return Distinct
	case OpAtomicFetchAdd:
		return TiedSecond
	case OpCall:
		return CallRegs
	}
	return AnyReg
}

// IsCompare reports whether o gives 0 or 1 and has a jump instruction.
func (o Op) IsCompare() bool { return o >= OpEq && o <= OpSLe }

// Fits32 reports whether n is encoded in the sign-extended immediate of an
// instruction.
func Fits32(n int64) bool { return n == int64(int32(n)) }

// Folded reports whether operand i of v is part of the instruction and needs no
// register: an immediate, or the address of a stack slot as the base of a
// memory access.
func (v *Value) Folded(i int) bool {
	x := v.Args[i]
	switch v.Op {
	case OpLoad, OpAtomicAdd, OpAtomicFetchAdd:
		return i == 0 && x.Op == OpSlotAddr
	case OpStore:
		if i == 0 {
			return x.Op == OpSlotAddr
		}
		return x.Op == OpConst && (v.Width < 8 || Fits32(x.Imm))
	}
	if x.Op != OpConst || !Fits32(x.Imm) {
		return false
	}
	switch v.Op {
	case OpAdd, OpSub, OpMul, OpAnd, OpOr, OpXor:
		return i == 1
	case OpUDiv, OpUMod:
		return i == 1 && x.Imm > 0
	case OpShl, OpLShr, OpAShr:
		return i == 1 && x.Imm >= 0 && x.Imm < 64
	case OpEq, OpNe, OpULt, OpULe, OpSLt, OpSLe:
		return i == 1 || !v.Folded(1)
	}
	return false
}

// Fused returns the comparison (or the OpAnd, for a test of bits) that the
// branch at the end of b evaluates itself, or nil. It is the last value of b;
// lowering sees to it that nothing else uses it.
func (b *Block) Fused() *Value {
	n := len(b.Values)
	if b.Term.Kind != Branch || n == 0 || b.Values[n-1] != b.Term.Cond {
		return nil
	}
	if c := b.Term.Cond; c.Op.IsCompare() || c.Op == OpAnd {
		return c
	}
	return nil
}

// FitsOffset reports whether n can be the offset of a memory access.
func FitsOffset(n int64) bool { return n >= math.MinInt16 && n <= math.MaxInt16 }
