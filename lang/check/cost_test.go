package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// doubling makes forty macros, each of which uses the one before twice; format
// gets the number of a macro and that of the one before.
func doubling(first, format string) string {
	var b strings.Builder
	b.WriteString(first)
	for i := 1; i <= 40; i++ {
		fmt.Fprintf(&b, format, i, i-1)
	}
	return b.String()
}

// TestShortScriptsOfLargePrograms shows that a script can not stand for a
// program without bound: it is refused at once, at the place that a person can
// do something about.
func TestShortScriptsOfLargePrograms(t *testing.T) {
	h := hosttest.New()
	for _, c := range []struct{ name, program, at, want string }{
		{"macros of statements", doubling("macro m0($x) { $x += 1 }\n", "macro m%[1]d($x) { m%[2]d($x); m%[2]d($x) }\n") + "begin { $a = 0; m40($a) }",
			"m40($a)", "the macro m40 expands too far"},
		{"macros of expressions", doubling("macro m0(x) { x + x }\n", "macro m%[1]d(x) { m%[2]d(x) + m%[2]d(x) }\n") + "begin { print(m40(pid)) }",
			"m40(pid)", "the macro m40 expands too far"},
		{"arguments of macros", doubling("macro m0(x) { x + x }\n", "macro m%[1]d(x) { m%[2]d(x + x) }\n") + "begin { print(m40(pid)) }",
			"m40(pid)", "the macro m40 expands too far"},
		{"macros of C", doubling("#define A0 pid\n", "#define A%[1]d (A%[2]d + A%[2]d)\n") + "begin { print(A40) }",
			"A40)", "the macro A40 expands too far"},
		{"a chain of macros", chain(1000) + "begin { $a = 0; m999($a) }", "m999($a) }", "the macro m999 calls others more than 200 deep"},
		{"conditions", "begin { print(" + strings.Repeat("(", 100) + "pid" + strings.Repeat(" ?: 1)", 100) + ") }", "", "the probe is too large"},
		{"unroll", "begin { unroll (100) { unroll (100) { @[pid] = 1 } } }", "", "the probe is too large"},
		{"a long probe", "begin { " + strings.Repeat("@[pid, comm] = nsecs; ", 10_000) + "}", "", "the probe is too large"},
		{"many probes", strings.Repeat("interval:s:1 { "+strings.Repeat("@[pid] = nsecs; ", 100)+"}\n", 1000), "", "the script is too large"},
		{"tuples of tuples", "begin { $t0 = (1, 1); " + tuples(40) + "}", "($t8, $t8)", "a tuple of 1024 values is too large"},
		{"tuples of elements", "begin { @m0[1, 1] = 1; " + nestedKeys(40) + "}", "", "values is too large, the limit is 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			_, list := compile(h, c.program)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if !list.HasErrors() {
				t.Fatal("accepted")
			}
			d := list.Diags[len(list.Diags)-1]
			for _, e := range list.Diags {
				if e.Severity == diag.Error {
					d = e
					break
				}
			}
			if !strings.Contains(d.Msg, c.want) {
				t.Errorf("got %q, want %q", d.Msg, c.want)
			}
			if got := list.Files.Position(d.Span.Start).File.Text[d.Span.Start-1:]; !strings.HasPrefix(got, c.at) {
				t.Errorf("reported at %.20q, want %q", got, c.at)
			}
			if len(d.Notes) > 10 {
				t.Errorf("%d notes", len(d.Notes))
			}
		})
	}
}

// chain makes n macros that call one another.
func chain(n int) string {
	var b strings.Builder
	b.WriteString("macro m0($x) { $x += 1 }\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "macro m%d($x) { m%d($x) }\n", i, i-1)
	}
	return b.String()
}

func tuples(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "$t%d = ($t%[2]d, $t%[2]d); ", i, i-1)
	}
	return b.String()
}

// nestedKeys makes each map hold the elements of the one before, as key and as
// value.
func nestedKeys(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "for ($kv : @m%d) { @m%d[$kv] = $kv; } ", i-1, i)
	}
	return b.String()
}

