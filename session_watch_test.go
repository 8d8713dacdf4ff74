package gotrace_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// watch starts a script with n watchpoints on one body. A processor has four.
func watch(t *testing.T, n int, missing string) (*gotrace.Session, error) {
	t.Helper()
	var points []string
	for i := range n {
		points = append(points, fmt.Sprintf("watchpoint:%#x:8:w", 0x20000000+8*i))
	}
	src := fmt.Sprintf("config = { missing_probes = %q } %s { @ = count(); } interval:s:100 { }", missing, strings.Join(points, ", "))
	prog, err := gotrace.Compile("stdin", src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return prog.Start(context.Background(), &gotrace.RunOptions{Output: gotrace.Output{Out: io.Discard, Err: io.Discard}})
}

// TestWatchpointsAllOrNone has more watchpoints than there are registers: those
// that could be set are given back with the one that could not, and another
// script gets them.
func TestWatchpointsAllOrNone(t *testing.T) {
	hosttest.RequireBPF(t)
	probe, err := watch(t, 4, "error")
	if err != nil {
		t.Skipf("needs four debug registers: %v", err)
	}
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	five, err := watch(t, 5, "warn")
	if err != nil {
		t.Fatal(err)
	}
	defer five.Close()
	four, err := watch(t, 4, "error")
	if err != nil {
		t.Fatalf("registers are still taken: %v", err)
	}
	four.Close()
}
