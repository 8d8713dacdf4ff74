package ir

import "github.com/gotrace/gotrace/lang/source"

// LimitError reports that a program is beyond what eBPF allows. Unlike other
// errors behind the checker it is no bug of the compiler.
type LimitError struct {
	Msg string
	// Span is the part of the script that is too much, if it can be told.
	Span source.Span
}

func (e *LimitError) Error() string { return e.Msg }
