package target

import "fmt"

// ErrorKind tells what is wrong with an attach point, as only some kinds can
// be tolerated (see the missing_probes setting).
type ErrorKind uint8

// The kinds of Error.
const (
	// Syntax: the text is malformed, whatever the machine.
	Syntax ErrorKind = iota
	// Missing: well-formed, but nothing on this machine matches.
	Missing
	// Unsupported: the machine or gotrace lacks what it takes.
	Unsupported
	// NotAllowed: needs an option or a privilege that was not given.
	NotAllowed
)

// Error says why an attach point stands for nothing.
type Error struct {
	Kind  ErrorKind
	Msg   string
	Hints []string
}

// Error returns the message without the hints.
func (e *Error) Error() string { return e.Msg }

// Errorf returns an Error with a formatted message.
func Errorf(kind ErrorKind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Hint adds a hint and returns e.
func (e *Error) Hint(format string, args ...any) *Error {
	e.Hints = append(e.Hints, fmt.Sprintf(format, args...))
	return e
}
