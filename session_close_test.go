package gotrace_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
	"github.com/gotrace/gotrace/runtime/event"
)

// start compiles and starts a script whose output nobody reads.
func start(t *testing.T, src string, cfg *gotrace.Config) *gotrace.Session {
	t.Helper()
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", src, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := prog.Start(t.Context(), &gotrace.RunOptions{Sink: &strictSink{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A closed session answers with an error, and keeps its last counts.
func TestRunClosed(t *testing.T) {
	s := start(t, `begin { @ = 1; }`, nil)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if snap, err := s.Snapshot("@"); !errors.Is(err, gotrace.ErrClosed) {
		t.Errorf("Snapshot: %v, %v", snap, err)
	}
	if err := s.Wait(); !errors.Is(err, gotrace.ErrClosed) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := s.RunTests(); !errors.Is(err, gotrace.ErrClosed) {
		t.Errorf("RunTests: %v", err)
	}
	s.Self()
	s.Stats()
	if err := s.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

// Close may come at any time, while others ask the session and Wait runs, which
// it ends.
func TestRunCloseMeanwhile(t *testing.T) {
	s := start(t, `begin { @[kstack] = count(); } interval:ms:1 { @n++; printf("%d", @n); }`, nil)
	var others sync.WaitGroup
	closed := make(chan struct{})
	for range 2 {
		others.Go(func() {
			for {
				select {
				case <-closed:
					return
				default:
				}
				s.Stats()
				s.Self()
				snap, err := s.Snapshot("@")
				if errors.Is(err, gotrace.ErrClosed) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				s.MapText(snap)
			}
		})
	}
	others.Go(func() {
		if err := s.Wait(); err != nil {
			t.Errorf("Wait: %v", err)
		}
	})
	time.Sleep(50 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	close(closed)
	others.Wait()
}

// Close ends the commands of system(), which the end of the context does not.
func TestRunCloseEndsCommands(t *testing.T) {
	s := start(t, `interval:ms:1 { system("exec sleep 100"); exit(); }`, &gotrace.Config{Unsafe: true})
	done := make(chan error, 1)
	go func() { done <- s.Wait() }()
	time.Sleep(100 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Wait: %v", err)
		}
	case <-time.After(runTimeout):
		t.Error("Wait goes on after Close")
	}
}

// textSink makes text of what it gets, by the session.
type textSink struct {
	session *gotrace.Session
	text    strings.Builder
}

func (k *textSink) Event(e gotrace.Event) error {
	switch e := e.(type) {
	case *event.Print:
		k.text.WriteString(k.session.Text(e.Value) + "\n")
	case *event.Printf:
		k.text.WriteString(k.session.Message(e.Text))
	}
	return nil
}

func (k *textSink) Map(s *gotrace.Snapshot) error {
	k.text.WriteString(k.session.MapText(s))
	return nil
}

// A Sink of our own, and who reads a Snapshot, get the text that print() shows.
func TestRunText(t *testing.T) {
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", `
		begin { @[kstack] = count(); }
		interval:ms:1 { printf("user %s\n", username); @h = hist(5); print(@h); clear(@h); exit(); }`, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	sink := &textSink{}
	s, err := prog.Start(ctx, &gotrace.RunOptions{Sink: sink})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sink.session = s
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	snap, err := s.Snapshot("@")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Text(snap.Entries[0].Key); !strings.Contains(got, "\n        __sys_bpf+") {
		t.Errorf("the stack of begin is %q", got)
	}
	for _, want := range []string{"user root\n", "[4, 8)                 1 |@"} {
		if !strings.Contains(sink.text.String(), want) {
			t.Errorf("text %q, want %q", sink.text.String(), want)
		}
	}
	s.Close()
	if got := s.Text(snap.Entries[0].Key); !strings.Contains(got, "<stack lost>") {
		t.Errorf("the stack after Close is %q", got)
	}
}
