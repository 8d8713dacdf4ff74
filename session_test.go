package gotrace_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// runTimeout ends runs that would not end by themselves.
const runTimeout = 10 * time.Second

// outcome is what a run left behind.
type outcome struct {
	out, err string
	code     int
	stats    gotrace.Stats
}

// runScript compiles and runs a script to its end.
func runScript(t *testing.T, src string, cfg *gotrace.Config, ro gotrace.RunOptions) outcome {
	t.Helper()
	prog, err := gotrace.Compile("stdin", src, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out, msg bytes.Buffer
	ro.Output.Out, ro.Output.Err = &out, &msg
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	s, err := prog.Start(ctx, &ro)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
	if ctx.Err() != nil {
		t.Errorf("the run did not end within %v", runTimeout)
	}
	o := outcome{out: out.String(), err: msg.String(), code: s.ExitCode(), stats: s.Stats()}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return o
}

// The begin probes speak first and the end probes last, then the maps by name
// behind two line ends; what lies behind exit() does not run.
func TestRunOrder(t *testing.T) {
	hosttest.RequireBPF(t)
	var attaching []string
	o := runScript(t, `
		end { print("end"); }
		begin { print("one"); @z = 1; @a[2] = 3; }
		interval:ms:1 { print("tick"); exit(300); print("never"); }
		begin { print("two"); }`, nil, gotrace.RunOptions{Attaching: func(target string) { attaching = append(attaching, target) }})
	if want := []string{"begin", "begin", "interval:ms:1"}; !slices.Equal(attaching, want) {
		t.Errorf("attaching to %q, want %q", attaching, want)
	}
	if want := "one\ntwo\ntick\nend\n\n\n@a[2]: 3\n@z: 1\n"; o.out != want {
		t.Errorf("output %q, want %q", o.out, want)
	}
	if o.err != "Attached 4 probes\n" {
		t.Errorf("messages %q", o.err)
	}
	if o.code != 300&0xff {
		t.Errorf("exit code %d, want the low eight bits of 300", o.code)
	}
}

// Programs at one place run in the order of the script.
func TestRunSamePlace(t *testing.T) {
	hosttest.RequireBPF(t)
	hosttest.RequireTracefs(t)
	o := runScript(t, `
		tracepoint:sched:sched_process_exec /pid == cpid/ { print(1); }
		tracepoint:sched:sched_process_exec /pid == cpid/ { print(2); }
		tracepoint:sched:sched_process_exec /pid == cpid/ { print(3); exit(); }`,
		&gotrace.Config{Command: true}, gotrace.RunOptions{Command: []string{"sleep", "20"}, Output: gotrace.Output{Quiet: true}})
	if want := "1\n2\n3\n\n\n"; o.out != want {
		t.Errorf("output %q, want %q", o.out, want)
	}
}

// The kernel stack of a system call begins at its event, as the programs that
// serve it have no business there.
func TestRunKernelStackOfSyscall(t *testing.T) {
	hosttest.RequireBPF(t)
	hosttest.RequireTracefs(t)
	if os.Geteuid() != 0 {
		t.Skip("kernel symbols need root")
	}
	o := runScript(t, `tracepoint:syscalls:sys_exit_execve /pid == cpid/ { print(kstack(3)); exit(); }`,
		&gotrace.Config{Command: true}, gotrace.RunOptions{Command: []string{"true"}, Output: gotrace.Output{Quiet: true}})
	if frames := strings.Fields(o.out); len(frames) != 3 || strings.Contains(o.out, "bpf_") {
		t.Errorf("output %q, want three frames of the kernel itself", o.out)
	}
}

// Programs carry the names of their probes, by which bpftool and stacks tell
// them apart.
func TestRunProgramNames(t *testing.T) {
	hosttest.RequireBPF(t)
	if jit, err := os.ReadFile("/proc/sys/net/core/bpf_jit_enable"); err != nil || jit[0] == '0' || os.Geteuid() != 0 {
		t.Skip("programs have symbols only where they are compiled by the kernel, and for root")
	}
	o := runScript(t, `begin { print("first"); } begin { print(kstack(1)); }`, nil, gotrace.RunOptions{Output: gotrace.Output{Quiet: true}})
	if !strings.Contains(o.out, "_begin_2+") {
		t.Errorf("output %q, want the name of the second program", o.out)
	}
}

// The run ends with the command, and the command with the run.
func TestRunCommand(t *testing.T) {
	hosttest.RequireBPF(t)
	begin := time.Now()
	o := runScript(t, `interval:s:100 { } end { print(cpid > 1); }`, &gotrace.Config{Command: true}, gotrace.RunOptions{Command: []string{"true"}})
	if want := "true\n\n\n"; o.out != want {
		t.Errorf("output %q, want %q", o.out, want)
	}
	o = runScript(t, `interval:ms:1 { @pid = cpid; exit(); }`, &gotrace.Config{Command: true}, gotrace.RunOptions{Command: []string{"sleep", "100"}})
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(o.out), "@pid: ")))
	if err != nil {
		t.Fatalf("output %q: %v", o.out, err)
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the command, process %d, outlived the run: %v", pid, err)
	}
	if took := time.Since(begin); took > runTimeout {
		t.Errorf("took %v", took)
	}
}

