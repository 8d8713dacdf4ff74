package event

import (
	"time"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/printf"
)

// Event is one thing that a script does or that happens to its run. It is one
// of the pointer types of this package.
type Event interface{ event() }

// Text is a format with the values for its conversions.
type Text struct {
	Items []printf.Item
	Args  []layout.Value // one for each conversion
}

// Printf is printf().
type Printf struct{ Text }

// Print is print() of a value.
type Print struct{ Value layout.Value }

// Message is errorf() or warnf().
type Message struct {
	Text
	Severity diag.Severity
	Pos      *object.Position
}

// IsError reports whether it is errorf().
func (m *Message) IsError() bool { return m.Severity == diag.Error }

// Warning is a run-time warning: a division by zero, an index out of bounds.
type Warning struct {
	Msg string
	Pos *object.Position
}

// HelperError is a failed helper of the kernel.
type HelperError struct {
	Helper string // without bpf_, such as probe_read_user
	Code   int64  // what it returned: a negative errno, 0 for a null pointer
	Pos    *object.Position
}

// StackLost is the first stack from a place in the script that the map of stacks
// did not take. Such stacks print as lost.
type StackLost struct {
	Code int64 // a negative errno
	Pos  *object.Position
}

// PrintMap is print() of a map. The session answers it with a maps.Snapshot.
type PrintMap struct {
	Map      string
	Top, Div uint64 // 0: not given
}

// Clear is clear() of a map.
type Clear struct{ Map string }

// Zero is zero() of a map.
type Zero struct{ Map string }

// Exit is exit(); Code is its argument.
type Exit struct{ Code int64 }

// Time is time(): the wall clock in the strftime format.
type Time struct{ Format string }

// Join is join().
type Join struct {
	Separator string
	Words     [][]byte
}

// Cat is cat(); the text is the path. The session answers it with an Output.
type Cat struct{ Text }

// System is system(); the text is the command. The session answers it with an
// Output.
type System struct{ Text }

// Unwatch is unwatch() of the watchpoint at an address.
type Unwatch struct{ Address uint64 }

// Source says what an Output is the output of.
type Source uint8

// The sources.
const (
	FromCat Source = iota
	FromSystem
)

// Output is what cat() read or system() printed.
type Output struct {
	From Source
	Data []byte
}

// Failure is something that went wrong in user space while the run goes on: a
// file that can not be read, a command that failed.
type Failure struct{ Msg string }

// Lost reports Count records that did not fit the ring buffer since the last
// report.
type Lost struct{ Count uint64 }

// LostTotal reports at the end of a run how many records were lost in all, if
// any were.
type LostTotal struct{ Count uint64 }

// Attached reports that all probes are attached.
type Attached struct{ Probes int }

// Pinned reports where an iterator was pinned.
type Pinned struct{ Path string }

// End reports that the last event was handled. The maps that are printed at
// the end follow.
type End struct{}

// TestsBegin comes before the first test: probe runs.
type TestsBegin struct{ Count int }

// TestBegin comes before each test: probe.
type TestBegin struct{ Name string }

// TestResult is the outcome of one test: probe. Output is what the script
// printed meanwhile.
type TestResult struct {
	Name     string
	Duration time.Duration
	Passed   bool
	Output   string
}

// TestsEnd comes behind the last TestResult.
type TestsEnd struct {
	Passed int
	Failed []string // names
}

// Bench is the outcome of all bench: probes.
type Bench struct{ Results []BenchResult }

// BenchResult is the outcome of one bench: probe.
type BenchResult struct {
	Name       string
	Average    time.Duration // of one run
	Iterations uint64
}

func (*Printf) event()      {}
func (*Print) event()       {}
func (*Message) event()     {}
func (*Warning) event()     {}
func (*HelperError) event() {}
func (*StackLost) event()   {}
func (*PrintMap) event()    {}
func (*Clear) event()       {}
func (*Zero) event()        {}
func (*Exit) event()        {}
func (*Time) event()        {}
func (*Join) event()        {}
func (*Cat) event()         {}
func (*System) event()      {}
func (*Unwatch) event()     {}
func (*Output) event()      {}
func (*Failure) event()     {}
func (*Lost) event()        {}
func (*LostTotal) event()   {}
func (*Attached) event()    {}
func (*Pinned) event()      {}
func (*End) event()         {}
func (*TestsBegin) event()  {}
func (*TestBegin) event()   {}
func (*TestResult) event()  {}
func (*TestsEnd) event()    {}
func (*Bench) event()       {}
