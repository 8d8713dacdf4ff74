package gotrace_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// errFull is the error of fullWriter.
var errFull = errors.New("no space left")

// fullWriter takes some writes and then no more.
type fullWriter struct{ room int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.room == 0 {
		return 0, errFull
	}
	w.room--
	return len(p), nil
}

// Whatever is listed, an error of the writer is that of the listing.
func TestListsTellWriteErrors(t *testing.T) {
	cfg := &gotrace.Config{Host: hosttest.New()}
	prog, err := gotrace.Compile("stdin", `tracepoint:syscalls:sys_enter_dup3 { }`, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string]func(w io.Writer, verbose bool) error{
		"types":   func(w io.Writer, verbose bool) error { return gotrace.List(w, "struct *", verbose, cfg) },
		"probes":  func(w io.Writer, verbose bool) error { return gotrace.List(w, "tracepoint:syscalls:*", verbose, cfg) },
		"targets": prog.ListTargets,
	} {
		for room, verbose := range []bool{false, true} {
			if err := list(&fullWriter{room}, verbose); !errors.Is(err, errFull) {
				t.Errorf("%s, with room for %d lines: %v", name, room, err)
			}
		}
	}
}

// doorFS refuses files that are shut.
type doorFS struct {
	fs.FS
	shut func(name string) bool
}

func (d *doorFS) Open(name string) (fs.File, error) {
	if d.shut(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.FS.Open(name)
}

// A declaration that can not be read is a problem of the listing, which has the
// rest.
func TestListTargetsPartly(t *testing.T) {
	cfg := hosttest.Config()
	files, err := cfg.Tracefs()
	if err != nil {
		t.Fatal(err)
	}
	shut := false
	door := &doorFS{files, func(string) bool { return shut }}
	cfg.Tracefs = func() (fs.FS, error) { return door, nil }
	prog, err := gotrace.Compile("stdin", `tracepoint:syscalls:sys_enter_dup3, interval:s:1 { }`, &gotrace.Config{Host: host.New(cfg)})
	if err != nil {
		t.Fatal(err)
	}
	shut = true
	var out bytes.Buffer
	err = prog.ListTargets(&out, true)
	var partial *gotrace.PartialError
	if !errors.As(err, &partial) || !strings.HasPrefix(err.Error(), "arguments of tracepoint:syscalls:sys_enter_dup3: ") {
		t.Errorf("error %v", err)
	}
	if text := out.String(); !strings.HasPrefix(text, "tracepoint:syscalls:sys_enter_dup3\n    ") || !strings.HasSuffix(text, "\ninterval:s:\n") {
		t.Errorf("listed:\n%s", text)
	}
}
