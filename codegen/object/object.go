// Package object is the compiler's result: programs, maps and the description
// of event records. It holds nothing of the compiler and nothing of a running
// session, and nobody changes it once it is made: any number of sessions may run
// one object at a time. It has no form outside of the process, as types of the
// kernel (types.Struct) look their fields up in BTF when they are asked.
package object

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/config"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
)

// Object is a compiled script.
type Object struct {
	Config   config.Config
	Programs []*Program
	Maps     []*Map
	// Records describes the event records; the header of a record holds its
	// index.
	Records []*Record
	// Strings are texts that values refer to by index: strftime formats,
	// cgroup filters.
	Strings []string
	// Enums and the like need no table: types carry their names.
}

// Program is one eBPF program.
type Program struct {
	Name    string
	Insns   asm.Instructions // maps are referred to by name
	Targets []*target.Target
	// Sources maps raw instruction offsets (a 64-bit immediate load counts
	// two) to the script, ascending; each entry is good up to the next.
	Sources []SourcePos
	Span    source.Span
}

// SourcePos says what the instructions from Off on were made from.
type SourcePos struct {
	Off  uint32
	Span source.Span
}

// Role says what a map is for.
type Role uint8

// The roles. Names of internal maps do not start with @.
const (
	RoleScript   Role = iota // a map of the script
	RoleRing                 // the ring buffer of event records
	RoleScratch              // memory of each processor for what does not fit the stack
	RoleStacks               // stacks by hash: Map.Stack says which
	RoleCounters             // array of one value: see Counter offsets
	RoleConst                // read-only data, filled before the programs are loaded
	RoleParams               // array of one value that the session fills: see Param offsets
)

// Map is a map to create. Sizes and offsets are in bytes.
type Map struct {
	Name       string
	Role       Role
	Type       ebpf.MapType
	KeySize    int
	ValueSize  int
	MaxEntries int
	Flags      uint32
	// Data is the initial contents of a RoleConst map, which is frozen.
	Data []byte

	// Of script maps:
	Key     types.Type // nil: scalar
	Value   types.Type
	Present int // offset of the mark of presence, or -1
	PerCPU  bool
	Span    source.Span

	Stack types.Stack // of stack maps
}

// Record describes one kind of event record.
type Record struct {
	Action types.Action
	// Format is the constant text of the action.
	Format string
	Map    string // name of the map that print, clear, zero are about
	Top    uint64
	Div    uint64
	Layout layout.Struct
	Pos    Position
}

// Position is a resolved place in the script, for messages of a run.
type Position struct {
	File        string
	Line        int
	Col, EndCol int
	Line2       int // last line, where it differs
	SourceLine  string
	// Outer is the call that this place, in a macro, was expanded from.
	Outer *Position
}

// Offsets in the value of the RoleCounters map: uint64 each. Behind them
// stands one counter for each record, of how often it did not fit the ring
// buffer.
const (
	CounterLost  = 0 // records lost as the ring buffer was full
	CounterKinds = 8 // uint64 for each index of Records: occurrences of a run-time warning
)

// Offsets in the value of the RoleParams map.
const (
	ParamStart = 0  // uint64, boot clock at attaching, for elapsed
	ParamCpid  = 8  // uint64, process id of the command
	ParamWall  = 16 // uint64, wall clock (ns since 1970) less boot clock, for tseries
	ParamSize  = 24
)
