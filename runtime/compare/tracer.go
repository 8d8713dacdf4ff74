package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience is how long a tracer may take to attach, and to end.
const patience = 30 * time.Second

// tracer is a command that takes a script behind -e.
type tracer struct{ name, path string }

// tracing is a tracer that runs.
type tracing struct {
	cmd   *exec.Cmd
	begun time.Time
	lines chan string // what it prints; closed at the end
}

// start runs a script and returns at once.
func (t tracer) start(script string) (*tracing, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(t.path, "-e", script)
	cmd.Stdout, cmd.Stderr = w, w
	run := &tracing{cmd: cmd, begun: time.Now(), lines: make(chan string, 64)}
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	go run.read(r)
	return run, nil
}

// read passes lines on. Those that nobody waits for are dropped, so that the
// tracer never waits for its reader.
func (r *tracing) read(from io.ReadCloser) {
	defer from.Close()
	defer close(r.lines)
	for s := bufio.NewScanner(from); s.Scan(); {
		select {
		case r.lines <- s.Text():
		default:
		}
	}
}

// await waits for a line that begins with prefix and returns how long after the
// start it came.
func (r *tracing) await(prefix string) (time.Duration, error) {
	limit := time.After(patience)
	last := ""
	for {
		select {
		case line, ok := <-r.lines:
			if !ok {
				return 0, fmt.Errorf("ended without a line %q; last: %q", prefix, last)
			}
			if last = line; strings.HasPrefix(line, prefix) {
				return time.Since(r.begun), nil
			}
		case <-limit:
			return 0, fmt.Errorf("no line %q within %v", prefix, patience)
		}
	}
}

// stop ends the tracer as Ctrl-C does and waits for its end.
func (r *tracing) stop() error {
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	kill := time.AfterFunc(patience, func() { r.cmd.Process.Kill() })
	defer kill.Stop()
	err := r.cmd.Wait()
	for range r.lines { // up to its end
	}
	return err
}

// peak returns the most memory that the tracer has used so far, in KiB.
func (r *tracing) peak() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), "VmHWM:")
	var kib float64
	if n, _ := fmt.Sscan(rest, &kib); !ok || n != 1 {
		return 0, errors.New("no VmHWM in /proc")
	}
	return kib, nil
}
