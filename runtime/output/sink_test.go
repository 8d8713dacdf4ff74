package output

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/runtime/event"
)

// said is what a sink wrote for events.
type said struct{ out, err string }

func say(t *testing.T, newSink func(Options) Sink, o Options, events ...event.Event) said {
	t.Helper()
	var out, errs strings.Builder
	o.Out, o.Err = &out, &errs
	if o.Format == nil {
		o.Format = testFormatter()
	}
	sink := newSink(o)
	for _, e := range events {
		if err := sink.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.(Flusher).Flush(); err != nil {
		t.Fatal(err)
	}
	return said{out.String(), errs.String()}
}

func textSink(o Options) Sink { return NewText(o) }
func jsonSink(o Options) Sink { return NewJSON(o) }

func place() *object.Position {
	return &object.Position{File: "stdin", Line: 1, Col: 9, EndCol: 13, SourceLine: "BEGIN { 5/$z; }"}
}

func TestEvents(t *testing.T) {
	joined := &event.Join{Separator: "+", Words: [][]byte{[]byte("echo"), []byte("two three")}}
	for _, tt := range []struct {
		why        string
		e          event.Event
		text, json string
	}{
		{"printf", &event.Printf{Text: format(t, "a\"%d\n", 5)}, "a\"5\n", `{"type": "printf", "data": "a\"5\n"}`},
		{"print", &event.Print{Value: val("x")}, "x\n", `{"type": "value", "data": "x"}`},
		{"time", &event.Time{Format: "clock"}, "clock", `{"type": "time", "data": "clock"}`},
		{"join", joined, "echo+two three\n", `{"type": "join", "data": "echo+two three"}`},
		{"cat", &event.Output{From: event.FromCat, Data: []byte("Linux\n")}, "Linux\n", `{"type": "cat", "data": "Linux\n"}`},
		{"system", &event.Output{From: event.FromSystem, Data: []byte("out\n")}, "out\n\n", `{"type": "syscall", "data": "out\n"}`},
		{"end", &event.End{}, "\n\n", ""},
		{"exit", &event.Exit{}, "", ""},
	} {
		json := tt.json
		if json != "" {
			json += "\n"
		}
		if got := say(t, textSink, Options{}, tt.e); got != (said{tt.text, ""}) {
			t.Errorf("%s: %q", tt.why, got)
		}
		if got := say(t, jsonSink, Options{}, tt.e); got != (said{json, ""}) {
			t.Errorf("%s: %q", tt.why, got)
		}
	}
}

func TestMessages(t *testing.T) {
	tab := &object.Position{File: "a.gt", Line: 3, Col: 2, EndCol: 2, SourceLine: "\tx"}
	lines := &object.Position{File: "a.gt", Line: 2, Line2: 3, Col: 4, EndCol: 5, SourceLine: "one\ntwo"}
	macro := &object.Position{File: "base.gt", Line: 208, Col: 5, EndCol: 51, SourceLine: "w", Outer: place()}
	const source = "BEGIN { 5/$z; }\n        ~~~~\n"
	const where = `"filename": "stdin", "line": 1, "col": 9}` + "\n"
	message := func(s diag.Severity, text string, pos *object.Position, args ...any) event.Event {
		return &event.Message{Text: format(t, text, args...), Severity: s, Pos: pos}
	}
	for _, tt := range []struct {
		why       string
		e         event.Event
		err, json string
	}{
		{"errorf", message(diag.Error, "bad %d %s", place(), 10, "thing"), "stdin:1:9-13: ERROR: bad 10 thing\n", `{"type": "errorf", "msg": "bad 10 thing", ` + where},
		{"errorf with a line end", message(diag.Error, "two\n", place()), "stdin:1:9-13: ERROR: two\n", `{"type": "errorf", "msg": "two\n", ` + where},
		{"warnf", message(diag.Warning, "odd", place()), "stdin:1:9-13: WARNING: odd\n", `{"type": "warnf", "msg": "odd", ` + where},
		{"over two lines", message(diag.Error, "x", lines), "a.gt:2-3: ERROR: x\n", `{"type": "errorf", "msg": "x", "filename": "a.gt", "line": 2, "col": 4}` + "\n"},
		{"in a macro", message(diag.Warning, "No child", macro), "base.gt:208:5-51: WARNING: No child\nstdin:1:9-13: WARNING: expanded from\n" + source,
			`{"type": "warnf", "msg": "No child", "filename": "base.gt", "line": 208, "col": 5}` + "\n"},
		{"run-time warning", &event.Warning{Msg: "Divide", Pos: place()}, "stdin:1:9-13: WARNING: Divide\n" + source, `{"type": "runtime_error", "msg": "Divide", ` + where},
		{"behind a tab", &event.Warning{Msg: "W", Pos: tab}, "a.gt:3:2-2: WARNING: W\n    x\n    ~\n", `{"type": "runtime_error", "msg": "W", "filename": "a.gt", "line": 3, "col": 2}` + "\n"},
		{"failed read", &event.HelperError{Helper: "probe_read_user", Code: -14, Pos: place()},
			"stdin:1:9-13: WARNING: Bad address\nAdditional Info - helper: probe_read_user, retcode: -14\n" + source,
			`{"type": "helper_error", "msg": "Bad address", "helper": "probe_read_user", "retcode": -14, ` + where},
		{"full map", &event.HelperError{Helper: "map_update_elem", Code: -7, Pos: place()},
			"stdin:1:9-13: WARNING: Map full; can't update element. Try increasing max_map_keys config or manually setting the max entries in a map declaration e.g. `let @a = hash(5000)`\nAdditional Info - helper: map_update_elem, retcode: -7\n" + source,
			`{"type": "helper_error", "msg": "Argument list too long", "helper": "map_update_elem", "retcode": -7, ` + where},
		{"missing element", &event.HelperError{Helper: "map_lookup_elem", Pos: place()},
			"stdin:1:9-13: WARNING: Can't lookup map element because it does not exist.\nAdditional Info - helper: map_lookup_elem, retcode: 0\n" + source,
			`{"type": "helper_error", "msg": "Success", "helper": "map_lookup_elem", "retcode": 0, ` + where},
		{"lost stack", &event.StackLost{Code: -7, Pos: place()}, "stdin:1:9-13: WARNING: Stack lost: the map of stacks is full\n" + source,
			`{"type": "runtime_error", "msg": "Stack lost: the map of stacks is full", ` + where},
		{"lost", &event.Lost{Count: 12}, "Lost 12 events\n", `{"type": "lost_events", "data": {"events": 12}, "count": 12}` + "\n"},
		{"attached one", &event.Attached{Probes: 1}, "Attached 1 probe\n", `{"type": "attached_probes", "count": 1, "data": {"probes": 1}}` + "\n"},
		{"attached", &event.Attached{Probes: 3}, "Attached 3 probes\n", `{"type": "attached_probes", "count": 3, "data": {"probes": 3}}` + "\n"},
	} {
		if got := say(t, textSink, Options{}, tt.e); got != (said{"", tt.err}) {
			t.Errorf("%s: %q\nwant %q", tt.why, got, tt.err)
		}
		if got := say(t, jsonSink, Options{}, tt.e); got != (said{tt.json, ""}) {
			t.Errorf("%s: %q\nwant %q", tt.why, got, tt.json)
		}
	}
}

func TestMessageOptions(t *testing.T) {
	warnings := []event.Event{
		&event.Message{Text: format(t, "odd"), Severity: diag.Warning, Pos: place()},
		&event.Warning{Msg: "Divide", Pos: place()},
		&event.HelperError{Helper: "x", Pos: place()},
		&event.StackLost{Code: -12, Pos: place()},
	}
	for _, sink := range []func(Options) Sink{textSink, jsonSink} {
		if got := say(t, sink, Options{NoWarnings: true}, warnings...); got != (said{}) {
			t.Errorf("--no-warnings: %q", got)
		}
	}
	bad := &event.Message{Text: format(t, "bad"), Severity: diag.Error, Pos: place()}
	if got := say(t, textSink, Options{NoWarnings: true, Color: true}, bad); got.err != "\x1b[31mstdin:1:9-13: ERROR: bad\x1b[0m\n" {
		t.Errorf("colour: %q", got)
	}
	if got := say(t, textSink, Options{Color: true}, warnings[0]); got.err != "\x1b[33mstdin:1:9-13: WARNING: odd\x1b[0m\n" {
		t.Errorf("colour: %q", got)
	}
	total := &event.LostTotal{Count: 7}
	for _, sink := range []func(Options) Sink{textSink, jsonSink} {
		if got := say(t, sink, Options{}, total); got != (said{"", "WARNING: Total lost event count: 7\n"}) {
			t.Errorf("lost in all: %q", got)
		}
	}
	failed := &event.Failure{Msg: "no file"}
	for _, sink := range []func(Options) Sink{textSink, jsonSink} {
		if got := say(t, sink, Options{}, failed); got != (said{"", "ERROR: no file\n"}) {
			t.Errorf("failure: %q", got)
		}
	}
}

func TestErrorText(t *testing.T) {
	for code, want := range map[int64]string{0: "Success", -2: "No such file or directory", -34: "Numerical result out of range",
		-524: "Unknown error 524", 5: "Unknown error -5", -1 << 62: "Unknown error 4611686018427387904"} {
		if got := errorText(code); got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
}

func TestTestReport(t *testing.T) {
	got := say(t, textSink, Options{},
		&event.TestsBegin{Count: 2},
		&event.TestBegin{Name: "works"},
		&event.TestResult{Name: "works", Duration: 12500, Passed: true, Output: "dropped\n"},
		&event.TestBegin{Name: "breaks"},
		&event.TestResult{Name: "breaks", Duration: 3, Output: "text\n"},
		&event.TestsEnd{Passed: 1, Failed: []string{"breaks"}})
	want := strings.NewReplacer("{", "\x1b[32m[", "<", "\x1b[31m[", "}", "]\x1b[0m").Replace(`{==========} Running 2 tests.
{ RUN      } works
{       OK } works (12 μs)
{ RUN      } breaks
text
<  FAILED  } breaks (3 ns)
{==========} 2 tests ran.
{  PASSED  } 1 test.
<  FAILED  } 1 test, listed below:
<  FAILED  } breaks
`)
	check(t, "tests", got.out, want)
	json := say(t, jsonSink, Options{}, &event.TestsBegin{Count: 1}, &event.TestBegin{Name: "works"}, &event.TestResult{Name: "works", Duration: 5317, Passed: true, Output: "in\n"}, &event.TestsEnd{Passed: 1})
	check(t, "tests", json.out, `{"type": "test_result", "data": {"works": {"duration": 5317, "passed": true, "output": "in\n"}}}`+"\n")
}

func TestBenchReport(t *testing.T) {
	long := strings.Repeat("n", 50)
	e := &event.Bench{Results: []event.BenchResult{{Name: "nothing", Average: 11, Iterations: 100000}}}
	check(t, "table", say(t, textSink, Options{}, e).out, `Benchmark                                Time(ns)       Iterations
------------------------------------------------------------------
nothing                                  11             100000
`)
	check(t, "JSON", say(t, jsonSink, Options{}, e).out, `{"type": "benchmark_result", "data": {"nothing": {"average": 11, "iters": 100000}}}`+"\n")
	e.Results = append(e.Results, event.BenchResult{Name: long, Average: 5, Iterations: 6})
	if got := say(t, textSink, Options{}, e).out; !strings.Contains(got, "\n"+long+" 5              6\n") {
		t.Error(got)
	}
}

// failingWriter fails with err.
type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestWriteErrors(t *testing.T) {
	for _, tt := range []struct {
		err    error
		closed bool
	}{{syscall.EPIPE, true}, {os.ErrClosed, true}, {syscall.ENOSPC, false}} {
		sink := NewText(Options{Out: failingWriter{tt.err}, Format: testFormatter(), Buffering: Unbuffered})
		err := sink.Event(&event.Print{Value: val(1)})
		if err == nil || errors.Is(err, ErrClosed) != tt.closed {
			t.Errorf("%v: %v", tt.err, err)
		}
	}
}

func TestBuffering(t *testing.T) {
	big := val(strings.Repeat("x", 31))
	for _, tt := range []struct {
		mode              Buffering
		afterOne, atIdle  bool
		afterMany, atLast bool
	}{
		{Unbuffered, true, true, true, true},
		{LineBuffered, false, true, true, true},
		{FullBuffered, false, false, true, true},
	} {
		var out strings.Builder
		sink := NewText(Options{Out: &out, Format: testFormatter(), Buffering: tt.mode})
		step := func(why string, want bool, do func() error) {
			t.Helper()
			before := out.Len()
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if got := out.Len() > before; got != want {
				t.Errorf("mode %d, %s: written %v", tt.mode, why, got)
			}
		}
		one := func() error { return sink.Event(&event.Print{Value: big}) }
		step("one event", tt.afterOne, one)
		step("idle", tt.atIdle && tt.mode != Unbuffered, sink.Idle)
		step("a buffer full of events", tt.afterMany, func() error {
			for range bufferSize/32 + 1 {
				if err := one(); err != nil {
					return err
				}
			}
			return nil
		})
		if err := one(); err != nil {
			t.Fatal(err)
		}
		step("flush", tt.atLast && tt.mode != Unbuffered, sink.Flush)
		if want := 32 * (bufferSize/32 + 3); out.Len() != want {
			t.Errorf("mode %d: %d bytes, want %d", tt.mode, out.Len(), want)
		}
	}
}

// orderedWriter notes which stream was written to.
type orderedWriter struct {
	name string
	log  *[]string
}

func (w orderedWriter) Write(p []byte) (int, error) {
	*w.log = append(*w.log, w.name+string(p))
	return len(p), nil
}

// A terminal shows both streams: output comes before later messages.
func TestMessagesKeepOrder(t *testing.T) {
	var log []string
	sink := NewText(Options{Out: orderedWriter{"out:", &log}, Err: orderedWriter{"err:", &log}, Format: testFormatter()})
	for _, e := range []event.Event{&event.Print{Value: val(1)}, &event.Lost{Count: 1}} {
		if err := sink.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(log, "") != "out:1\nerr:Lost 1 events\n" {
		t.Errorf("%q", log)
	}
}
