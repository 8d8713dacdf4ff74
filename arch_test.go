package gotrace_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/gotrace/gotrace"

// mayImport says which packages of this module each package imports, tests
// aside. "x/..." stands for x and what is below it. The rows go from the
// packages that everything rests on to the command: lang <- probes,
// lang <- codegen, and runtime sees the compiler's result, never the compiler.
func mayImport() map[string]string {
	return map[string]string{
		"lang/source": "",
		"lang/types":  "",
		"lang/printf": "",
		"lang/diag":   "lang/source",
		"lang/ast":    "lang/source",
		"lang/config": "lang/types",
		"lang/target": "lang/types",
		"lang/ktypes": "lang/types",
		"lang/typed":  "lang/config lang/source lang/target lang/types",
		"lang/parse":  "lang/ast lang/diag lang/source",
		"lang/format": "lang/ast",
		"lang/cdecl":  "lang/ast lang/diag lang/source lang/types",
		"lang/check": "lang/ast lang/cdecl lang/config lang/diag lang/ktypes lang/printf lang/source lang/target lang/typed " +
			"lang/types",

		"codegen/layout":             "lang/types",
		"codegen/layout/layouttest":  "codegen/layout lang/types",
		"codegen/object":             "codegen/layout lang/config lang/source lang/target lang/types",
		"codegen/internal/ir":        "lang/source",
		"codegen/internal/ir/irtest": "codegen/internal/ir",
		"codegen/internal/build": "codegen/internal/ir codegen/layout codegen/object lang/diag lang/printf lang/source " +
			"lang/target lang/typed lang/types",
		"codegen/internal/opt":      "codegen/internal/ir",
		"codegen/internal/lower":    "codegen/internal/ir",
		"codegen/internal/regalloc": "codegen/internal/ir",
		"codegen/internal/emit":     "codegen/internal/ir lang/source",
		"codegen":                   "codegen/internal/... codegen/object lang/diag lang/source lang/typed",
		"codegen/progtest":          "",

		"probes/host":             "lang/ktypes",
		"probes/host/hosttest":    "probes/host",
		"probes/internal/ctext":   "probes/provider",
		"probes/internal/elfsym":  "probes/host",
		"probes/internal/ksyms":   "lang/ktypes lang/target probes/host",
		"probes/internal/perf":    "probes/host",
		"probes/internal/ptregs":  "",
		"probes/internal/tracefs": "",
		"probes/provider":         "lang/target probes/host",
		"probes/registers":        "probes/internal/ptregs",
		"probes/syscalls":         "",
		"probes/fentry":           provider + " lang/diag lang/ktypes probes/internal/...",
		"probes/iter":             provider + " lang/diag probes/internal/...",
		"probes/kprobe":           provider + " lang/diag lang/ktypes probes/internal/...",
		"probes/perfevent":        provider + " lang/diag probes/internal/...",
		"probes/rawtp":            provider + " lang/diag lang/ktypes probes/internal/...",
		"probes/special":          provider,
		"probes/tracepoint":       provider + " lang/diag lang/ktypes probes/internal/... probes/syscalls",
		"probes/uprobe":           provider + " lang/diag probes/internal/...",
		"probes/usdt":             provider + " lang/diag probes/internal/... probes/uprobe",
		"probes":                  "lang/diag lang/ktypes lang/source lang/target probes/...",

		"runtime/symbol": "",
		"runtime/event":  "codegen/layout codegen/object lang/diag lang/printf lang/types",
		"runtime/maps":   "codegen/layout codegen/object lang/types",
		"runtime/output": "codegen/layout codegen/object lang/diag lang/printf lang/types runtime/event runtime/maps runtime/symbol",
		"runtime/session": "codegen/layout codegen/object lang/diag lang/source lang/target lang/types probes probes/host probes/iter " +
			"runtime/event runtime/maps runtime/output",
		"runtime/compare":                "",
		"runtime/vmtest":                 "runtime/vmtest/internal/...",
		"runtime/vmtest/cmd":             "runtime/vmtest",
		"runtime/vmtest/internal/agent":  "runtime/vmtest/internal/wire",
		"runtime/vmtest/internal/cpio":   "",
		"runtime/vmtest/internal/debian": "",
		"runtime/vmtest/internal/kmod":   "",
		"runtime/vmtest/internal/wire":   "",

		"": "codegen codegen/object lang/... probes probes/host probes/registers probes/syscalls runtime/event runtime/maps " +
			"runtime/output runtime/session runtime/symbol",
		"cmd/gotrace":    ".",
		"examples":       "",
		"examples/embed": ".",
	}
}

