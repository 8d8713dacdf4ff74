package gotrace_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// The end of the context, which Ctrl-C is, ends the run but none of its
// commands: neither one that runs, nor those that wait, nor those of end.
func TestRunSystemAtInterrupt(t *testing.T) {
	hosttest.RequireBPF(t)
	prog, err := gotrace.Compile("stdin", `
		interval:ms:1 /!@/ { @ = 1; system("sleep 0.3; echo slow"); system("echo queued"); }
		end { clear(@); system("echo end"); printf("e\n"); }`, &gotrace.Config{Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, msg bytes.Buffer
	s, err := prog.Start(ctx, &gotrace.RunOptions{Output: gotrace.Output{Out: &out, Err: &msg, Quiet: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := "slow\n\nqueued\n\nend\n\ne\n\n\n"; out.String() != want || msg.Len() > 0 {
		t.Errorf("output %q, want %q; messages %q", out.String(), want, msg.String())
	}
}

// So does the end of the traced command.
func TestRunSystemAtEndOfCommand(t *testing.T) {
	hosttest.RequireBPF(t)
	hosttest.RequireTracefs(t)
	o := runScript(t, `
		tracepoint:sched:sched_process_exec /pid == cpid/ { system("sleep 0.3; echo from %s", comm); system("echo queued"); }
		end { system("echo end"); }`,
		&gotrace.Config{Command: true, Unsafe: true}, gotrace.RunOptions{Command: []string{"true"}, Output: gotrace.Output{Quiet: true}})
	if want := "from true\n\nqueued\n\nend\n\n\n\n"; o.out != want || o.err != "" {
		t.Errorf("output %q, want %q; messages %q", o.out, want, o.err)
	}
}

// TestRunCatOfPipe reads pipes that have a writer or none; neither may hold up
// the run, which looks after signals and events meanwhile.
func TestRunCatOfPipe(t *testing.T) {
	for name, written := range map[string]bool{"with a writer": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			if written {
				f, err := os.OpenFile(pipe, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
			}
			start := time.Now()
			runScript(t, `begin { cat("`+pipe+`"); exit(); }`, nil, gotrace.RunOptions{Output: gotrace.Output{Quiet: true}})
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("the run took %v", took)
			}
		})
	}
}
