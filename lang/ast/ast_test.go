package ast_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/ast"
)

// sample is `-$x + @m["k"]`, without positions.
func sample() ast.Expr {
	return &ast.Binary{Op: "+",
		X: &ast.Unary{Op: "-", X: &ast.VarRef{Name: "x"}},
		Y: &ast.MapIndex{Map: &ast.MapRef{Name: "@m"}, Keys: []ast.Expr{&ast.StrLit{Value: "k"}}},
	}
}

func TestDump(t *testing.T) {
	if got, want := ast.Dump(sample()), "(+ (- $x) (@[] @m \"k\"))\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A node that is too long for a line has a child a line.
func TestDumpBreaksLines(t *testing.T) {
	long := &ast.Ident{Name: strings.Repeat("n", 120)}
	got := ast.Dump(&ast.Tuple{Elems: []ast.Expr{long, sample()}})
	want := "(tuple\n  " + long.Name + "\n  (+ (- $x) (@[] @m \"k\")))\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Inspect visits a node before its children, and leaves the children out where
// it is told to.
func TestInspect(t *testing.T) {
	var steps []string
	note := func(mark string, n ast.Node) {
		steps = append(steps, mark+strings.TrimSpace(ast.Dump(n)))
	}
	ast.Inspect(sample(), func(n ast.Node) bool {
		if _, ok := n.(*ast.MapIndex); ok {
			note("skip ", n)
			return false
		}
		note("visit ", n)
		return true
	})
	want := []string{
		`visit (+ (- $x) (@[] @m "k"))`,
		"visit (- $x)", "visit $x",
		`skip (@[] @m "k")`,
	}
	if got := strings.Join(steps, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}
