package probes

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// locked starts with a prefix that the kernel does not take breakpoints in front
// of.
const locked = `#include <unistd.h>
int n;
void try_one(void) {}
void try_three(void) {}
__asm__(".globl try_two\n .type try_two,@function\n try_two: lock incl n(%rip)\n ret\n .size try_two, .-try_two");
int main(void) { return pause(); }
`

// A wildcard does without what the kernel refuses; what is named is an error,
// under its own name.
func TestWildcardsDoWithoutWhatTheKernelRefuses(t *testing.T) {
	hosttest.RequireBPF(t)
	gcc, err := exec.LookPath("gcc")
	if err != nil || host.Live().Arch() != "amd64" {
		t.Skip("needs a C compiler for amd64")
	}
	dir := t.TempDir()
	src, prog := filepath.Join(dir, "p.c"), filepath.Join(dir, "p")
	if err := os.WriteFile(src, []byte(locked), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(gcc, "-O1", "-o", prog, src).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	child := exec.Command(prog) // the kernel looks at instructions of what is mapped
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		child.Process.Kill()
		child.Wait()
	}()
	r := New(host.Live())
	for _, single := range []bool{false, true} {
		// In unsafe mode nothing is left out before the kernel is asked.
		opt := AttachOptions{ResolveOptions: target.ResolveOptions{NoUprobeMulti: single, NoArgs: true, Unsafe: true}}
		attach := func(text string) (refused []string, err error) {
			targets, err := r.Resolve(text, source.Span{}, opt.ResolveOptions)
			if err != nil {
				t.Fatal(err)
			}
			program, _ := counting(t, r.Spec(targets[0], &opt.ResolveOptions))
			own := opt
			own.Refused = func(t *target.Target, _ error) { refused = append(refused, t.Symbol) }
			link, err := r.Attach(targets, program, &own)
			if err == nil {
				err = link.Close()
			}
			return refused, err
		}
		if refused, err := attach("uprobe:" + prog + ":try_*"); err != nil || strings.Join(refused, " ") != "try_two" {
			t.Errorf("single %t: refused %q, %v", single, refused, err)
		}
		if _, err := attach("uprobe:" + prog + ":try_two"); err == nil || !strings.Contains(err.Error(), "attach to uprobe:"+prog+":try_two: ") {
			t.Errorf("single %t: what is named: %v", single, err)
		}
	}
	told := 0
	careful := target.ResolveOptions{NoArgs: true, Warn: func(error) { told++ }}
	if list, err := r.Resolve("uprobe:"+prog+":try_*", source.Span{}, careful); err != nil || len(list) != 2 || told != 1 {
		t.Errorf("else a wildcard stands for %d functions, %v, with %d warnings", len(list), err, told)
	}
	if _, err := r.Resolve("uprobe:"+prog+":try_two", source.Span{}, careful); err == nil {
		t.Error("else what is named is accepted")
	}
	// The entry of the program, _start, has the number of arguments where the kernel
	// would put a return address.
	for kind, want := range map[string]bool{"uprobe:": true, "uretprobe:": false} {
		_, err := r.Resolve(kind+prog+":_start", source.Span{}, careful)
		if got := err == nil; got != want {
			t.Errorf("%s of the entry: %v", kind, err)
		}
	}
}
