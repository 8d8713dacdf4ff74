package typed

import (
	"strings"

	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
)

// Expr is an expression.
type Expr interface {
	Type() types.Type
	Pos() source.Span
}

// Node is what all expressions have: a type and a place in the script.
type Node struct {
	T    types.Type
	Span source.Span
}

// Type returns the type of the expression's value.
func (n Node) Type() types.Type { return n.T }

// Pos returns the text that the expression was made from.
func (n Node) Pos() source.Span { return n.Span }

// Const is a number of a scalar type, sign-extended to 64 bits if signed.
type Const struct {
	Node
	Value uint64
}

// Str is constant text of type String. Value has at most Cap-1 bytes. Some may
// lie behind a zero byte, which ends the text for all but what looks at bytes.
type Str struct {
	Node
	Value string
}

// Text returns the value up to a zero byte.
func (s *Str) Text() string {
	text, _, _ := strings.Cut(s.Value, "\x00")
	return text
}

// Bytes is constant memory of any other type, such as the array of pton().
type Bytes struct {
	Node
	Value []byte
}

// Zero is the zero value of any type.
type Zero struct{ Node }

// VarRef is the value of a variable.
type VarRef struct {
	Node
	Var *Var
}

// MapGet is the value of an element, zero when it is missing. Key is nil for a
// scalar map. For an aggregation the type is that of the combined number.
type MapGet struct {
	Node
	Map *Map
	Key Expr
}

// MapHas tells whether an element exists.
type MapHas struct {
	Node // bool
	Map  *Map
	Key  Expr
}

// MapFind tells whether an element exists and, if so, stores its value in Var.
type MapFind struct {
	Node // bool
	Map  *Map
	Key  Expr
	Var  *Var
}

// MapDelete removes an element and tells whether it was there.
type MapDelete struct {
	Node // bool
	Map  *Map
	Key  Expr
}

// MapLen is the number of elements of a keyed map.
type MapLen struct {
	Node // int64
	Map  *Map
}

// IncDec adds Delta (the size of the target for pointers) to a variable
// or a map element and gives the old (Post) or new value.
type IncDec struct {
	Node
	Var   *Var // or
	Map   *Map
	Key   Expr
	Delta int64
	Post  bool
}

// Op is an operator of Unary and Binary.
type Op uint8

// The operators. Div, Mod and Shr are unsigned; comparisons are signed if their
// operands are.
const (
	Add Op = iota
	Sub
	Mul
	Div
	Mod
	And
	Or
	Xor
	Shl
	Shr
	Eq
	Ne
	Lt
	Le
	Gt
	Ge
	Neg // unary
	Not // unary: ~x
)

// Unary is Neg or Not of a 64-bit integer.
type Unary struct {
	Node
	Op Op
	X  Expr
}

// Binary is an operation on two 64-bit integers, or a comparison of two
// values of equal type: scalars with any comparison; strings (capacities may
// differ), arrays, buffers, tuples, records and opaque values with Eq and Ne.
// For Add and Sub, X may be a pointer, Y is then a number of bytes.
type Binary struct {
	Node
	Op   Op
	X, Y Expr
}

// Logical is && (And) or || (Or) of two bools; Y is evaluated only when needed.
type Logical struct {
	Node
	Or   bool
	X, Y Expr
}

// NotBool is !x of a bool.
type NotBool struct {
	Node
	X Expr
}

// Cond is `c ? t : f`; both sides have its type.
type Cond struct {
	Node
	Cond, Then, Else Expr
}

// Convert turns X into type T:
//   - scalar to integer: cut to the low bits or extended by the sign of X's type;
//   - scalar or string to bool: whether it is not zero, not empty;
//   - integer to pointer or enum: the same bits;
//   - string to string of another capacity: cut or copied, the rest zero;
//   - tuple or record to another: element by element (by name for records);
//   - array, buffer, string, integer to array or integer of the same size: the
//     bytes as they lie in memory;
//   - stack to number: its frames are not converted; see Call of len.
type Convert struct {
	Node
	X Expr
}

// Deref is the memory that the pointer X points to. It is read when it is used
// as a value; Field and Index of it read only their part.
type Deref struct {
	Node
	X Expr
}

