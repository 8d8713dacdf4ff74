package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/gotrace/gotrace/runtime/event"
)

// catTime bounds how long cat() waits for what a pipe or device has to say: the
// run stands still meanwhile.
const catTime = time.Second

// cat shows the start of the file that cat() names, as far as limit bytes. It
// opens pipes and the like without waiting for the other end.
func (s *Session) cat(e *event.Cat, limit int) error {
	path := s.text(e.Text)
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return s.fileFailure("open", path, err)
	}
	defer file.Close()
	if err := file.SetReadDeadline(time.Now().Add(catTime)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return s.fileFailure("read", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(file, int64(limit)))
	if err != nil {
		return s.fileFailure("read", path, err)
	}
	return s.emit(&event.Output{From: event.FromCat, Data: data})
}

func (s *Session) fileFailure(what, path string, err error) error {
	var inner *os.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	reason := err.Error() // with a large first letter, as the C library words it
	return s.emit(&event.Failure{Msg: fmt.Sprintf("failed to %s file '%s' (%s)", what, path, strings.ToUpper(reason[:1])+reason[1:])})
}

// text is what a request has to say; Options.Format is not nil.
func (s *Session) text(t event.Text) string { return string(s.opt.Format.AppendText(nil, t)) }

// maxCommandOutput bounds what system() prints, in bytes.
const maxCommandOutput = 1 << 20

// system runs the command of system() with /bin/sh -c and shows both its
// streams, or how it failed. The run waits for it; ending ctx kills it, as does
// the end of this process, such as by a second Ctrl-C.
func (s *Session) system(ctx context.Context, e *event.System) error {
	defer func(start time.Time) { s.commandsTook += time.Since(start) }(time.Now())
	out := &limitedBuffer{limit: maxCommandOutput}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", s.text(e.Text))
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second // for a child of the shell that keeps the pipe
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return s.emit(&event.Failure{Msg: fmt.Sprintf("command exited with code %d", exit.ExitCode())})
	case err != nil:
		return s.emit(&event.Failure{Msg: fmt.Sprintf("command failed: %v", err)})
	}
	if err := s.emit(&event.Output{From: event.FromSystem, Data: out.data.Bytes()}); err != nil || out.dropped == 0 {
		return err
	}
	return s.emit(&event.Warning{Msg: fmt.Sprintf("system() shows %d bytes of what a command prints: %d more were dropped", out.limit, out.dropped)})
}

// limitedBuffer keeps the first limit bytes and drops the rest, so that the
// command does not block.
type limitedBuffer struct {
	data    bytes.Buffer
	limit   int
	dropped int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	keep := min(len(p), b.limit-b.data.Len())
	b.data.Write(p[:keep])
	b.dropped += len(p) - keep
	return len(p), nil
}
