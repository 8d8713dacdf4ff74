package parse_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
)

func parseText(text string) (*ast.Script, *diag.List) {
	set := &source.Set{}
	return parse.File(set, set.Add("x.bt", "", text))
}

func randomBytes(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func repeat(s string, bytes int) string { return strings.Repeat(s, bytes/len(s)) }

// Text that is made to hurt gives an error, in time that grows with its
// length: four times the text may not take sixteen times as long.
func TestHostile(t *testing.T) {
	const size = 1 << 16
	hostile := map[string]func(n int) string{
		"random bytes":         randomBytes,
		"parentheses":          func(n int) string { return "BEGIN { $x = " + repeat("(", n) },
		"closed parentheses":   func(n int) string { return "BEGIN { $x = " + repeat("(", n/2) + "1" + repeat(")", n/2) + "}" },
		"braces":               func(n int) string { return "BEGIN " + repeat("{", n) },
		"brackets":             func(n int) string { return "BEGIN { " + repeat("@x[", n) },
		"calls":                func(n int) string { return "BEGIN { " + repeat("f(", n) },
		"negations":            func(n int) string { return "BEGIN { $x = " + repeat("!", n) + "1 }" },
		"minus signs":          func(n int) string { return "BEGIN { $x = " + repeat("- ", n) + "1 }" },
		"casts":                func(n int) string { return "BEGIN { $x = " + repeat("(int8)", n) + "1 }" },
		"sums":                 func(n int) string { return "BEGIN { $x = 1" + repeat("+1", n) + " }" },
		"ternaries":            func(n int) string { return "BEGIN { $x = 1" + repeat("?1:1", n) + " }" },
		"open ternaries":       func(n int) string { return "BEGIN { $x = 1" + repeat("?1", n) + " }" },
		"fields":               func(n int) string { return "BEGIN { $x = $y" + repeat(".a", n) + " }" },
		"comptimes":            func(n int) string { return "BEGIN { $x = " + repeat("comptime ", n) + "1 }" },
		"else ifs":             func(n int) string { return "BEGIN { if (1) {} " + repeat("else if (1) {} ", n) + "}" },
		"nested ifs":           func(n int) string { return "BEGIN { " + repeat("if (1) {", n) },
		"ifs in a row":         func(n int) string { return "BEGIN { " + repeat("if ", n) },
		"ifs in brackets":      func(n int) string { return "BEGIN { $x = " + repeat("if if if if (", n) },
		"stars of a type":      func(n int) string { return "BEGIN { $x = (int8 " + repeat("*", n) + ")1 }" },
		"lengths of a type":    func(n int) string { return "BEGIN { $x = (int8" + repeat("[1]", n) + ")1 }" },
		"semicolons":           func(n int) string { return "BEGIN { " + repeat(";", n) },
		"a long integer":       func(n int) string { return "BEGIN { $x = " + repeat("9", n) + " }" },
		"types":                func(n int) string { return "BEGIN { $x = " + repeat("(typeof", n) + "}" },
		"unterminated string":  func(n int) string { return "BEGIN { print(\"" + repeat("a", n) },
		"unterminated comment": func(n int) string { return "BEGIN { /* " + repeat("a", n) },
		"unterminated struct":  func(n int) string { return "struct a { " + repeat("int a; ", n) },
		"structs":              func(n int) string { return repeat("struct ", n) },
		"open predicate":       func(n int) string { return "BEGIN / " + repeat("1 / ", n) },
		"slashes":              func(n int) string { return "BEGIN { $x = 1 " + repeat("/ /* */", n) + "}" },
		"attach points":        func(n int) string { return repeat("a,", n) + "," },
		"errors":               func(n int) string { return "BEGIN {" + repeat("$x = ;\n", n) + "}" },
		"broken probes":        func(n int) string { return repeat("BEGIN { $x = }\n", n) + "}" },
		"blocks with errors":   func(n int) string { return "BEGIN {" + repeat("$x = {", n/2) + ";" + repeat("}", n/4) },
		"keywords":             func(n int) string { return repeat("let ", n) },
		"broken imports":       func(n int) string { return repeat(`import "x" struct `, n) },
	}
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			short, long := parseTime(t, text(size)), parseTime(t, text(4*size))
			// Other load can only make a measurement longer.
			for tries := 0; tries < 5 && long > 12*short && long > time.Second; tries++ {
				time.Sleep(time.Second)
				short, long = parseTime(t, text(size)), parseTime(t, text(4*size))
			}
			if long > 12*short && long > time.Second {
				t.Errorf("%v for %d bytes, %v for %d", short, size, long, 4*size)
			}
			t.Log(short, long)
		})
	}
}

// parseTime parses a text that has errors and walks its tree.
func parseTime(t *testing.T, text string) time.Duration {
	t.Helper()
	start := time.Now()
	s, list := parseText(text)
	took := time.Since(start)
	if !list.HasErrors() {
		t.Errorf("no error for %.40q", text)
	}
	ast.Inspect(s, func(ast.Node) bool { return true })
	return took
}

// A megabyte of noise is one parse like any other.
func TestMegabyteOfNoise(t *testing.T) {
	if took := parseTime(t, randomBytes(1<<20)); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// Tokens cost memory, so there is a bound on them. What is beyond is not looked
// at, and reported alone.
func TestTooManyTokens(t *testing.T) {
	const most = 1 << 20
	text := "BEGIN { " + strings.Repeat("\n;", most)
	_, list := parseText(text)
	if len(list.Diags) != 1 || list.Diags[0].Msg != "syntax: the script has more than 1048576 tokens" {
		t.Fatalf("%d errors, the first %.200v", len(list.Diags), list.Diags[0])
	}
	if at := list.Files.Position(list.Diags[0].Span.Start); at.Line < most-10 {
		t.Errorf("reported in line %d", at.Line)
	}
	few := "BEGIN { " + strings.Repeat("@ = 1; ", most/4-10) + "}"
	if _, list := parseText(few); list.HasErrors() {
		t.Errorf("a script with fewer tokens: %.200v", list.Diags[0].Msg)
	}
}

// Messages quote so much of a token as is worth reading.
func TestErrorsAreShort(t *testing.T) {
	for _, text := range []string{
		"BEGIN { $x = " + repeat("9", 1<<20) + "; }",
		"BEGIN { $x = 0" + repeat("9", 1<<20) + "; }",
		"BEGIN { $x = 1e" + repeat("9", 1<<20) + "; }",
		"BEGIN { $x = 1" + repeat("z", 1<<20) + "; }",
		"BEGIN { $x = $" + repeat("9", 1<<20) + "; }",
		"BEGIN { $x = $y." + repeat("9", 1<<20) + "; }",
	} {
		_, list := parseText(text)
		if !list.HasErrors() || len(list.Diags[0].Msg) > 200 {
			t.Errorf("%.40s: %d bytes", text, len(list.Diags[0].Msg))
		}
	}
}
