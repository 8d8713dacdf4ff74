package gotrace_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// busy is a program that computes and opens files until it is killed.
const busy = "while :; do read x < /proc/self/stat; done"

// startBusy runs busy until the test ends.
func startBusy(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", busy)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // tells that it was killed
	})
	return cmd
}

// fired returns the processes that a script's @[pid] counts, in order.
func fired(out string) []string {
	var list []string
	for _, m := range regexp.MustCompile(`@\[(\d+)\]`).FindAllStringSubmatch(out, -1) {
		list = append(list, m[1])
	}
	slices.Sort(list)
	return list
}

// With a process given, probes of the kernel are about this process only.
func TestRunOfProcess(t *testing.T) {
	hosttest.RequireBPF(t)
	hosttest.RequireTracefs(t)
	mine := startBusy(t)
	startBusy(t)
	for _, probe := range []string{
		"profile:hz:999", "software:cpu-clock:1000000", "tracepoint:sched:sched_switch", "rawtracepoint:sched_switch",
		"tracepoint:syscalls:sys_enter_openat", "tracepoint:raw_syscalls:sys_exit",
	} {
		o := runScript(t, probe+" { @[pid] = count(); } interval:ms:300 { exit(); }",
			&gotrace.Config{Pid: mine.Process.Pid}, gotrace.RunOptions{})
		if got, want := fired(o.out), []string{fmt.Sprint(mine.Process.Pid)}; !slices.Equal(got, want) {
			t.Errorf("%s with process %s fires in %q", probe, want[0], got)
		}
	}
}

// Timers and counters of a command are those of the command and the processes
// that it starts; trace events, as with bpftrace, are everybody's.
func TestRunOfCommand(t *testing.T) {
	hosttest.RequireBPF(t)
	other := startBusy(t)
	for _, probe := range []string{"profile:hz:999", "software:cpu-clock:1000000"} {
		o := runScript(t, probe+" { @[pid] = count(); } interval:ms:300 { printf(\"%d\\n\", cpid); exit(); }",
			&gotrace.Config{Command: true}, gotrace.RunOptions{Command: []string{"sh", "-c", busy}})
		command, _, _ := strings.Cut(o.out, "\n")
		if got := fired(o.out); !slices.Contains(got, command) || slices.Contains(got, fmt.Sprint(other.Process.Pid)) {
			t.Errorf("%s of the command %s fires in %q", probe, command, got)
		}
	}
}
