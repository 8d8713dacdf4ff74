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
