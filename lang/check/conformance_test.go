package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/check"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/probes"
	"github.com/gotrace/gotrace/probes/host"
)

// system answers with made-up facts; what is tested here is what is accepted.
type system struct{}

func (system) NumCPU() int               { return runtime.NumCPU() }
func (system) Arch() string              { return runtime.GOARCH }
func (system) KernelVersion() (int, int) { return 6, 18 }
func (system) HasKfunc(string) bool      { return false }
func (system) Register(name string) (int, bool) {
	return 0, name == "sp" || name == "ax" || name == "di" || name == "ip" || name == "cs"
}
func (system) CgroupID(path string) (uint64, error)              { _, err := os.Stat(path); return 1, err }
func (system) UserSymbol(string, string) (uint64, uint64, error) { return 0x1000, 4, nil }
func (system) KernelSymbol(name string) (uint64, error) {
	if strings.Contains(name, "such") {
		return 0, fmt.Errorf("not found")
	}
	return 0xffffffff81000000, nil
}

type accepted struct {
	name, program, want string
}

// TestConformancePrograms checks every program of the conformance set that the
// checker alone can judge: it is accepted, or rejected at the place demanded.
func TestConformancePrograms(t *testing.T) {
	files, err := filepath.Glob("../../cmd/gotrace/testdata/conformance/*.cases")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conformance cases: %v", err)
	}
	h := host.Live()
	for _, f := range files {
		area := strings.TrimSuffix(filepath.Base(f), ".cases")
		for _, c := range readCases(t, f) {
			t.Run(area+"/"+c.name, func(t *testing.T) { judge(t, h, c) })
		}
	}
}

func judge(t *testing.T, h *host.Host, c accepted) {
	_, list := compile(h, c.program)
	if c.want == "" {
		if list.HasErrors() {
			t.Errorf("rejected:\n%s\n%s", c.program, list.Error())
		}
		return
	}
	if !list.HasErrors() {
		t.Errorf("accepted, though an error is demanded at %s:\n%s", c.want, c.program)
		return
	}
	pos, word, _ := strings.Cut(c.want, " ")
	if word = strings.TrimSpace(word); word != "" && !regexp.MustCompile("(?i)"+word).MatchString(list.Error()) {
		t.Errorf("no %q in:\n%s", word, list.Error())
	}
	if !reportedAt(list, pos) {
		t.Errorf("no error at %s:\n%s", pos, list.Error())
	}
}

func reportedAt(list *diag.List, want string) bool {
	m := regexp.MustCompile(`^(\d+)(?::(\d+)-(\d+))?(?:-\d+)?$`).FindStringSubmatch(want)
	if m == nil {
		return true
	}
	line, _ := strconv.Atoi(m[1])
	from, _ := strconv.Atoi(m[2])
	to, _ := strconv.Atoi(m[3])
	for _, d := range list.Diags {
		spans := []source.Span{d.Span}
		for _, n := range d.Notes {
			spans = append(spans, n.Span)
		}
		for _, sp := range spans {
			p := list.Files.Position(sp.Start)
			if d.Severity == diag.Error && p.Line == line && (m[2] == "" || p.Col >= from-1 && p.Col <= to) {
				return true
			}
		}
	}
	return false
}

func compile(h *host.Host, program string, params ...string) (*typed.Program, *diag.List) {
	set := &source.Set{}
	s, list := parse.File(set, set.Add("stdin", h.Abs("."), program))
	if list.HasErrors() {
		return nil, list
	}
	prog, list := check.Script(s, check.Env{
		Files: set, Kernel: h.Kernel(), Resolver: probes.New(h), System: system{}, Parse: parse.File,
		ReadFile: h.ReadFile, ReadDir: h.ReadDir,
		WorldWritable: func(path string) bool {
			info, err := h.Stat(path)
			return err == nil && info.Mode()&0o002 != 0
		},
		Resolve: target.ResolveOptions{Cmd: true}, Params: params,
		TaskBTF: true, Release: h.Release(),
	})
	return prog, list
}

// readCases returns the cases that need nothing but the program: no files,
// parameters, options or environment.
func readCases(t *testing.T, path string) []accepted {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []accepted
	for _, chunk := range strings.Split("\n"+string(text), "\n==== ")[1:] {
		head, rest, ok := strings.Cut(chunk, "\n---- program\n")
		if !ok || strings.Contains(rest, "---- file ") {
			continue
		}
		program, _, _ := strings.Cut(rest, "\n---- ")
		name, keys, _ := strings.Cut(head, "\n")
		c := accepted{name: strings.TrimSpace(name), program: strings.TrimRight(program, "\n")}
		usable := !strings.Contains(program, "${")
		for _, line := range strings.Split(keys, "\n") {
			key, value, _ := strings.Cut(line, ":")
			switch key {
			case "error":
				c.want = strings.TrimSpace(value)
			case "args", "after", "env", "spawn", "file", "exit":
				usable = usable && strings.TrimSpace(value) == ""
			case "requires":
				usable = usable && (strings.TrimSpace(value) == "btf" || strings.TrimSpace(value) == "root")
			}
		}
		if usable {
			out = append(out, c)
		}
	}
	return out
}
