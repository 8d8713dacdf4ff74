package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// Warnings stand behind errors, and not at all with --no-warnings.
func TestWarningsBehindErrors(t *testing.T) {
	const src = `begin { 1; $x = nope; }`
	for option, want := range map[string]bool{"--quiet": true, "--no-warnings": false} {
		var out, msgs bytes.Buffer
		if code := run([]string{option, "-e", src}, strings.NewReader(""), &out, &msgs); code != exitError {
			t.Errorf("%s: exit code %d", option, code)
		}
		text := msgs.String()
		failed, warned := strings.Index(text, "ERROR"), strings.Index(text, "WARNING")
		if failed < 0 || (warned >= 0) != want || want && warned < failed {
			t.Errorf("%s: %q", option, text)
		}
	}
}

// Warnings of a script that is run stand on standard output, as with bpftrace,
// but not among JSON records.
func TestWarningsBesideJSON(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out, msgs bytes.Buffer
		if code := run([]string{"-f", format, "--mode", "codegen", "-e", `begin { 1; }`}, strings.NewReader(""), &out, &msgs); code != exitOK {
			t.Fatalf("exit code %d: %s", code, msgs.String())
		}
		on, off := out.String(), msgs.String()
		if format == "json" {
			on, off = off, on
		}
		if !strings.Contains(on, "WARNING") || strings.Contains(off, "WARNING") {
			t.Errorf("%s: output %q, messages %q", format, out.String(), msgs.String())
		}
	}
}

// faulty runs the command and returns what it reports, which it must end for.
func faulty(t *testing.T, args ...string) string {
	t.Helper()
	var out, msgs bytes.Buffer
	if code := run(args, strings.NewReader(""), &out, &msgs); code != exitError {
		t.Errorf("%q: exit code %d, output %q", args, code, out.String())
	}
	return msgs.String()
}

// fullWriter is a file on a full disk.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// What can not be written is an error, whatever prints it.
func TestFullOutput(t *testing.T) {
	hosttest.RequireBPF(t)
	for _, args := range [][]string{
		{"--help"}, {"--version"}, {"--info"}, {"--fmt", "-e", "begin { }"}, {"-l", "interval:*"}, {"-l", "-e", "interval:s:1 { }"},
		{"-d", "ast", "--mode", "codegen", "-e", "begin { }"}, {"-d", "asm", "--dry-run", "-e", "begin { }"},
		{"-d", "verifier", "--dry-run", "-e", "begin { }"}, {"--mode", "codegen", "-e", "begin { 1; }"},
	} {
		var msgs bytes.Buffer
		code := run(args, strings.NewReader(""), fullWriter{}, &msgs)
		if code != exitError || !strings.Contains(msgs.String(), "ERROR: no space left on device") {
			t.Errorf("%q: exit code %d, messages %q", args, code, msgs.String())
		}
	}
	var out bytes.Buffer
	if code := run([]string{"-e", `begin { getopt("n", 1, "number"); }`, "--", "--help"}, strings.NewReader(""), &out, fullWriter{}); code != exitError {
		t.Errorf("help of a script: exit code %d", code)
	}
}

// interruptingWriter interrupts this process at the first write.
type interruptingWriter struct{ done bool }

func (w *interruptingWriter) Write(p []byte) (int, error) {
	if !w.done {
		w.done = true
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			return 0, err
		}
		time.Sleep(50 * time.Millisecond) // for the handler
	}
	return len(p), nil
}

// Who interrupts the start is told so, but gets no failure.
func TestInterruptedStart(t *testing.T) {
	hosttest.RequireBPF(t)
	var msgs bytes.Buffer
	code := run([]string{"-d", "verifier", "-e", strings.Repeat("interval:s:1 { } ", 50)}, strings.NewReader(""), &interruptingWriter{}, &msgs)
	if code != exitOK || !strings.HasPrefix(msgs.String(), "WARNING: the run ended before everything was attached") {
		t.Errorf("exit code %d, messages %q", code, msgs.String())
	}
}

// TestUnknownPass wants the passes named when -d asks for one that is none.
func TestUnknownPass(t *testing.T) {
	for _, value := range []string{"ir=nosuch", "ir="} {
		text := faulty(t, "-d", value, "--mode", "codegen", "-e", "begin { }")
		for _, want := range []string{"all", "simplify", "gvn", "dce"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in %q", value, want, text)
			}
		}
	}
}