// TestMacroNote shows where the macro of an expansion without bound stands.
func TestMacroNote(t *testing.T) {
	_, list := compile(hosttest.New(), doubling("macro m0($x) { $x += 1 }\n", "macro m%[1]d($x) { m%[2]d($x); m%[2]d($x) }\n")+"begin { $a = 0; m40($a) }")
	if len(list.Diags) != 1 || len(list.Diags[0].Notes) != 1 {
		t.Fatal(list.Error())
	}
	if got := list.Files.Text(list.Diags[0].Notes[0].Span); !strings.HasPrefix(got, "macro m40($x)") {
		t.Errorf("the note is about %q", got)
	}
}

// TestManyErrors shows that a script of nothing but errors is refused about as
// fast as one without.
func TestManyErrors(t *testing.T) {
	h := hosttest.New()
	for name, program := range map[string]string{
		"unknown names":     numbered(20_000, "nosuch%d; "),
		"unknown functions": numbered(20_000, "nosuch%d(); "),
		"unknown types":     numbered(20_000, "$x = (struct nosuch%d *)0; "),
		"unknown variables": numbered(20_000, "$x = $nosuch%d; "),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, list := compile(h, "begin { "+program+"}")
			if took := time.Since(start); took > 10*time.Second || !list.HasErrors() {
				t.Errorf("%d reports after %v", len(list.Diags), took)
			}
		})
	}
	redefined := strings.Repeat("macro m($x) { $x += 1 }\n", 20_000) + "begin { $a = 0; m($a) }"
	start := time.Now()
	_, list := compile(h, redefined)
	if took := time.Since(start); took > 10*time.Second || len(list.Diags) != 20_000-1 {
		t.Errorf("one macro many times: %d reports after %v", len(list.Diags), took)
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestLongChainOfMaps shows that types which do not become known are an error
// and no guess.
func TestLongChainOfMaps(t *testing.T) {
	links := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "@m%d = @m%d; ", i, i+1)
		}
		return "begin { " + b.String() + fmt.Sprintf("@m%d = (int64)1; }", n)
	}
	h := hosttest.New()
	if _, list := compile(h, links(60)); list.HasErrors() {
		t.Error(list.Error())
	}
	if _, list := compile(h, links(500)); !strings.Contains(list.Error(), "too long a chain") {
		t.Errorf("got %.300s", list.Error())
	}
}

// TestManyFaultyProbes shows that of many faulty attach points some are
// reported, while those that the script says may be missing are passed over.
func TestManyFaultyProbes(t *testing.T) {
	h := hosttest.New()
	probes := numbered(200, "fentry:nosuch%d { }\n")
	_, list := compile(h, probes)
	if n := len(list.Diags); n != 51 || !strings.Contains(list.Diags[50].Msg, "those behind this one were not looked at") {
		t.Errorf("%d reports, the last %q", n, list.Diags[n-1].Msg)
	}
	if _, list := compile(h, "config = { missing_probes = \"ignore\" }\n"+probes+"begin { }"); list.HasErrors() {
		t.Error(list.Error())
	}
}

// TestSizesOfSettings shows that sizes which no kernel takes are refused where
// they stand.
func TestSizesOfSettings(t *testing.T) {
	for program, want := range map[string]string{
		"let @a = hash(0); begin { @a[1] = 1; }":                    "Map @a can have 1 to 2147483647 elements, not 0",
		"let @a = hash(18446744073709551615); begin { @a[1] = 1; }": "Map @a can have 1 to 2147483647 elements, not 18446744073709551615",
		"config = { max_strlen = 100000000 } begin { }":             "Invalid value for max_strlen: '100000000'. Expected at most 67108864",
	} {
		if _, list := compile(hosttest.New(), program); !strings.Contains(list.Error(), want) {
			t.Errorf("%s: got %q, want %q", program, list.Error(), want)
		}
	}
}
