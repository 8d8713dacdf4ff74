package output

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// bufferSize is how much output is kept back at most, in bytes.
const bufferSize = 64 << 10

// writer collects output in buf.
type writer struct {
	opt Options
	buf []byte
}

// done is called when an event was appended to buf.
func (w *writer) done() error {
	if w.opt.Buffering == Unbuffered || len(w.buf) >= bufferSize {
		return w.Flush()
	}
	return nil
}

// Idle writes what line buffering kept back.
func (w *writer) Idle() error {
	if w.opt.Buffering == FullBuffered {
		return nil
	}
	return w.Flush()
}

// Flush writes all that was kept back.
func (w *writer) Flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	err := write(w.opt.Out, w.buf)
	w.buf = w.buf[:0]
	return err
}

// report writes a message to the error stream, behind the output so far.
func (w *writer) report(text []byte) error {
	if err := w.Idle(); err != nil {
		return err
	}
	return write(w.opt.Err, text)
}

func write(to io.Writer, text []byte) error {
	_, err := to.Write(text)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE), errors.Is(err, os.ErrClosed), errors.Is(err, fs.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return ErrClosed
	}
	return fmt.Errorf("writing output: %w", err)
}
