package gotrace_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
	"github.com/gotrace/gotrace/runtime/event"
)

// What belongs to the text of a run can not be asked for together with a Sink,
// which it would not reach.
func TestSinkExcludesOutput(t *testing.T) {
	prog, err := gotrace.Compile("stdin", `begin { }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []gotrace.Output{{JSON: true}, {Quiet: true}, {Err: io.Discard}, {Buffering: gotrace.Unbuffered}} {
		if s, err := prog.Start(t.Context(), &gotrace.RunOptions{Sink: &strictSink{}, Output: o}); err == nil {
			s.Close()
			t.Errorf("Start takes a Sink and %+v", o)
		}
	}
}

// strictSink keeps what it gets without a lock, as a Sink may.
type strictSink struct {
	session atomic.Pointer[gotrace.Session]
	busy    atomic.Bool
	overlap bool
	events  []string
	maps    int
	lost    uint64
	delay   time.Duration
}

// Event implements gotrace.Sink.
func (s *strictSink) Event(e gotrace.Event) error {
	defer s.enter()()
	s.events = append(s.events, strings.TrimPrefix(fmt.Sprintf("%T", e), "*event."))
	if l, ok := e.(*event.Lost); ok {
		s.lost += l.Count
	}
	if session := s.session.Load(); session != nil {
		session.Stats()
		session.Self()
	}
	return nil
}

// Map implements gotrace.Sink.
func (s *strictSink) Map(*gotrace.Snapshot) error {
	defer s.enter()()
	s.maps++
	return nil
}

func (s *strictSink) enter() (leave func()) {
	s.overlap = s.overlap || s.busy.Swap(true)
	time.Sleep(s.delay)
	return func() { s.busy.Store(false) }
}

// Calls of a Sink never overlap, whatever goroutine they come from, while others
// ask the session; see output.Sink. The race detector looks at the rest.
func TestSinkCallsComeOneAtATime(t *testing.T) {
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", `
		begin { for ($i : 0..1000) { printf("%d", $i); } }
		interval:us:200 { @++; print(@); print(@, 1); }
		profile:us:500 { warnf("busy"); }
		self:signal:SIGUSR1 { print("self"); }
		interval:ms:100 { exit(); }
		end { print("end"); }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	sink := &strictSink{}
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	s, err := prog.Start(ctx, &gotrace.RunOptions{Sink: sink, RingBytes: 4 * os.Getpagesize()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sink.session.Store(s)
	done := make(chan struct{})
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
				s.Self()
				if _, err := s.Snapshot("@"); err != nil {
					t.Error(err)
				}
				s.Stats()
			}
		})
	}
	err = s.Wait()
	close(done)
	others.Wait()
	if err != nil {
		t.Error(err)
	}
	if sink.overlap {
		t.Error("calls of the Sink overlap")
	}
	if last := len(sink.events) - 1; sink.maps == 0 || sink.events[last] != "End" || sink.events[last-1] == "End" {
		t.Errorf("%d maps; the last events are %q", sink.maps, sink.events[max(0, last-2):])
	}
}

// A Sink that is slow costs events, which are counted; it holds up no program.
func TestSlowSinkLosesEvents(t *testing.T) {
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", `profile:us:100 { @ = count(); printf("%s", "a text of some length to fill the buffer"); } interval:ms:300 { exit(); }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	sink := &strictSink{delay: 2 * time.Millisecond}
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	s, err := prog.Start(ctx, &gotrace.RunOptions{Sink: sink, RingBytes: os.Getpagesize()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	if sink.lost == 0 || sink.lost != s.Stats().Lost || !slices.Contains(sink.events, "LostTotal") {
		t.Errorf("told of %d lost events, counted %d: %q", sink.lost, s.Stats().Lost, sink.events)
	}
}
