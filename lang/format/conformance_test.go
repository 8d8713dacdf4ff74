package format_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/format"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
)

// conformanceDir holds the cases that whole runs of the tracer are tested with.
const conformanceDir = "../../cmd/gotrace/testdata/conformance"

type testCase struct{ name, program, want string }

// cases reads the cases of the files that match the pattern.
func cases(t testing.TB, pattern string) []testCase {
	files, err := filepath.Glob(filepath.Join(conformanceDir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", conformanceDir, err)
	}
	var out []testCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split("\n"+string(text), "\n==== ")[1:] {
			name, _, _ := strings.Cut(c, "\n")
			tc := testCase{name: filepath.Base(file) + "/" + name}
			for _, s := range strings.Split(c, "\n---- ")[1:] {
				title, body, _ := strings.Cut(s, "\n")
				switch title {
				case "program":
					tc.program = body
				case "expect":
					tc.want = strings.TrimRight(body, "\n")
				}
			}
			out = append(out, tc)
		}
	}
	return out
}

// parsed returns the tree of a text, nil if it has errors.
func parsed(text string) *ast.Script {
	set := &source.Set{}
	s, list := parse.File(set, set.Add("x.bt", "", text))
	if list.HasErrors() {
		return nil
	}
	return s
}

// The formatter's cases print what they demand.
func TestFormatCases(t *testing.T) {
	count := 0
	for _, c := range cases(t, "fmt.cases") {
		s := parsed(c.program)
		if s == nil || c.want == "" {
			continue
		}
		count++
		if got := strings.TrimRight(string(format.Source(s)), "\n"); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	if count < 20 {
		t.Errorf("only %d cases found", count)
	}
}

// Every script of the conformance set keeps its tree, and its formatted text
// stays as it is.
func TestFormatKeepsTree(t *testing.T) {
	count := 0
	for _, c := range cases(t, "*.cases") {
		if s := parsed(c.program); s != nil {
			count++
			checkStable(t, c.name, s)
		}
	}
	if count < 1000 {
		t.Errorf("only %d scripts found", count)
	}
}

func checkStable(t *testing.T, name string, s *ast.Script) {
	t.Helper()
	once := format.Source(s)
	again := parsed(string(once))
	if again == nil {
		t.Fatalf("%s: the formatted text has errors:\n%s", name, once)
	}
	if twice := format.Source(again); string(twice) != string(once) {
		t.Errorf("%s: the text changed again\n%s\n%s", name, once, twice)
	}
	plainSettings(s)
	plainSettings(again)
	if a, b := ast.Dump(s), ast.Dump(again); a != b {
		t.Errorf("%s: the tree changed\n%s\n%s\n%s", name, a, b, once)
	}
}

// plainSettings makes words of the strings of a config block, as the formatter
// may do.
func plainSettings(s *ast.Script) {
	if s.Config == nil {
		return
	}
	for _, set := range s.Config.Settings {
		if lit, ok := set.Value.(*ast.StrLit); ok {
			set.Value = &ast.Ident{Base: lit.Base, Name: lit.Value}
		}
	}
}
