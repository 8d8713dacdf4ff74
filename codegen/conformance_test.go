package codegen_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// leastLoads is a little below the number of programs that load: 5538 in November
// 2026. Scripts that are refused with a report do not count as failures here.
const leastLoads = 5400

// TestConformanceLoads compiles every program of the conformance set that
// needs nothing but itself, and lets the verifier judge the result.
func TestConformanceLoads(t *testing.T) {
	hosttest.RequireBPF(t)
	files, err := filepath.Glob("../cmd/gotrace/testdata/conformance/*.cases")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conformance cases: %v", err)
	}
	n := 0
	for _, file := range files {
		area := strings.TrimSuffix(filepath.Base(file), ".cases")
		for name, src := range programs(t, file) {
			t.Run(area+"/"+name, func(t *testing.T) {
				for _, release := range []string{"6.18", "6.1", "5.10"} {
					for _, opt := range []int{2, 0} {
						if loads(t, src, release, opt, false) {
							n++
						}
					}
				}
				loads(t, src, "6.18", 2, true)
			})
		}
	}
	if n < leastLoads {
		t.Errorf("%d programs were loaded, less than %d: what is refused now?", n, leastLoads)
	}
}

// loads reports whether the script type-checks and its programs were loaded.
func loads(t *testing.T, src, release string, opt int, helperErrors bool) bool {
	t.Helper()
	if _, _, err := checkScript(src, features(release), helperErrors); err != nil {
		return false // judged by the tests of the checker
	}
	obj, err := compileWith(src, features(release), opt, helperErrors)
	if reported(err, diag.Unsupported) || release == "5.10" && reported(err, diag.NeedsKernel) {
		return false
	}
	if err != nil {
		t.Errorf("level %d: %s\n%v", opt, src, err)
		return false
	}
	obj.Programs = loadable(obj.Programs)
	l, err := load(obj)
	if err != nil {
		t.Errorf("level %d: %s\n%s", opt, src, verbose(err))
		return false
	}
	l.close()
	return true
}

// reported reports whether err says that gotrace or the kernel lacks something.
func reported(err error, code diag.Code) bool {
	var list *diag.List
	return errors.As(err, &list) && list.Diags[0].Code == code
}

// loadable leaves out the programs that this kernel does not load whatever
// they do.
func loadable(list []*object.Program) []*object.Program {
	var out []*object.Program
	for _, p := range list {
		overrides := slices.ContainsFunc(p.Insns, func(i asm.Instruction) bool {
			return i.IsBuiltinCall() && asm.BuiltinFunc(i.Constant) == asm.FnOverrideReturn
		})
		if p.Targets[0].Provider != target.Fentry && p.Targets[0].Provider != target.Fexit && !overrides {
			out = append(out, p)
		}
	}
	return out
}

// programs returns the programs of a file of cases by name.
func programs(t *testing.T, path string) map[string]string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, chunk := range strings.Split("\n"+string(text), "\n==== ")[1:] {
		head, rest, ok := strings.Cut(chunk, "\n---- program\n")
		if !ok || strings.Contains(rest, "---- file ") {
			continue
		}
		program, _, _ := strings.Cut(rest, "\n---- ")
		if name, _, _ := strings.Cut(head, "\n"); !strings.Contains(program, "${") {
			out[strings.TrimSpace(name)] = program
		}
	}
	return out
}