// A command that does not exist is known before anything is attached.
func TestRunCommandMissing(t *testing.T) {
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", `begin { }`, &gotrace.Config{Command: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = prog.Start(t.Context(), &gotrace.RunOptions{Command: []string{"/no/such/command"}})
	if !errors.Is(err, gotrace.ErrCommand) {
		t.Errorf("Start = %v, want ErrCommand", err)
	}
}

// What does not fit the event buffer is counted and reported, never lost in
// silence.
func TestRunLost(t *testing.T) {
	hosttest.RequireBPF(t)
	const said = 20000
	o := runScript(t, fmt.Sprintf(`begin { for ($i : 0..%d) { printf("%%d\n", $i); } }`, said), nil, gotrace.RunOptions{RingBytes: os.Getpagesize()})
	printed := strings.Count(o.out, "\n") - 2
	if o.stats.Lost == 0 || printed+int(o.stats.Lost) != said {
		t.Errorf("%d printed and %d lost, want together %d and some lost", printed, o.stats.Lost, said)
	}
	if !strings.Contains(o.err, "Lost ") {
		t.Errorf("messages %q do not tell", o.err)
	}
}

// A session that runs is a value: several run at the same time, read from
// outside, and end with their contexts.
func TestRunSeveral(t *testing.T) {
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", `interval:ms:1 { @ = count(); }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := countUntil(t.Context(), prog, 5); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// countUntil runs prog until its map has counted n.
func countUntil(parent context.Context, prog *gotrace.Program, n uint64) error {
	ctx, cancel := context.WithTimeout(parent, runTimeout)
	defer cancel()
	var out bytes.Buffer
	s, err := prog.Start(ctx, &gotrace.RunOptions{Output: gotrace.Output{Out: &out, Err: &out}})
	if err != nil {
		return err
	}
	defer s.Close()
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	for ctx.Err() == nil {
		snap, err := s.Snapshot("@")
		if err != nil {
			return err
		}
		if len(snap.Entries) > 0 && snap.Entries[0].Agg.Value >= n {
			cancel()
		}
		time.Sleep(time.Millisecond)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("@ did not reach %d", n)
	}
	err = <-ended
	if !strings.Contains(out.String(), "@: ") {
		return errors.Join(err, fmt.Errorf("output %q lacks the map", out.String()))
	}
	return err
}

// self: probes run on demand.
func TestRunSelf(t *testing.T) {
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", `self:signal:SIGUSR1 { print("asked"); exit(); }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	s, err := prog.Start(ctx, &gotrace.RunOptions{Output: gotrace.Output{Out: &out, Quiet: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Self()
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := "asked\n\n\n"; out.String() != want {
		t.Errorf("output %q, want %q", out.String(), want)
	}
}

// A script whose probes take no part says so.
func TestNothingToAttach(t *testing.T) {
	prog, err := gotrace.Compile("stdin", `test:later { }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prog.Start(t.Context(), nil); !errors.Is(err, gotrace.ErrNothingToAttach) {
		t.Errorf("Start = %v, want ErrNothingToAttach", err)
	}
}

// The verifier's no is reported at the place in the script. As no script should
// bring it about, an instruction of the second line is spoilt: it reads a
// register that was never written.
func TestVerifierRejects(t *testing.T) {
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", "begin {\n  printf(\"%d\\n\", pid);\n}", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := prog.Object().Programs[0]
	spoilt, off := false, uint32(0)
	for i, ins := range p.Insns {
		if slices.ContainsFunc(p.Sources, func(m object.SourcePos) bool { return m.Off == off && m.Span.IsValid() }) {
			p.Insns[i] = asm.LoadMem(asm.R0, asm.R9, 0, asm.DWord)
			spoilt = true
			break
		}
		off += uint32(ins.Size() / asm.InstructionSize)
	}
	if !spoilt {
		t.Fatal("no instruction was made from the script")
	}
	_, err = prog.Start(t.Context(), nil)
	var list *gotrace.DiagnosticList
	if !errors.As(err, &list) {
		t.Fatalf("Start = %v, want a list of diagnostics", err)
	}
	if at := list.Files.Position(list.Diags[0].Span.Start); at.Line != 2 || len(list.Diags[0].Hints) == 0 {
		t.Errorf("reported at %v with hints %q, want line 2", at, list.Diags[0].Hints)
	}
}

// With lazy_symbolication = false the names of a process are read before the
// run, so that they are known when it and its program are gone.
func TestSymbolsReadAhead(t *testing.T) {
	hosttest.RequireBPF(t)
	program := compileC(t, `
		#include <stdio.h>
		__attribute__((noinline)) int served(int n) { __asm__ volatile("nop"); return n; }
		int main(void) { int c = getchar(); return served(c) - c; }`)
	for setting, want := range map[string]bool{"false": true, "true": false} {
		cmd := exec.Command(program)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		src := fmt.Sprintf(`config = { lazy_symbolication = %s } uprobe:%s:served { print(ustack(1)); exit(); }`, setting, program)
		prog, err := gotrace.Compile("stdin", src, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
		defer cancel()
		s, err := prog.Start(ctx, &gotrace.RunOptions{Output: gotrace.Output{Out: &out, Quiet: true}})
		if err != nil {
			t.Fatal(err)
		}
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		if err := errors.Join(s.Wait(), s.Close()); err != nil {
			t.Error(err)
		}
		if got := strings.Contains(out.String(), "served+0"); got != want {
			t.Errorf("lazy_symbolication = %s: %q", setting, out.String())
		}
	}
}

// compileC compiles a C program, or skips where there is no compiler.
func compileC(t *testing.T, src string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs gcc")
	}
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file+".c", []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-O1", "-o", file, file+".c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return file
}

// The run ends with the process that it is restricted to; one that is gone, or
// a thread, is refused.
func TestRunProcess(t *testing.T) {
	hosttest.RequireBPF(t)
	start := func(pid int, ctx context.Context) (*gotrace.Session, error) {
		prog, err := gotrace.Compile("stdin", `interval:s:100 { }`, &gotrace.Config{Pid: pid})
		if err != nil {
			t.Fatal(err)
		}
		return prog.Start(ctx, &gotrace.RunOptions{Output: gotrace.Output{Out: io.Discard, Quiet: true}})
	}
	cmd := exec.Command("sleep", "0.2")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reaped := make(chan error)
	go func() { reaped <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	s, err := start(cmd.Process.Pid, ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Wait(), s.Close(), ctx.Err(), <-reaped); err != nil {
		t.Error(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread := unix.Gettid()
	if thread == os.Getpid() {
		done := make(chan int)
		go func() { runtime.LockOSThread(); done <- unix.Gettid(); <-t.Context().Done() }()
		thread = <-done
	}
	for _, pid := range []int{cmd.Process.Pid, thread} {
		if s, err := start(pid, ctx); !errors.Is(err, gotrace.ErrProcess) {
			t.Errorf("process %d: %v, want ErrProcess", pid, err)
			if err == nil {
				s.Close()
			}
		}
	}
}

// The path of a control group is looked for where these are, not in the whole
// file system.
func TestRunCgroupPath(t *testing.T) {
	hosttest.RequireBPF(t)
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip(err)
	}
	unified := ""
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			unified = strings.TrimSpace(path)
		}
	}
	if unified == "" {
		t.Skip("no unified hierarchy")
	}
	o := runScript(t, `begin { printf("%s\n", cgroup_path(cgroup, "unified")); exit(); }`, nil, gotrace.RunOptions{})
	if want := "unified:" + unified + "\n"; !strings.HasPrefix(o.out, want) {
		t.Errorf("output %q, want %q", o.out, want)
	}
}

// print() of a map of stats keeps the elements with the highest averages, and
// divides these, as bpftrace does in spite of its warning.
func TestRunPrintStats(t *testing.T) {
	hosttest.RequireBPF(t)
	o := runScript(t, `begin { for ($i : 0..50) { @s[(uint64)$i % 5] = stats($i); } print(@s, 2); print(@s, 2, 10); clear(@s); }`,
		nil, gotrace.RunOptions{})
	want := "@s[3]: { .count = 10, .average = 25, .total = 255 }\n@s[4]: { .count = 10, .average = 26, .total = 265 }\n" +
		"@s[3]: { .count = 10, .average = 2, .total = 255 }\n@s[4]: { .count = 10, .average = 2, .total = 265 }\n\n\n"
	if o.out != want {
		t.Errorf("output %q, want %q", o.out, want)
	}
}
