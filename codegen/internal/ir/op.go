package ir

import "github.com/cilium/ebpf/asm"

// Op is an operation.
type Op uint8

// The operations. Comments give operands and result; p is a pointer, x and y
// are integers.
const (
	OpInvalid Op = iota
	OpParam      // parameter of a block
	OpConst      // Imm
	OpAdd        // x+y, or p+x: a pointer
	OpSub        // x-y, or p-x: a pointer
	OpMul
	OpUDiv // y must not be 0
	OpUMod // y must not be 0
	OpAnd
	OpOr
	OpXor
	OpShl // shift counts are taken modulo 64
	OpLShr
	OpAShr
	OpNeg
	OpSExt  // sign extension of the low Width bits
	OpZExt  // zero extension of the low Width bits
	OpBSwap // reversal of the bytes of the low Width bits, zero-extended
	OpEq    // comparisons give 0 or 1
	OpNe
	OpULt
	OpULe
	OpSLt
	OpSLe
	OpLoad           // zero-extended Width bytes at p+Imm, from memory that the verifier lets be read directly
	OpStore          // x to Width bytes at p+Imm
	OpAtomicAdd      // x added to Width (4 or 8) bytes at p+Imm
	OpAtomicFetchAdd // the same, giving the old value
	OpZero           // Size bytes at p+Imm
	OpCopy           // Size bytes from q+Imm2 to p+Imm, which must not overlap; Args are p, q
	OpSlotAddr       // address of Aux.(*Slot)
	OpMapPtr         // Aux.(*Map) itself, as a helper argument
	OpMapValue       // address of byte Imm of the only value of Aux.(*Map), an array
	OpMapLookup      // pointer to the value of the key at p in Aux.(*Map), or 0
	OpMapUpdate      // stores value q under the key at p with flags Imm; gives 0 or -errno
	OpMapDelete      // deletes the key at p; gives 0 or -errno
	OpCall           // helper Aux.(*Helper), up to five arguments
	OpFuncAddr       // address of the callback Aux.(*Func), a helper argument
	NumOps
)

// Effect says what an operation does besides computing its result. Passes ask
// its methods what that allows.
type Effect uint8

// The effect classes. Those that change nothing come first.
const (
	Pure       Effect = iota // depends on its operands only
	Invariant                // helper whose result does not change during one run (pid, comm, cpu)
	Clock                    // result changes with time
	KernelRead               // reads memory at any address, which others may change
	MemRead                  // reads a slot or map value
	MapRead                  // looks up
	MemWrite                 // writes a slot, map value or ring buffer record
	MapWrite                 // updates or deletes
	Emit                     // visible outside: ring buffer, signal, trace pipe
)

// Fixed reports whether the result is the same wherever in a run the operation
// takes place, so that equal ones are one.
func (e Effect) Fixed() bool { return e <= Invariant }

// Changes reports whether the operation may change anything, so that it can not
// be left out for want of uses.
func (e Effect) Changes() bool { return e >= MemWrite }

// ChangesMaps reports whether the operation may add, replace or remove elements
// of maps.
func (e Effect) ChangesMaps() bool { return e >= MapWrite }

// Helper describes a helper or kernel function that OpCall calls.
type Helper struct {
	Name   string
	Fn     asm.BuiltinFunc
	Effect Effect
	Result Type
	// Writes is the index of the pointer argument that the call fills, or -1;
	// SizeArg is the index of the argument with its size in bytes, or -1.
	Writes, SizeArg int
	// Fills tells that all SizeArg bytes are written, also when the call fails.
	Fills bool
	// MayFail tells that a negative result reports an error.
	MayFail bool
}

// OpInfo is one row of the op table.
type OpInfo struct {
	Name   string
	Effect Effect
	Result Type // for OpAdd and OpSub that of the first operand
	Args   int  // -1: any number
}

// Info returns the row of the op table for o.
func (o Op) Info() OpInfo { return opTable[o] }

// String returns the name that the printer uses.
func (o Op) String() string { return opTable[o].Name }

// opTable is indexed by Op and never written.
var opTable = [NumOps]OpInfo{
	OpInvalid:        {"invalid", Pure, Void, 0},
	OpParam:          {"param", Pure, I64, 0},
	OpConst:          {"const", Pure, I64, 0},
	OpAdd:            {"add", Pure, I64, 2},
	OpSub:            {"sub", Pure, I64, 2},
	OpMul:            {"mul", Pure, I64, 2},
	OpUDiv:           {"udiv", Pure, I64, 2},
	OpUMod:           {"umod", Pure, I64, 2},
	OpAnd:            {"and", Pure, I64, 2},
	OpOr:             {"or", Pure, I64, 2},
	OpXor:            {"xor", Pure, I64, 2},
	OpShl:            {"shl", Pure, I64, 2},
	OpLShr:           {"lshr", Pure, I64, 2},
	OpAShr:           {"ashr", Pure, I64, 2},
	OpNeg:            {"neg", Pure, I64, 1},
	OpSExt:           {"sext", Pure, I64, 1},
	OpZExt:           {"zext", Pure, I64, 1},
	OpBSwap:          {"bswap", Pure, I64, 1},
	OpEq:             {"eq", Pure, I64, 2},
	OpNe:             {"ne", Pure, I64, 2},
	OpULt:            {"ult", Pure, I64, 2},
	OpULe:            {"ule", Pure, I64, 2},
	OpSLt:            {"slt", Pure, I64, 2},
	OpSLe:            {"sle", Pure, I64, 2},
	OpLoad:           {"load", MemRead, I64, 1},
	OpStore:          {"store", MemWrite, Void, 2},
	OpAtomicAdd:      {"atomic_add", MemWrite, Void, 2},
	OpAtomicFetchAdd: {"atomic_fetch_add", MemWrite, I64, 2},
	OpZero:           {"zero", MemWrite, Void, 1},
	OpCopy:           {"copy", MemWrite, Void, 2},
	OpSlotAddr:       {"slot", Pure, Ptr, 0},
	OpMapPtr:         {"map", Pure, Ptr, 0},
	OpMapValue:       {"map_value", Pure, Ptr, 0},
	OpMapLookup:      {"map_lookup", MapRead, Ptr, 1},
	OpMapUpdate:      {"map_update", MapWrite, I64, 2},
	OpMapDelete:      {"map_delete", MapWrite, I64, 1},
	OpCall:           {"call", Emit, I64, -1}, // effect and result: the Helper's
	OpFuncAddr:       {"func", Pure, Ptr, 0},
}

// Effect returns the effect class of v.
func (v *Value) Effect() Effect {
	if h, ok := v.Aux.(*Helper); ok && v.Op == OpCall {
		return h.Effect
	}
	return opTable[v.Op].Effect
}
