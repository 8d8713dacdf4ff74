package types

import "fmt"

// Action is what user space does when a record arrives in the ring buffer.
type Action uint8

// The actions. The comment says what an Emit of it carries: constants in the
// Emit itself, run-time values as arguments.
const (
	ActPrintf    Action = iota // Format; one argument a conversion
	ActErrorf                  // Format, span; likewise
	ActWarnf                   // Format, span; likewise
	ActPrint                   // the value
	ActPrintMap                // Map, Top, Div
	ActClear                   // Map
	ActZero                    // Map
	ActExit                    // the exit code (int64)
	ActTime                    // Format (strftime)
	ActJoin                    // Format (separator); array of strings, see Join
	ActCat                     // Format; its arguments
	ActSystem                  // Format; its arguments
	ActWarning                 // a run-time warning: Format is its text, span
	ActHelper                  // a failed helper (-k): Format is its name, span; the error (int64)
	ActStackLost               // a stack that the map of stacks did not take, span; the error (int64)
	ActUnwatch                 // the address (uint64)
)

// String returns the name of the action, which is that of the function that
// asks for it where there is one.
func (a Action) String() string {
	names := [...]string{
		ActPrintf:    "printf",
		ActErrorf:    "errorf",
		ActWarnf:     "warnf",
		ActPrint:     "print",
		ActPrintMap:  "print map",
		ActClear:     "clear",
		ActZero:      "zero",
		ActExit:      "exit",
		ActTime:      "time",
		ActJoin:      "join",
		ActCat:       "cat",
		ActSystem:    "system",
		ActWarning:   "warning",
		ActHelper:    "failed helper",
		ActStackLost: "lost stack",
		ActUnwatch:   "unwatch",
	}
	if int(a) >= len(names) {
		return fmt.Sprintf("action %d", uint8(a))
	}
	return names[a]
}

// The fixed shape of an ActJoin argument: JoinMax strings of JoinCap bytes,
// behind a uint64 with their number.
const (
	JoinMax = 16
	JoinCap = 1024
)
