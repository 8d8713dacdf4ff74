package diag

import (
	"fmt"
	"io"
	"strings"

	paint "github.com/fatih/color"

	"github.com/gotrace/gotrace/lang/source"
)

// tabColumns is the width that a tab of the source line takes in the marker
// line below it.
const tabColumns = 4

// Render writes one diagnostic in the layout of the language reference,
// section 16.1: the head with its position, the source line, a marker below
// the span, then the notes in the same form and the hints.
func Render(w io.Writer, files *source.Set, d *Diagnostic, color bool) {
	var b strings.Builder
	place(&b, files, d.Span, d.Severity.String(), d.Severity, d.Msg, color)
	for _, n := range d.Notes {
		place(&b, files, n.Span, d.Severity.String(), d.Severity, n.Msg, color)
	}
	for _, h := range d.Hints {
		fmt.Fprintf(&b, "HINT: %s\n", h)
	}
	io.WriteString(w, b.String())
}

func place(b *strings.Builder, files *source.Set, sp source.Span, word string, sev Severity, msg string, color bool) {
	from := files.Position(sp.Start)
	if from.File == nil {
		head(b, sev, color, "%s: %s", word, msg)
		return
	}
	to := files.Position(max(sp.End, sp.Start))
	if to.File != from.File {
		to = from
	}
	if from.Line != to.Line {
		head(b, sev, color, "%s:%d-%d: %s: %s", from.File.Name, from.Line, to.Line, word, msg)
		for n := from.Line; n <= to.Line; n++ {
			fmt.Fprintln(b, expand(from.File.Line(n)))
		}
		return
	}
	head(b, sev, color, "%s:%d:%d-%d: %s: %s", from.File.Name, from.Line, from.Col, to.Col, word, msg)
	line := from.File.Line(from.Line)
	fmt.Fprintln(b, expand(line))
	b.WriteString(strings.Repeat(" ", columns(line, from.Col)))
	b.WriteString(strings.Repeat("~", max(1, to.Col-from.Col)))
	b.WriteByte('\n')
}

// head writes the first line of a report, red for errors and yellow for
// warnings where colours are wanted.
func head(b *strings.Builder, sev Severity, color bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if color {
		c := paint.New(paint.FgRed)
		if sev == Warning {
			c = paint.New(paint.FgYellow)
		}
		c.EnableColor() // the caller has decided
		text = c.Sprint(text)
	}
	b.WriteString(text)
	b.WriteByte('\n')
}

// expand shows the tabs of a line as spaces, as wide as the marker counts them.
func expand(line string) string {
	return strings.ReplaceAll(line, "\t", strings.Repeat(" ", tabColumns))
}

// columns is the display width of the bytes of line before byte column col.
func columns(line string, col int) int {
	n := 0
	for i := 0; i < col-1; i++ {
		if i < len(line) && line[i] == '\t' {
			n += tabColumns
		} else {
			n++
		}
	}
	return n
}