// Field is a member of a struct, union, tuple or record.
type Field struct {
	Node
	X Expr
	F types.Field // offset within X
}

// Index is an element of an array, or a byte of a string or buffer. I is a
// uint64; a Const within bounds, or checked when run: out of bounds warns and
// gives zero.
type Index struct {
	Node
	X Expr
	I Expr
}

// AddrOf is &$x or &@m.
type AddrOf struct {
	Node
	Var *Var
	Map *Map
}

// Tuple builds a tuple or a record; elements in the order of its fields.
type Tuple struct {
	Node
	Elems []Expr
}

// Arg is an argument or return value of the probe. Arguments of
// probes with several targets lie at the same place in all of them.
type Arg struct {
	Node
	Arg target.Arg
}

// Ctx is the context of the program as a pointer.
type Ctx struct{ Node }

// BlockExpr runs statements and has the value of Result.
type BlockExpr struct {
	Node
	Block  *Block
	Result Expr // nil: no value
}

// Call is a builtin or function that the code generator implements; see Fn for
// what its arguments are.
type Call struct {
	Node
	Fn   Fn
	Args []Expr
	// Imm holds constant arguments: a limit, a register's offset.
	Imm int64
	Str string
}

// Fn names what a Call does.
type Fn uint8

// The functions. Arguments behind the name; Imm and Str as said.
const (
	FnPid          Fn = iota // uint32; Imm 1: in the initial namespace (as pid; tid alike)
	FnTid                    // uint32
	FnUid                    // uint64
	FnGid                    // uint64
	FnComm                   // string[16]
	FnCpid                   // uint64: the child of -c, from the run options
	FnCurtask                // pointer to struct task_struct
	FnCgroup                 // uint64
	FnCPU                    // uint64
	FnNumaID                 // uint64
	FnRand                   // uint64 below 1<<32
	FnJiffies                // uint64
	FnNsecs                  // uint64; Imm: 0 boot, 1 monotonic, 2 tai, 3 sw_tai
	FnElapsed                // uint64
	FnFunc                   // ksym_t or usym_t: Args[0] is the address
	FnReg                    // uint64; Imm: offset of the register in the context, Str: its name
	FnUsermode               // int8
	FnKstack                 // Stack
	FnUstack                 // Stack
	FnStackLen               // (stack) int64: its frames
	FnStr                    // (address, size uint64) string; T.Cap is the capacity; the pointer's Space tells from where
	FnBuf                    // (address or array, size uint64) buffer
	FnStrlen                 // (string) uint64
	FnStrncmp                // (string, string) uint64; Imm: bytes
	FnStrstr                 // (haystack, needle) int32
	FnStrcontains            // (haystack, needle) bool
	FnStrConcat              // (a, b) string
	FnMemcmp                 // (a, b; Imm bytes) int32
	FnBswap                  // integer of the same width
	FnNtop                   // (integer, array or pointer) inet; Imm: address family or 0 for by size
	FnMacaddr                // (array or pointer) macaddr_t
	FnKsym                   // (address) ksym_t
	FnUsym                   // (address) usym_t
	FnUaddr                  // pointer; Str: the symbol; Imm: its address in the file
	FnStrftime               // (ns uint64) timestamp; Str: the format, Imm: clock
	FnCgroupPath             // (id) cgroup_path_t; Str: the filter
	FnUsername               // (uid) username_t
	FnPercpuKaddr            // (address of __per_cpu_offset, cpu; none: this one) pointer, null for a bad cpu; Str: the symbol; Imm: its address
	FnPath                   // (pointer to struct path) string
	FnSignal                 // (number); Imm 1: to the thread
	FnOverride               // (value)
	FnWriteUser              // (dst, src, n) bool
	FnSocketCookie           // (pointer) uint64
	FnDebugf                 // arguments; Str: format
	FnStrerror               // (number) string[64]
	FnSignalName             // (number) string[64]
	FnSyscallName            // (number) string[64]
)

// AddrOfPlace is the address of a part of kernel memory, X, which is a chain of
// Field and Index over a Deref; nothing is read of X itself.
type AddrOfPlace struct {
	Node
	X Expr
}
