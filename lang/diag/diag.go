// Package diag is what every stage reports errors and warnings with.
//
// A Diagnostic is data: a severity, a stable code, a span, a message, further
// places and hints. Stages append to a List; only Render turns spans into
// lines, columns and carets.
package diag

import (
	"fmt"
	"strings"

	"github.com/gotrace/gotrace/lang/source"
)

// Severity orders diagnostics; only errors stop a compilation.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

// String returns the word that reports begin with.
func (s Severity) String() string {
	if s == Warning {
		return "WARNING"
	}
	return "ERROR"
}

// Diagnostic is one report about a script.
type Diagnostic struct {
	Severity Severity
	Code     Code
	Span     source.Span
	Msg      string
	// Notes are further places that matter: the other instance, each call
	// level a macro was expanded from, the line of a verifier rejection.
	Notes []Note
	// Hints say what to do about it.
	Hints []string
}

// Note is a second place of a Diagnostic. A note without a valid span is shown
// as text alone.
type Note struct {
	Span source.Span
	Msg  string
}

// List is the outcome of a stage. *List is an error when it holds at least one
// diagnostic of severity Error; use Err to return it as one.
type List struct {
	Files *source.Set
	Diags []Diagnostic
}

// Add appends d.
func (l *List) Add(d Diagnostic) *Diagnostic {
	l.Diags = append(l.Diags, d)
	return &l.Diags[len(l.Diags)-1]
}

// Errorf appends an error and returns it for notes and hints, valid until the
// next one is added.
func (l *List) Errorf(code Code, sp source.Span, format string, args ...any) *Diagnostic {
	return l.Add(Diagnostic{Severity: Error, Code: code, Span: sp, Msg: fmt.Sprintf(format, args...)})
}

// Warnf appends a warning.
func (l *List) Warnf(code Code, sp source.Span, format string, args ...any) *Diagnostic {
	return l.Add(Diagnostic{Severity: Warning, Code: code, Span: sp, Msg: fmt.Sprintf(format, args...)})
}

// Hint appends a hint.
func (d *Diagnostic) Hint(format string, args ...any) *Diagnostic {
	d.Hints = append(d.Hints, fmt.Sprintf(format, args...))
	return d
}

// Note appends a second place.
func (d *Diagnostic) Note(sp source.Span, format string, args ...any) *Diagnostic {
	d.Notes = append(d.Notes, Note{sp, fmt.Sprintf(format, args...)})
	return d
}

// HasErrors reports whether an error is among the diagnostics.
func (l *List) HasErrors() bool {
	for i := range l.Diags {
		if l.Diags[i].Severity == Error {
			return true
		}
	}
	return false
}

// Err returns l if it holds an error, else nil.
func (l *List) Err() error {
	if l == nil || !l.HasErrors() {
		return nil
	}
	return l
}

// Error returns the errors without colours, as Render shows them.
func (l *List) Error() string {
	var b strings.Builder
	for i := range l.Diags {
		if l.Diags[i].Severity == Error {
			Render(&b, l.Files, &l.Diags[i], false)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
