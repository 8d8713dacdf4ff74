// Package typed is the checker's output and the code generator's input: the
// script with names resolved, macros and imports expanded, constants folded,
// and every conversion written out.
//
// Invariants: operands of arithmetic are 64-bit integers (a Convert widens
// narrower ones); both operands of a comparison have the same type; the value
// of an Assign, a MapSet, a map key and an element of a Tuple has exactly the
// type of its place; a condition is of type bool. Sub-expressions are evaluated
// from left to right, each once.
package typed

import (
	"github.com/gotrace/gotrace/lang/config"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
)

// Program is a checked script.
type Program struct {
	Config  config.Config
	Maps    []*Map // in the order of first use
	Probes  []*Probe
	Options []Option // what getopt() asks for, in the order of first use
}

// Option is a named parameter of the script.
type Option struct {
	Name string
	Text string // its description, may be empty
}

// Map is a map of the script.
type Map struct {
	Name  string     // with its @
	Key   types.Type // nil for a scalar map
	Value types.Type // an Agg for aggregations
	Kind  MapKind
	// Entries is the capacity; 1 for a scalar map.
	Entries int
	Span    source.Span // of the declaration or first use
}

// MapKind is how a map is kept.
type MapKind uint8

// The kinds of map that a script can declare.
const (
	Hash MapKind = iota
	LRUHash
	PerCPUHash
	PerCPULRUHash
)

// Probe is one body for one or more attach points with the same layout of
// arguments. A script's probe becomes several when its body depends on the
// attach point.
type Probe struct {
	Targets []*target.Target // at least one
	Body    *Block           // the predicate is an If around it
	Span    source.Span      // of the attach points
	// Name is unique within the program and fit for a symbol.
	Name string
	// Returns tells that the result of the program matters (test probes).
	Returns bool
}

// Var is a scratch variable. Each has one type in all its scope.
type Var struct {
	Name string
	Type types.Type
	// Addressed tells that the script takes its address.
	Addressed bool
	// Captured tells that a loop body that may run as a callback of the kernel
	// uses the variable of an outer scope; Assigned, that it writes it there.
	Captured bool
	Span     source.Span
}

// Stmt is a statement.
type Stmt interface{ stmt() }

// Block is a sequence of statements.
type Block struct {
	Stmts []Stmt
}

// Assign gives Var the value X. The first Assign of a variable on a path is
// its declaration; `let $x;` becomes an Assign of the zero value.
type Assign struct {
	Var  *Var
	X    Expr
	Span source.Span
}

// MapSet stores X under Key (nil for a scalar map).
type MapSet struct {
	Map  *Map
	Key  Expr
	X    Expr
	Span source.Span
}

// AggUpdate adds X to the aggregation in Map under Key. X is an int64 or
// uint64, nil for count().
type AggUpdate struct {
	Map  *Map
	Key  Expr
	X    Expr
	Span source.Span
}

// If chooses by a bool.
type If struct {
	Cond Expr
	Then *Block
	Else *Block // nil when there is none
	Span source.Span
}

// ForRange runs Body with Var from Lo up to, not including, Hi; both int64 and
// evaluated once. Body may assign to Var without effect on the iteration.
type ForRange struct {
	Var    *Var
	Lo, Hi Expr
	Body   *Block
	Span   source.Span
}

// ForMap runs Body for each element; Var is a tuple (key, value). An
// aggregation appears as its combined number.
type ForMap struct {
	Var  *Var
	Map  *Map
	Body *Block
	Span source.Span
}

// While repeats Body as long as Cond holds.
type While struct {
	Cond Expr
	Body *Block
	Span source.Span
}

// Unroll repeats Body Count times.
type Unroll struct {
	Count int
	Body  *Block
	Span  source.Span
}

// Break leaves the innermost loop.
type Break struct{ Span source.Span }

// Continue starts the next turn of the innermost loop.
type Continue struct{ Span source.Span }

// Return ends this run of the probe; X is an int64 or nil.
type Return struct {
	X    Expr
	Span source.Span
}

// Eval evaluates X for its effects.
type Eval struct {
	X    Expr
	Span source.Span
}

// Emit sends a record to user space.
type Emit struct {
	Action types.Action
	// Format is the constant text of the action: a printf format, the format
	// of time(), a warning.
	Format string
	Map    *Map
	// Top and Div are the arguments of print(@m, top, div), 0 when not given.
	Top, Div uint64
	Args     []Expr
	Span     source.Span
}

func (*Block) stmt()     {}
func (*Assign) stmt()    {}
func (*MapSet) stmt()    {}
func (*AggUpdate) stmt() {}
func (*If) stmt()        {}
func (*ForRange) stmt()  {}
func (*ForMap) stmt()    {}
func (*While) stmt()     {}
func (*Unroll) stmt()    {}
func (*Break) stmt()     {}
func (*Continue) stmt()  {}
func (*Return) stmt()    {}
func (*Eval) stmt()      {}
func (*Emit) stmt()      {}
