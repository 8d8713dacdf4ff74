package main

import (
	"errors"
	"io"
	"syscall"
)

// stream is the standard output. It keeps the first error of writing, for the
// end of the command: what prints dumps and warnings has nobody to tell. That
// nobody reads any more is no error.
type stream struct {
	io.Writer
	err error
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	if s.err == nil && !errors.Is(err, syscall.EPIPE) {
		s.err = err
	}
	return n, err
}
