package gotrace_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// interrupted starts a script that must be interrupted.
func interrupted(t *testing.T, ctx context.Context, src string, ro *gotrace.RunOptions) {
	t.Helper()
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", src, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := prog.Start(ctx, ro)
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Start: %v", err)
	}
}

// Nothing is loaded for a context that is done.
func TestStartCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	interrupted(t, ctx, `begin { }`, &gotrace.RunOptions{
		Sink: &strictSink{}, VerifierLog: func(program, _ string) { t.Errorf("%s was loaded", program) },
	})
}

// Of many programs few are loaded if the context ends meanwhile.
func TestStartCancelledWhileLoading(t *testing.T) {
	const programs = 200
	ctx, cancel := context.WithCancel(t.Context())
	var loaded atomic.Int32
	interrupted(t, ctx, strings.Repeat(`interval:s:1 { } `, programs), &gotrace.RunOptions{
		Sink: &strictSink{}, VerifierLog: func(string, string) { loaded.Add(1); cancel() },
	})
	if n := loaded.Load(); n > programs/2 {
		t.Errorf("%d programs were loaded", n)
	}
}

// cancelSink cancels at the first event.
type cancelSink struct {
	strictSink
	cancel func()
}

func (s *cancelSink) Event(e gotrace.Event) error {
	s.cancel()
	return s.strictSink.Event(e)
}

// Nothing is attached if the context ends while begin runs.
func TestStartCancelledByBegin(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sink := &cancelSink{cancel: cancel}
	interrupted(t, ctx, `begin { for ($i : 0..1000) { printf("%d", $i); } } interval:s:1 { }`,
		&gotrace.RunOptions{Sink: sink, RingBytes: os.Getpagesize()})
	if len(sink.events) == 0 || slices.Contains(sink.events, "Attached") {
		t.Errorf("events %q", sink.events)
	}
}
