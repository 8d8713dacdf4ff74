package codegen_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/diag"
)

// TestLimits shows that what the kernel would refuse without a word on where it
// is, the compiler refuses at its place.
func TestLimits(t *testing.T) {
	const loops = "BEGIN { $n = (int64)rand & 3; "
	for _, c := range []struct{ name, src, release, at, want string }{
		{"maps", "BEGIN { " + numbered(70, "@m%d = 1; ") + "}", "6.18", "@m64 = 1", "this probe uses 70 maps, 0 of them gotrace's own; the kernel allows 64"},
		{"maps with keys", "BEGIN { " + numbered(70, "@m%d[pid] = 1; ") + "}", "6.18", "@m62[pid] = 1", "this probe uses 72 maps, 2 of them gotrace's own; the kernel allows 64"},
		{"maps of one of many probes", "BEGIN { @ = 1; } END { @ = 2; }\ninterval:s:1 { " + numbered(70, "@m%d = 1; ") + "}", "6.18", "@m64 = 1", "the kernel allows 64"},
		{"ranges in ranges", loops + numbered(9, "for ($i%d : 0..$n) { ") + strings.Repeat("}", 9) + "}", "6.18", "for ($i7 ", "loops are nested more than 7 deep here"},
		{"a search in ranges", loops + "$s = comm; " + numbered(7, "for ($i%d : 0..$n) { ") + `@ = strcontains($s, "abc"); ` + strings.Repeat("}", 7) + "}", "6.18", `strcontains($s`, "loops are nested more than 7 deep here"},
		{"the length of a map in ranges", loops + "@m[1] = 1; " + numbered(7, "for ($i%d : 0..$n) { ") + "@ = len(@m); " + strings.Repeat("}", 7) + "}", "6.18", "len(@m)", "loops are nested more than 7 deep here"},
		{"maps in maps", "BEGIN { @[1] = 1; " + numbered(8, "for ($i%d : @) { ") + strings.Repeat("}", 8) + "}", "6.18", "for ($i7 ", "loops are nested more than 7 deep here"},
		{"too many turns for the verifier", "BEGIN { for ($i : 0..2000000000000) { " + numbered(4, "for ($i%d : 0..1000) { ") + "@ = 1; " + strings.Repeat("}", 5) + "}", "5.10", "for ($i :", "this loop needs Linux 5.17 or later; this is 5.10"},
		{"turns without a body", "BEGIN { for ($i : 0..2000000000000) { } }", "5.10", "for ($i :", "this loop needs Linux 5.17 or later; this is 5.10"},
		{"whiles in whiles", loops + numbered(8, "while ($n > %d) { ") + strings.Repeat("}", 8) + "}", "6.18", "while ($n > 7)", "loops are nested more than 7 deep here"},
		{"a long program", "BEGIN { " + strings.Repeat("@[pid, comm] = nsecs; ", 1500) + "}", "6.18", "BEGIN", "the probe is too large: it takes"},
		{"a path in an iterator", "iter:task_file { @ = path(ctx.file.f_path); }", "5.10", "path(", "path() in iterators needs Linux 5.12 or later; this is 5.10"},
		{"a long key", "config = { max_strlen = 600 } BEGIN { @[str(nsecs)] = 1; }", "5.10", "@", "a key of 601 bytes (more than 512; see max_strlen) needs Linux 5.11 or later; this is 5.10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := compileOpt(c.src, features(c.release), 2)
			var list *diag.List
			if !errors.As(err, &list) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %.500v, want %q", err, c.want)
			}
			if at := list.Files.Position(list.Diags[0].Span.Start); !strings.HasPrefix(at.File.Text[list.Diags[0].Span.Start-1:], c.at) {
				t.Errorf("reported in column %d, want %q", at.Col, c.at)
			}
		})
	}
	most := "BEGIN { " + numbered(62, "@m%d = 1; ") + "}"
	if _, err := compileOpt(most, features("6.18"), 2); err != nil {
		t.Error(err)
	}
	// Whether a loop is worth a callback is asked of each in those around it.
	deep := "BEGIN { " + numbered(100, "for ($i%d : 0..2) { ") + "@ = nsecs; " + strings.Repeat("}", 100) + "}"
	if _, err := compileOpt(deep, features("6.18"), 2); err == nil {
		t.Error("a hundred loops in one another are accepted")
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
