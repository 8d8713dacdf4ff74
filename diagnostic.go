package gotrace

import (
	"errors"
	"io"
	"slices"

	"github.com/gotrace/gotrace/lang/diag"
)

// Diagnostic is one report about a script: Severity, Code (a number that stays),
// Span (a place, see DiagnosticList), Msg, Notes (further places) and Hints.
type Diagnostic = diag.Diagnostic

// DiagnosticList is the error of a faulty script: reports, Diags, with their
// places: Files.Position(d.Span.Start) has a Line and a Col. Render prints it.
type DiagnosticList = diag.List

// Render writes the errors of a list, or with errors false its warnings, each
// with its place in the script; color marks them for a terminal.
func Render(w io.Writer, list *DiagnosticList, color, errors bool) {
	if list == nil {
		return
	}
	for i := range list.Diags {
		if (list.Diags[i].Severity == diag.Error) == errors {
			diag.Render(w, list.Files, &list.Diags[i], color)
		}
	}
}

// IsSettingFault reports whether err is about Config.Settings, not about the
// script: it has no place. The command tells it apart by its exit code.
func IsSettingFault(err error) bool {
	var list *diag.List
	return errors.As(err, &list) && slices.ContainsFunc(list.Diags, func(d Diagnostic) bool { return d.Code == diag.BadConfig && !d.Span.IsValid() })
}

// IsCDefinition reports whether err is about C definitions, which the command
// tells apart by its exit code.
func IsCDefinition(err error) bool {
	var list *diag.List
	return errors.As(err, &list) && slices.ContainsFunc(list.Diags, func(d Diagnostic) bool { return d.Code == diag.CDefinition })
}