// provider is what the package of each kind of probe imports. They do not know
// one another, apart from usdt, which attaches as uprobe does.
const provider = "lang/target lang/types probes/host probes/provider"

// The imports of every package follow the table, and the table has no package
// and no import that does not exist.
func TestImports(t *testing.T) {
	table := mayImport()
	checked := 0
	for _, dir := range packageDirs(t) {
		pkg, err := build.ImportDir(filepath.FromSlash(dir), 0)
		if err != nil {
			if _, none := err.(*build.NoGoError); !none {
				t.Errorf("%s: %v", dir, err)
			}
			continue
		}
		name := strings.TrimPrefix(dir, ".")
		rule, ok := table[name]
		if !ok {
			t.Errorf("package %q is not in the table of this test", name)
			continue
		}
		checked++
		delete(table, name)
		forbidden, unused := compareImports(strings.Fields(rule), ownImports(pkg))
		for _, imp := range forbidden {
			t.Errorf("package %q must not import %q", name, imp)
		}
		for _, pattern := range unused {
			t.Errorf("the table allows package %q to import %q, which it does not", name, pattern)
		}
	}
	if checked == 0 {
		t.Fatal("no package was found")
	}
	for name := range table {
		t.Errorf("the table has a package %q that does not exist", name)
	}
}

// packageDirs lists the directories of the module that may hold a package.
func packageDirs(t *testing.T) []string {
	var dirs []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if base := d.Name(); name != "." && (base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
			return fs.SkipDir
		}
		dirs = append(dirs, filepath.ToSlash(name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// ownImports returns the packages of this module that pkg imports, "." being
// the root.
func ownImports(pkg *build.Package) []string {
	var list []string
	for _, imp := range pkg.Imports {
		if own, ok := strings.CutPrefix(imp, modulePath); ok {
			list = append(list, path.Clean("./"+own))
		}
	}
	return list
}

// compareImports returns the imports that no pattern of a rule admits, and the
// patterns that admit none of them.
func compareImports(rule, imports []string) (forbidden, unused []string) {
	for _, imp := range imports {
		if !slices.ContainsFunc(rule, func(pattern string) bool { return admits(pattern, imp) }) {
			forbidden = append(forbidden, imp)
		}
	}
	for _, pattern := range rule {
		if !slices.ContainsFunc(imports, func(imp string) bool { return admits(pattern, imp) }) {
			unused = append(unused, pattern)
		}
	}
	return forbidden, unused
}

func admits(pattern, imp string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return imp == below || strings.HasPrefix(imp, below+"/")
	}
	return imp == pattern
}

// Nothing runs before main: there is no init function, and no variable of a
// package is computed. Start-up is a feature.
func TestNoWorkAtInitialisation(t *testing.T) {
	fset := token.NewFileSet()
	for _, dir := range packageDirs(t) {
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range initWork(f) {
				t.Errorf("%s: this runs before main", fset.Position(at))
			}
		}
	}
}

// initWork finds init functions, and what variables of a package call or fill.
func initWork(f *ast.File) []token.Pos {
	var found []token.Pos
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if fun, ok := n.Fun.(*ast.SelectorExpr); !ok || fun.Sel.Name != "New" || fmt.Sprint(fun.X) != "errors" {
				found = append(found, n.Pos())
			}
		case *ast.CompositeLit:
			if _, isMap := n.Type.(*ast.MapType); isMap && len(n.Elts) > 0 {
				found = append(found, n.Pos())
			}
		}
		return true
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				found = append(found, d.Pos())
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && d.Tok == token.VAR && v.Names[0].Name != "_" {
					for _, x := range v.Values {
						ast.Inspect(x, look)
					}
				}
			}
		}
	}
	return found
}
