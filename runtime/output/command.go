package output

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/gotrace/gotrace/runtime/event"
)

// Cat reads the file that e names, up to limit bytes, and returns an
// event.Output, or an event.Failure when the file can not be read.
func (f *Formatter) Cat(e *event.Cat, limit int) event.Event {
	path := string(f.AppendText(nil, e.Text))
	file, err := os.Open(path)
	if err != nil {
		return fileFailure("open", path, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, int64(limit)))
	if err != nil {
		return fileFailure("read", path, err)
	}
	return &event.Output{From: event.FromCat, Data: data}
}

func fileFailure(what, path string, err error) event.Event {
	var inner *os.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &event.Failure{Msg: fmt.Sprintf("failed to %s file '%s' (%s)", what, path, capital(err.Error()))}
}

// maxCommandOutput bounds what system() prints, in bytes.
const maxCommandOutput = 1 << 20

// System runs the command that e gives with /bin/sh -c and returns an
// event.Output with both its streams, or an event.Failure when it fails. It
// waits for the command; ending ctx kills it.
func (f *Formatter) System(ctx context.Context, e *event.System) event.Event {
	out := &limitedBuffer{limit: maxCommandOutput}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", string(f.AppendText(nil, e.Text)))
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second // for a child of the shell that keeps the pipe
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &event.Output{From: event.FromSystem, Data: out.data.Bytes()}
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return &event.Failure{Msg: fmt.Sprintf("command exited with code %d", exit.ExitCode())}
	}
	return &event.Failure{Msg: fmt.Sprintf("command failed: %v", err)}
}

// limitedBuffer keeps the first limit bytes and drops the rest, so that the
// command does not block.
type limitedBuffer struct {
	data  bytes.Buffer
	limit int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	keep := min(len(p), b.limit-b.data.Len())
	b.data.Write(p[:keep])
	return len(p), nil
}
