package session

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gotrace/gotrace/lang/printf"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/output"
)

func literal(text string) event.Text { return event.Text{Items: []printf.Item{{Text: text}}} }

// asked is the session with a recorder, and what a request to it gave.
func asked(t *testing.T, request func(*Session) error) []event.Event {
	t.Helper()
	sink := &recorder{}
	if err := request(&Session{opt: Options{Sink: sink, Format: &output.Formatter{}}}); err != nil {
		t.Fatal(err)
	}
	return sink.events
}

// failure is the message of the only event.
func failure(events []event.Event) string {
	if f, ok := events[0].(*event.Failure); ok && len(events) == 1 {
		return f.Msg
	}
	return ""
}

// shown is the text of the first event.
func shown(events []event.Event) string {
	if o, ok := events[0].(*event.Output); ok {
		return string(o.Data)
	}
	return ""
}

// cat() shows a file up to a limit, or why not.
func TestCat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part1")
	if err := os.WriteFile(path, []byte("contents"), 0o600); err != nil {
		t.Fatal(err)
	}
	cat := func(path string) []event.Event {
		return asked(t, func(s *Session) error { return s.cat(&event.Cat{Text: literal(path)}, 5) })
	}
	if got := shown(cat(path)); got != "conte" {
		t.Errorf("a file: %q", got)
	}
	if got := failure(cat("/nothing/here")); got != "failed to open file '/nothing/here' (No such file or directory)" {
		t.Errorf("no file: %q", got)
	}
	if got := failure(cat("/")); !strings.Contains(got, "Is a directory") {
		t.Errorf("a directory: %q", got)
	}
}

// system() shows what a command prints, and says what it leaves out.
func TestSystem(t *testing.T) {
	system := func(ctx context.Context, command string) []event.Event {
		return asked(t, func(s *Session) error { return s.system(ctx, &event.System{Text: literal(command)}) })
	}
	if got := shown(system(t.Context(), "echo out; echo err >&2")); got != "out\nerr\n" {
		t.Errorf("two streams: %q", got)
	}
	if got := failure(system(t.Context(), "exit 3")); got != "command exited with code 3" {
		t.Errorf("a failure: %q", got)
	}
	long := system(t.Context(), "head -c 1048580 /dev/zero")
	if w, ok := long[len(long)-1].(*event.Warning); !ok || !strings.Contains(w.Msg, " 4 more") || len(shown(long)) != maxCommandOutput {
		t.Errorf("%d bytes shown, then %+v", len(shown(long)), long[len(long)-1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if failure(system(ctx, "exec sleep 60")) == "" {
		t.Error("a command that was killed is no failure")
	}
}
