package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/wire"
)

// outputGrace is how long the output of a command is awaited after its end,
// when background processes still hold it, and how long these may take to die.
const outputGrace = 2 * time.Second

// server runs the host's commands, one at a time.
type server struct {
	port io.ReadWriter

	mu      sync.Mutex // guards writes to port and the field below
	running *os.Process
}

// serve returns nil when the host says Shutdown.
func serve(port io.ReadWriter) error {
	s := &server{port: port}
	for {
		kind, payload, err := wire.Read(port)
		if err != nil {
			return fmt.Errorf("host: %w", err)
		}
		switch kind {
		case wire.Exec:
			var command wire.Command
			if err := json.Unmarshal(payload, &command); err != nil {
				return fmt.Errorf("host: %w", err)
			}
			if err := s.start(command); err != nil {
				return err
			}
		case wire.Kill:
			s.kill()
		case wire.Shutdown:
			return nil
		default:
			return fmt.Errorf("host: unexpected frame of kind %d", kind)
		}
	}
}

func (s *server) start(c wire.Command) error {
	if len(c.Args) == 0 {
		return s.exit(wire.Status{Code: 127, Error: "empty command"})
	}
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = output{s, wire.Stdout}, output{s, wire.Stderr}
	cmd.WaitDelay = outputGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return s.exit(wire.Status{Code: 127, Error: err.Error()})
	}
	s.mu.Lock()
	s.running = cmd.Process
	s.mu.Unlock()
	go s.finish(cmd)
	return nil
}

// finish waits for a command's end and reports it. What the command left
// running in its process group is killed, so commands can not disturb the next.
func (s *server) finish(cmd *exec.Cmd) {
	err := cmd.Wait()
	s.mu.Lock()
	s.running = nil
	s.mu.Unlock()
	if !killGroup(cmd.Process.Pid) {
		fmt.Fprintf(os.Stderr, "agent: processes of %q do not end\n", cmd.Args)
	}
	reap()
	status := wire.Status{Code: exitCode(cmd.ProcessState)}
	if err != nil && !errors.As(err, new(*exec.ExitError)) && !errors.Is(err, exec.ErrWaitDelay) {
		status.Error = err.Error()
	}
	if err := s.exit(status); err != nil {
		fmt.Fprintln(os.Stderr, "agent: host:", err)
	}
}

// killGroup ends the processes of a group whose leader has been waited for, and
// tells whether all are gone. Those whose parents are gone too are children of
// process 1, so of this one.
func killGroup(group int) bool {
	for deadline := time.Now().Add(outputGrace); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if err := unix.Kill(-group, unix.SIGKILL); errors.Is(err, unix.ESRCH) {
			return true
		}
		// An error means no such child yet: its parent dies at this moment.
		_, _ = unix.Wait4(-group, nil, unix.WNOHANG, nil)
	}
	return false
}

// exitCode is the shell's view of a process's end.
func exitCode(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}

// reap collects orphans, which are the children of process 1. No command runs
// at this point, so none of its waits is disturbed.
func reap() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err != nil && !errors.Is(err, unix.EINTR) || err == nil && pid == 0 {
			return
		}
	}
}

func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		_ = unix.Kill(-s.running.Pid, unix.SIGKILL) // ESRCH: it has just ended
	}
}

func (s *server) exit(status wire.Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return wire.WriteJSON(s.port, wire.Exit, status)
}

// output sends what a command writes to the host.
type output struct {
	s    *server
	kind wire.Kind
}

func (o output) Write(p []byte) (int, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	for sent := 0; sent < len(p); {
		n := min(len(p)-sent, wire.MaxPayload)
		if err := wire.Write(o.s.port, o.kind, p[sent:sent+n]); err != nil {
			return sent, err
		}
		sent += n
	}
	return len(p), nil
}