// TestStages wants the stages listed alike where -d is wrong and in the help, and
// each taken by all its names.
func TestStages(t *testing.T) {
	text := faulty(t, "-d", "foo", "--mode", "codegen", "-e", "begin { }")
	if !strings.Contains(text, stageNames()) || !strings.Contains(helpText(), stageNames()) {
		t.Errorf("%q and the help do not both have %q", text, stageNames())
	}
	for _, name := range []string{"parse", "dis", "codegen", "codegen-opt"} {
		var out, msgs bytes.Buffer
		code := run([]string{"-d", name, "--mode", "codegen", "-e", "begin { }"}, strings.NewReader(""), &out, &msgs)
		if code != exitOK || !strings.HasPrefix(out.String(), "--- ") {
			t.Errorf("%s: exit code %d, %q, %q", name, code, out.String(), msgs.String())
		}
	}
}

// Settings of the environment are checked before the script, with an exit code
// of their own.
func TestBadSetting(t *testing.T) {
	t.Setenv("BPFTRACE_MAX_STRLEN", "xx")
	var out, msgs bytes.Buffer
	if code := run([]string{"-e", "begin { }"}, strings.NewReader(""), &out, &msgs); code != exitSetting || !strings.Contains(msgs.String(), "max_strlen") {
		t.Errorf("exit code %d, %q", code, msgs.String())
	}
	os.Unsetenv("BPFTRACE_MAX_STRLEN")
	faulty(t, "-e", "config = { max_strlen = zz } begin { }")
}

// A listing that lacks privileges is no success.
func TestDeniedListing(t *testing.T) {
	for kind, want := range map[target.ErrorKind]int{target.NotAllowed: exitError, target.Missing: exitOK} {
		var msgs bytes.Buffer
		a := &app{opt: &options{}, stdout: &stream{Writer: io.Discard}, stderr: &msgs}
		code, err := a.list(func(io.Writer) error {
			return &gotrace.PartialError{Problems: []error{errors.New("other"), target.Errorf(kind, "no")}}
		})
		if code != want || err != nil || !strings.Contains(msgs.String(), "WARNING: no") {
			t.Errorf("kind %v: exit code %d, %v, %q", kind, code, err, msgs.String())
		}
	}
}

// TestNothingInThisMode wants to be told of the option that a script of tests
// needs, and of that which keeps its other probes from running.
func TestNothingInThisMode(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-e", `test:a { }`}, "No probes to attach; --test runs the test probes\n"},
		{[]string{"-e", `test:a { } bench:b { }`}, "; --test runs the test probes; --bench runs the bench probes\n"},
		{[]string{"--test", "-e", `begin { }`}, "; without --test and --bench the other probes run\n"},
	} {
		if text := faulty(t, c.args...); !strings.Contains(text, c.want) {
			t.Errorf("%q: no %q in %q", c.args, c.want, text)
		}
	}
}

// What is joined with reports is shown as well as they are.
func TestFailShowsAll(t *testing.T) {
	_, report := gotrace.Compile("stdin", `begin { $x = nope; }`, nil)
	var msgs bytes.Buffer
	a := &app{opt: &options{}, stderr: &msgs}
	a.fail(errors.Join(errors.Join(report, errors.New("not unloaded")), errors.New("not closed")))
	for _, want := range []string{"Unknown identifier: 'nope'", "~~~~", "ERROR: not unloaded\n", "ERROR: not closed\n"} {
		if strings.Count(msgs.String(), want) != 1 {
			t.Errorf("not once %q in:\n%s", want, msgs.String())
		}
	}
}

// Every probe that fails is reported.
func TestAllFailuresShown(t *testing.T) {
	hosttest.RequireBPF(t)
	const src = `hardware:cache-misses:1000 { } hardware:branch-misses:1000 { }`
	if _, err := os.Stat("/sys/bus/event_source/devices/cpu"); err == nil {
		t.Skip("the machine counts events of the hardware")
	}
	var out, msgs bytes.Buffer
	if code := run([]string{"-e", src}, strings.NewReader(""), &out, &msgs); code != exitLoad {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"stdin:1:1-", "stdin:1:32-"} {
		if !strings.Contains(msgs.String(), want) {
			t.Errorf("no report at %q in:\n%s", want, msgs.String())
		}
	}
}

// TestHelp wants the help to say what the options for processes restrict, and
// how a command is read.
func TestHelp(t *testing.T) {
	help := helpText()
	for _, want := range []string{"trace only this process", "hardware probes only in it", "quotes have no meaning"} {
		if !strings.Contains(help, want) {
			t.Errorf("no %q in:\n%s", want, help)
		}
	}
}

// TestSettings wants settings from the environment, in upper case, and the other
// variables left alone.
func TestSettings(t *testing.T) {
	environ := []string{
		"GOTRACE_MAX_STRLEN=10", "BPFTRACE_MAX_STRLEN=20", "BPFTRACE_MAX_PROBES=5", "BPFTRACE_max_map_keys=7",
		"BPFTRACE_COLOR=never", "BPFTRACE_NOSUCH=1", "MAX_CAT_BYTES=9",
	}
	want := map[string]string{"max_strlen": "10", "max_probes": "5"}
	if got := settings(variables(environ)); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
