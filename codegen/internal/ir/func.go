// Package ir is the SSA form that every stage between the typed tree and the
// eBPF instructions works on.
//
// A Program is one eBPF program: a main Func and the Funcs it calls or passes
// as callbacks. A Func is a graph of basic blocks; blocks have parameters
// instead of phi nodes, and every edge passes one value for each. Values are
// 64-bit integers or pointers, as eBPF registers are. Helper calls and map
// operations are single operations with an effect class, so that passes can
// merge, sink and drop what a compiler that sees opaque calls can not.
//
// Invariants (checked by Verify): a value is defined before it is used on every
// path; every block ends in exactly one terminator; operand counts and types
// are those of the op table; the entry block has no predecessors and its
// parameters are the function's.
package ir

import "github.com/gotrace/gotrace/lang/source"

// Type is the type of a Value.
type Type uint8

// The types. Ptr is any pointer that the verifier tracks: to the context, the
// stack, a map value, a ring buffer record or a kernel object known by BTF.
// Untrusted addresses that are only read through helpers are I64.
const (
	Void Type = iota
	I64
	Ptr
)

// Value is one operation and its result.
type Value struct {
	ID    int // unique within the Func, dense
	Op    Op
	Type  Type
	Width uint8 // bytes for Load, Store, Atomic*; bits for SExt, ZExt, BSwap
	Args  []*Value
	Imm   int64 // Const: the number; Load, Store, Atomic*, Zero, Copy, MapValue: byte offset of Args[0]; SlotAddr: byte offset, after lowering
	Imm2  int64 // Copy: byte offset of Args[1]
	Size  int64 // Zero, Copy: bytes
	Aux   Aux
	Block *Block
	Span  source.Span // the script text that it implements
}

// Aux is what an operation refers to besides values: *Slot, *Map, *Helper or
// *Func.
type Aux interface{ aux() }

// Block is a basic block.
type Block struct {
	ID     int // unique within the Func
	Params []*Value
	Values []*Value // in order, without parameters and terminator
	Term   Term
	Preds  []*Block // one entry for each incoming edge; kept by Func.Connect
	Func   *Func
	Likely int8 // which way Branch usually goes: 1 the first, -1 the second, 0 unknown
}

// TermKind is how a block ends.
type TermKind uint8

// The terminators.
const (
	NoTerm TermKind = iota
	Jump            // to Succs[0]
	Branch          // to Succs[0] if Cond is not zero, else to Succs[1]
	Return          // with Cond as the result
)

// Term is the terminator of a block.
type Term struct {
	Kind  TermKind
	Cond  *Value
	Succs []Edge
	Span  source.Span
}

// Edge leads to a block and passes a value for each of its parameters.
type Edge struct {
	To   *Block
	Args []*Value
}

// Func is one function of a program.
type Func struct {
	Name   string
	Blocks []*Block // Blocks[0] is the entry; its Params are the arguments
	Slots  []*Slot
	// Callback marks a function that the kernel calls (bpf_loop,
	// bpf_for_each_map_elem); its frame lies above its caller's.
	Callback bool
	// Context marks a function whose first parameter is the context of the
	// program, memory that nothing writes during a run.
	Context bool
	// Depth is the number of frames below this function's in the deepest call
	// chain that reaches it; the 512 bytes of stack are shared along it.
	Depth int
	// Frame is the bytes of stack that the slots take, once lowering has placed
	// them; a multiple of 8.
	Frame int

	nextValue, nextBlock int
}

// Program is one eBPF program on its way to instructions.
type Program struct {
	Name string
	Main *Func
	Subs []*Func
	// Scratch is the per-CPU array that holds the slots which do not fit the
	// stack; lowering sets ScratchSize to what this program needs of it.
	Scratch     *Map
	ScratchKey  int64
	ScratchSize int
}

// Slot is a piece of memory private to one run of a function: on the stack or
// in scratch memory, as lowering decides. Its contents are undefined on entry.
// Size, Align and Off are in bytes.
type Slot struct {
	ID    int
	Name  string
	Size  int64
	Align int64
	// OnStack forces the slot onto the stack, for memory that holds pointers
	// (the verifier loses them elsewhere) or that a callback receives.
	OnStack bool
	// Off is the offset from the frame pointer, once lowering has placed the
	// slot on the stack.
	Off int64
}

// Map names a map of the object. The sizes are in bytes, that of the value for
// one processor where the map has one for each.
type Map struct {
	Name      string
	KeySize   int
	ValueSize int
}

func (*Slot) aux()   {}
func (*Map) aux()    {}
func (*Helper) aux() {}
func (*Func) aux()   {}

// NewFunc returns a function with an empty entry block whose parameters have
// the given types.
func NewFunc(name string, params ...Type) *Func {
	f := &Func{Name: name}
	entry := f.NewBlock()
	for _, t := range params {
		entry.AddParam(t)
	}
	return f
}

// NewBlock appends an empty block.
func (f *Func) NewBlock() *Block {
	b := &Block{ID: f.nextBlock, Func: f}
	f.nextBlock++
	f.Blocks = append(f.Blocks, b)
	return b
}

// NewSlot adds a slot of size bytes.
func (f *Func) NewSlot(name string, size, align int64) *Slot {
	s := &Slot{ID: len(f.Slots), Name: name, Size: size, Align: align}
	f.Slots = append(f.Slots, s)
	return s
}

// NewValue makes a value that is in no block yet.
func (f *Func) NewValue(op Op, t Type, args ...*Value) *Value {
	v := &Value{ID: f.nextValue, Op: op, Type: t, Args: args}
	f.nextValue++
	return v
}

// NumValues bounds the IDs of the function's values, for tables indexed by ID.
func (f *Func) NumValues() int { return f.nextValue }

// NumBlocks bounds the IDs of the function's blocks.
func (f *Func) NumBlocks() int { return f.nextBlock }

// AddParam appends a parameter; edges into the block must pass one more value.
func (b *Block) AddParam(t Type) *Value {
	v := b.Func.NewValue(OpParam, t)
	v.Block = b
	b.Params = append(b.Params, v)
	return v
}

// Append adds v at the end of the block.
func (b *Block) Append(v *Value) *Value {
	v.Block = b
	b.Values = append(b.Values, v)
	return v
}

// SetTerm ends the block and enters it in the predecessor lists of its
// successors. The block must not have a terminator yet.
func (b *Block) SetTerm(t Term) {
	b.Term = t
	for _, e := range t.Succs {
		e.To.Preds = append(e.To.Preds, b)
	}
}
