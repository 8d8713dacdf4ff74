package diag

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	paint "github.com/fatih/color"

	"github.com/gotrace/gotrace/lang/source"
)

// tabColumns is the width that a tab of the source line takes in the marker
// line below it.
const tabColumns = 4

// What a report shows of long lines, in bytes, and of long statements, in lines.
const (
	maxColumns = 240
	maxLines   = 20
	ellipsis   = "..."
)

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
		for n := from.Line; n <= min(to.Line, from.Line+maxLines-1); n++ {
			line, _ := clip(from.File.Line(n), 1)
			fmt.Fprintln(b, Plain(line))
		}
		if more := to.Line - from.Line + 1 - maxLines; more > 0 {
			fmt.Fprintf(b, "... (%d more lines)\n", more)
		}
		return
	}
	head(b, sev, color, "%s:%d:%d-%d: %s: %s", from.File.Name, from.Line, from.Col, to.Col, word, msg)
	b.WriteString(Excerpt(from.File.Line(from.Line), from.Col, to.Col))
}

// Excerpt shows a line of a script, or what of a long line stands around the
// place, and a marker below the bytes from column from up to to. Tabs become
// spaces, other control characters are not shown.
func Excerpt(line string, from, to int) string {
	line, col := clip(line, from)
	marker := strings.Repeat("~", max(1, min(to-from, len(line)-col+1)))
	return Plain(line) + "\n" + strings.Repeat(" ", columns(line, col)) + marker + "\n"
}

// clip cuts a line that is too long for a report to what stands around byte
// column col, and returns where that column is then.
func clip(line string, col int) (part string, at int) {
	if len(line) <= maxColumns {
		return line, col
	}
	from := max(0, min(col-1-maxColumns/3, len(line)-maxColumns))
	to := min(len(line), from+maxColumns)
	for from > 0 && !utf8.RuneStart(line[from]) {
		from--
	}
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to++
	}
	part, at = line[from:to], col-from
	if from > 0 {
		part, at = ellipsis+part, at+len(ellipsis)
	}
	if to < len(line) {
		part += ellipsis
	}
	return part, at
}

// head writes the first line of a report, in colour where that is wanted.
func head(b *strings.Builder, sev Severity, color bool, format string, args ...any) {
	text := shorten(fmt.Sprintf(format, args...))
	if color {
		text = Paint(sev, text)
	}
	b.WriteString(text)
	b.WriteByte('\n')
}

// Paint colours a text for a terminal: errors red, warnings yellow.
func Paint(sev Severity, text string) string {
	c := paint.New(paint.FgRed)
	if sev == Warning {
		c = paint.New(paint.FgYellow)
	}
	c.EnableColor() // the caller has decided
	return c.Sprint(text)
}

// Plain shows the tabs of a line as spaces, as wide as the marker counts them,
// and other control characters, which could drive a terminal, as U+FFFD.
func Plain(line string) string {
	var b strings.Builder
	for _, r := range line {
		switch {
		case r == '\t':
			b.WriteString(strings.Repeat(" ", tabColumns))
		case unicode.IsControl(r):
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
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

// maxHead is how many bytes the first line of a report has at most: it may quote
// a name of any length.
const maxHead = 4096

func shorten(text string) string {
	if len(text) <= maxHead {
		return text
	}
	return strings.ToValidUTF8(text[:maxHead], "") + "..."
}
