package codegen_test

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gotrace/gotrace/codegen"
)

var update = flag.Bool("update", false, "write the output to the golden files")

// TestIR compares the SSA form that scripts are built into, before any pass,
// with the files of testdata/ir: a script and the program of its probe.
func TestIR(t *testing.T) {
	files, err := filepath.Glob("testdata/ir/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil || len(a.Files) != 2 {
				t.Fatalf("%s: want a script and its IR: %v", name, err)
			}
			got := irText(t, string(a.Files[0].Data))
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(a.Files[1].Data); got != want {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", a.Files[0].Data, got, want)
			}
		})
	}
}

func irText(t *testing.T, src string) string {
	t.Helper()
	p, set, err := checkScript(src, features("6.18"), false)
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	_, err = codegen.Compile(p, codegen.Target{Arch: runtime.GOARCH, Features: features("6.18"), NumCPU: 2}, codegen.Options{
		Files: set, Verify: true,
		Dump: func(stage, _, text string) {
			if stage == "ir" {
				out += text
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
