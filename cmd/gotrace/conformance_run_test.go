package main_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// caseRunner runs cases through a tracer. It may be used by several goroutines.
type caseRunner struct {
	tracer    []string // command line that the arguments of a case are added to
	work      string   // every case gets a directory below it
	progs     string
	timescale float64 // stretches the time limits
}

// run executes a case once. The error is about the preparations.
func (r *caseRunner) run(c *conformanceCase) (*caseRun, error) {
	dir := filepath.Join(r.work, c.area+"."+c.name)
	res := &caseRun{dir: dir, progs: r.progs, limit: time.Duration(float64(c.timeout) * r.timescale)}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for name, text := range c.files {
		if err := writeCaseFile(filepath.Join(dir, name), res.expand(text, false)); err != nil {
			return nil, err
		}
	}
	pid := ""
	if len(c.spawn) > 0 {
		target, err := spawnTarget(r.expander(dir, "").words(c.spawn))
		if err != nil {
			return nil, err
		}
		defer target.end()
		pid = fmt.Sprint(target.cmd.Process.Pid)
	}
	cmd, err := r.command(c, r.expander(dir, pid))
	if err != nil {
		return nil, err
	}
	res.command = cmd.Args
	return res, res.execute(cmd, c.signals)
}

// expander replaces the ${...} of a case.
type expander struct{ *strings.Replacer }

func (r *caseRunner) expander(dir, pid string) expander {
	return expander{strings.NewReplacer("${DIR}", dir, "${PROGS}", r.progs, "${PID}", pid)}
}

func (e expander) words(in []string) []string {
	out := make([]string, len(in))
	for i, w := range in {
		out[i] = e.Replace(w)
	}
	return out
}

func writeCaseFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o755)
}

// command prepares the tracer's command line, input and environment.
func (r *caseRunner) command(c *conformanceCase, e expander) (*exec.Cmd, error) {
	dir := e.Replace("${DIR}")
	line := append(append([]string{}, r.tracer...), e.words(c.args)...)
	var stdin io.Reader
	if program, ok := c.sections["program"]; ok {
		program = e.Replace(program)
		switch {
		case c.file != "":
			path := filepath.Join(dir, c.file)
			if err := writeCaseFile(path, program+"\n"); err != nil {
				return nil, err
			}
			line = append(line, path)
		case c.stdin:
			line = append(line, "-")
			stdin = strings.NewReader(program + "\n")
		default:
			line = append(line, "-e", program)
		}
	}
	line = append(line, e.words(c.after)...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir, cmd.Stdin = dir, stdin
	cmd.Env = append(cleanEnvironment(), e.words(c.env)...)
	// A session of its own, so that a time-out ends the tracer's children too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, nil
}

// cleanEnvironment is the environment without settings of a tracer.
func cleanEnvironment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "BPFTRACE_") && !strings.HasPrefix(kv, "GOTRACE_") {
			env = append(env, kv)
		}
	}
	return append(env, "TZ=UTC", "LC_ALL=C")
}

// spawnedTarget is a process that a case traces by its id.
type spawnedTarget struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// spawnTarget starts a command and gives it a moment to begin its work. It is
// reaped as soon as it ends: a zombie would look alive to the tracer.
func spawnTarget(words []string) (*spawnedTarget, error) {
	t := &spawnedTarget{exec.Command(words[0], words[1:]...), make(chan struct{})}
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(t.done)
		_ = t.cmd.Wait() // how a traced process ends is not judged
	}()
	time.Sleep(100 * time.Millisecond)
	return t, nil
}

func (t *spawnedTarget) end() {
	_ = t.cmd.Process.Kill() // it may have ended before
	<-t.done
}

// outputPipe collects what a process writes.
type outputPipe struct {
	read *os.File
	done chan struct{} // closed at the end of the stream
	mu   sync.Mutex
	buf  bytes.Buffer
}

// newOutputPipe returns the pipe and the file to give to the process.
func newOutputPipe() (*outputPipe, *os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	p := &outputPipe{read: read, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_, _ = io.Copy(p, read) // ends by end of file, or by close
	}()
	return p, write, nil
}

func (p *outputPipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *outputPipe) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return printable(p.buf.Bytes())
}

// execute runs the command and fills in the result.
func (r *caseRun) execute(cmd *exec.Cmd, signals []signalRule) error {
	out, outWrite, err := newOutputPipe()
	if err != nil {
		return err
	}
	defer out.read.Close()
	errs, errWrite, err := newOutputPipe()
	if err != nil {
		outWrite.Close()
		return err
	}
	defer errs.read.Close()
	cmd.Stdout, cmd.Stderr = outWrite, errWrite
	err = cmd.Start()
	outWrite.Close()
	errWrite.Close()
	if err != nil {
		return err
	}
	exited := awaitExit(cmd.Process.Pid)
	r.timedOut = superviseRun(cmd.Process, exited, signals, time.Now().Add(r.limit), func() string {
		return out.String() + "\n" + errs.String()
	})
	// The process is not reaped yet, so its id still names its group and no other.
	drain := time.After(2 * time.Second)
	for _, p := range []*outputPipe{out, errs} {
		select {
		case <-p.done:
		case <-drain:
		}
	}
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // children left behind
	_ = cmd.Wait()                                // the exit code is judged
	r.stdout, r.stderr = out.String(), errs.String()
	r.code = cmd.ProcessState.ExitCode()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		r.code = -int(ws.Signal())
	}
	return nil
}

// awaitExit reports the end of a child without reaping it.
func awaitExit(pid int) <-chan struct{} {
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
	}()
	return exited
}

// superviseRun waits for the end of the process, sends the signals as their
// patterns appear in the output, and kills the group at the deadline. It
// reports whether it had to.
func superviseRun(p *os.Process, exited <-chan struct{}, signals []signalRule, deadline time.Time, output func() string) bool {
	const poll, settle = 20 * time.Millisecond, 200 * time.Millisecond
	limit := time.After(time.Until(deadline))
	for {
		var look <-chan time.Time
		if len(signals) > 0 {
			look = time.After(poll)
		}
		select {
		case <-exited:
			return false
		case <-limit:
			_ = unix.Kill(-p.Pid, unix.SIGKILL)
			<-exited
			return true
		case <-look:
			if signals[0].pattern.MatchString(output()) {
				time.Sleep(settle) // let the tracer come to rest
				_ = p.Signal(signals[0].signal)
				signals = signals[1:]
			}
		}
	}
}
