package check_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// machine is a machine with files below the directory of scripts.
func machine(files map[string]string) *host.Host {
	cfg := hosttest.Config()
	cfg.Dir = "/work"
	root := fstest.MapFS{}
	for name, text := range files {
		root["work/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	cfg.Root = root
	return host.New(cfg)
}

// TestImportsAreBounded shows that imports which lead in circles end, and that
// there is a limit to what they can reach.
func TestImportsAreBounded(t *testing.T) {
	chain, wide := map[string]string{}, map[string]string{"main.bt": ""}
	for i := range 3000 {
		chain[fmt.Sprintf("i%d.bt", i)] = fmt.Sprintf("import \"i%d.bt\";\nbegin { @ = 1; }", i+1)
		wide[fmt.Sprintf("lib/i%d.bt", i)] = "macro m() { 1 }"
	}
	large := map[string]string{}
	for i := range 4 {
		large[fmt.Sprintf("lib/i%d.bt", i)] = strings.Repeat(" ", 3<<20)
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		main  string
		want  string
	}{
		{"a circle", map[string]string{"a.bt": `import "b.bt"; begin { }`, "b.bt": `import "./a.bt"; begin { }`}, `import "a.bt"; begin { }`, ""},
		{"a chain", chain, `import "i0.bt"; begin { }`, "the imports are more than 1000 files or 8 MiB together"},
		{"a directory", wide, `import "lib"; begin { }`, "the imports are more than 1000 files or 8 MiB together"},
		{"large files", large, `import "lib"; begin { }`, "the imports are more than 1000 files or 8 MiB together"},
		{"a large file", map[string]string{"a.bt": strings.Repeat(" ", 17<<20)}, `import "a.bt"; begin { }`, "unable to import /work/a.bt: larger than 16 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, list := compile(machine(c.files), c.main)
			if c.want == "" {
				if list.HasErrors() {
					t.Error(list.Error())
				}
				return
			}
			n := 0
			for _, d := range list.Diags {
				if d.Msg == c.want {
					n++
				}
			}
			if n != 1 {
				t.Errorf("reported %d times in %.500s", n, list.Error())
			}
		})
	}
}

// TestImportedOnce counts the probes of a file that is reached by its directory
// and by another file in it.
func TestImportedOnce(t *testing.T) {
	files := map[string]string{"lib/a.bt": `import "b.bt";`, "lib/b.bt": `macro one() { 1 } begin { print(one()) }`}
	for _, main := range []string{`import "lib";`, `import "lib"; import "lib/b.bt"; import "./lib/../lib/a.bt";`} {
		p, list := compile(machine(files), main)
		if list.HasErrors() {
			t.Errorf("%s: %s", main, list.Error())
		} else if len(p.Probes) != 1 {
			t.Errorf("%s: %d probes, want 1", main, len(p.Probes))
		}
	}
}
