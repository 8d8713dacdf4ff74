package diag_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// report renders an error about the first occurrence of word in text.
func report(text, word string) []string {
	set := &source.Set{}
	f := set.Add("s.gt", ".", text)
	at := strings.Index(text, word)
	list := &diag.List{}
	list.Errorf(diag.Syntax, f.Span(at, at+len(word)), "bad")
	var b strings.Builder
	diag.Render(&b, set, &list.Diags[0], false)
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// TestLongLine wants the part of the line around the place, and the marker
// below it.
func TestLongLine(t *testing.T) {
	pad := strings.Repeat("ä ", 5000)
	lines := report(pad+"HERE "+pad, "HERE")
	if len(lines) != 3 || len(lines[1]) > 300 || !strings.HasPrefix(lines[1], "...") || !strings.HasSuffix(lines[1], "...") {
		t.Fatalf("%q", lines)
	}
	if at := strings.Index(lines[2], "~~~~"); at < 0 || !strings.HasPrefix(lines[1][at:], "HERE ") {
		t.Errorf("the marker is elsewhere:\n%s\n%s", lines[1], lines[2])
	}
}

// TestManyLines wants the start of a statement of a thousand lines only.
func TestManyLines(t *testing.T) {
	long := "{" + strings.Repeat("\n", 1000) + "}"
	lines := report("begin "+long, long)
	if len(lines) > 30 || lines[len(lines)-1] != "... (981 more lines)" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

// TestControlCharacters wants nothing in a report that drives a terminal.
func TestControlCharacters(t *testing.T) {
	lines := report("\x1b[31m bad", "bad")
	if strings.ContainsRune(lines[1], 0x1b) {
		t.Errorf("%q", lines[1])
	}
}

// TestLongMessage wants the start of a message that quotes a name of a megabyte.
func TestLongMessage(t *testing.T) {
	list := &diag.List{}
	list.Errorf(diag.UnknownName, source.Span{}, "unknown: %s", strings.Repeat("ä", 1<<20))
	text := list.Error()
	if len(text) > 5000 || !strings.HasPrefix(text, "ERROR: unknown: ää") || !strings.HasSuffix(text, "ä...") {
		t.Errorf("%d bytes: %.40q", len(text), text)
	}
}
