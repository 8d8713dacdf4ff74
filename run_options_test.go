package gotrace_test

import (
	"os"
	"strings"
	"testing"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// startError is the error of starting a script that must not start.
func startError(t *testing.T, cfg *gotrace.Config, ro *gotrace.RunOptions) string {
	t.Helper()
	prog, err := gotrace.Compile("stdin", `profile:hz:99 { print(pid); }`, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := prog.Start(t.Context(), ro)
	if err == nil {
		s.Close()
		t.Errorf("it starts with %+v", ro)
		return ""
	}
	return err.Error()
}

// A script that is compiled for a command does not sample the whole machine for
// want of one, and none runs beside a script that knows nothing of it.
func TestCommandsAgree(t *testing.T) {
	for _, ro := range []*gotrace.RunOptions{nil, {}, {Command: []string{}}} {
		if got := startError(t, &gotrace.Config{Command: true}, ro); !strings.Contains(got, "RunOptions.Command is empty") {
			t.Errorf("without a command: %q", got)
		}
	}
	got := startError(t, nil, &gotrace.RunOptions{Command: []string{"true"}})
	if !strings.Contains(got, "needs Config.Command") {
		t.Errorf("with a command: %q", got)
	}
}

// What the kernel does not take as the size of a ring buffer is refused with the
// sizes that it takes.
func TestRingBytesChecked(t *testing.T) {
	hosttest.RequireBPF(t)
	page := os.Getpagesize()
	for _, n := range []int{-1, 1, page / 2, page + 1, 3 * page} {
		if got := startError(t, nil, &gotrace.RunOptions{RingBytes: n}); !strings.Contains(got, "power of two") {
			t.Errorf("%d bytes: %q", n, got)
		}
	}
}

// A setting perf_rb_pages that the kernel has no size for is refused, not cut.
func TestRingPagesChecked(t *testing.T) {
	hosttest.RequireBPF(t)
	cfg := &gotrace.Config{Settings: map[string]string{"perf_rb_pages": "1000000000"}}
	if got := startError(t, cfg, nil); !strings.Contains(got, "perf_rb_pages is 1000000000: the event buffer takes") {
		t.Error(got)
	}
}
