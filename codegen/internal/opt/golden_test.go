package opt

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

var update = flag.Bool("update", false, "write the golden files")

// TestPasses runs the passes that the first line of each file in testdata
// names ("passes: a b") over each program in it. A file NAME is the input, the
// file "NAME after" what must come out.
func TestPasses(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out := &txtar.Archive{Comment: a.Comment}
		for i, in := range a.Files {
			if strings.HasSuffix(in.Name, " after") {
				continue
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+in.Name, func(t *testing.T) {
				got := txtar.File{Name: in.Name + " after", Data: []byte(runPasses(t, passesOf(t, a), string(in.Data)))}
				out.Files = append(out.Files, in, got)
				if *update {
					return
				}
				if i+1 >= len(a.Files) || a.Files[i+1].Name != got.Name || string(a.Files[i+1].Data) != string(got.Data) {
					t.Errorf("%s is not as expected, but:\n%s", got.Name, got.Data)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// passesOf returns the passes that the comment of a names.
func passesOf(t *testing.T, a *txtar.Archive) []Pass {
	t.Helper()
	line, _, _ := strings.Cut(string(a.Comment), "\n")
	names, ok := strings.CutPrefix(line, "passes: ")
	if !ok {
		t.Fatalf("first line %q does not name passes", line)
	}
	var list []Pass
	for _, name := range strings.Fields(names) {
		list = append(list, passNamed(t, name))
	}
	return list
}

func passNamed(t testing.TB, name string) Pass {
	t.Helper()
	for _, p := range Passes() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no pass %s", name)
	return Pass{}
}

// runPasses returns the text of a program after passes.
func runPasses(t *testing.T, passes []Pass, text string) string {
	t.Helper()
	p, err := ir.Parse(text, helper)
	if err != nil {
		t.Fatal(err)
	}
	for _, pass := range passes {
		for _, f := range p.Funcs() {
			pass.Run(f)
		}
		if err := ir.VerifyProgram(p); err != nil {
			t.Fatalf("after %s: %v\n%s", pass.Name, err, p)
		}
	}
	return p.String()
}
