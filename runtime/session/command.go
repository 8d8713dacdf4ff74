package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// command is the program of option -c. A shell stops itself until the probes
// are attached, then becomes the program: the process id stays, and the
// program's own exec is traced.
type command struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// holdScript stops until SIGCONT and becomes the command.
const holdScript = `kill -STOP $$; exec "$@"`

// killDelay is how long a command may take to end after SIGTERM.
const killDelay = time.Second

// ErrCommand reports that the command of the options can not be run.
var ErrCommand = errors.New("failed to run the command")

// startCommand starts the command of the options, if there is one.
func (s *Session) startCommand() error {
	if len(s.opt.Command) == 0 {
		return nil
	}
	path, err := exec.LookPath(s.opt.Command[0])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCommand, err)
	}
	args := append([]string{"-c", holdScript, "sh", path}, s.opt.Command[1:]...)
	c := &command{cmd: exec.Command("/bin/sh", args...), done: make(chan struct{})}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", ErrCommand, err)
	}
	if err := c.awaitStop(); err != nil {
		c.cmd.Process.Kill()
		c.cmd.Wait() // the reason is known
		return err
	}
	s.command = c
	go func() {
		c.cmd.Wait() // how the command ends does not matter to the run
		close(c.done)
	}()
	return nil
}

// awaitStop waits until the shell has stopped itself.
func (c *command) awaitStop() error {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(c.pid(), &status, unix.WUNTRACED, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("%w: %w", ErrCommand, err)
		case status.Stopped():
			return nil
		default:
			return fmt.Errorf("%w: the shell that holds it ended with status %d", ErrCommand, status.ExitStatus())
		}
	}
}

func (c *command) pid() int { return c.cmd.Process.Pid }

// release lets the program run.
func (c *command) release() error { return c.cmd.Process.Signal(syscall.SIGCONT) }

// When follow looks at the command: soon, as it may end soon, then ever less
// often, which bounds what it costs and how old the last look is.
const (
	firstLook = 250 * time.Microsecond
	lastLook  = time.Second
)

// follow calls seen now and then while the program runs.
func (c *command) follow(seen func(pid int)) {
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		select {
		case <-c.done:
			return
		case <-time.After(wait):
		}
		if !c.held() {
			seen(c.pid())
		}
	}
}

// held reports whether the process is still the shell that holds the program.
func (c *command) held() bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.pid()))
	return err == nil && bytes.Contains(line, []byte("\x00"+holdScript+"\x00"))
}

// stop ends the command if it still runs.
func (c *command) stop() {
	select {
	case <-c.done:
		return
	default:
	}
	c.cmd.Process.Signal(syscall.SIGTERM)
	c.cmd.Process.Signal(syscall.SIGCONT) // a stopped process handles no other signal
	select {
	case <-c.done:
	case <-time.After(killDelay):
		c.cmd.Process.Kill()
		<-c.done
	}
}
