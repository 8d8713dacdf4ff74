package parse_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each archive in testdata has pairs of files: NAME.bt is a script, NAME.out
// its tree and the reports of its errors.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, path string) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range a.Files {
		want[f.Name] = string(f.Data)
	}
	out := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		name, ok := strings.CutSuffix(f.Name, ".bt")
		if !ok {
			continue
		}
		got := treeAndErrors(f.Name, strings.TrimSuffix(string(f.Data), "\n"))
		out.Files = append(out.Files, f, txtar.File{Name: name + ".out", Data: []byte(got)})
		if w := want[name+".out"]; got != w && !*update {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, w)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func treeAndErrors(name, text string) string {
	set := &source.Set{}
	s, list := parse.File(set, set.Add(name, "", text))
	var b strings.Builder
	b.WriteString(ast.Dump(s))
	for i := range list.Diags {
		diag.Render(&b, set, &list.Diags[i], false)
	}
	return b.String()
}
