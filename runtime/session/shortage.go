package session

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/diag"
)

// shortage is an error that the machine is to blame for, not the script.
type shortage struct{ error }

func (s *shortage) Unwrap() error { return s.error }

// shortageOf returns the error of doing something if the kernel refused it as
// it ran out of something, else nil. A log of the verifier means nothing then:
// that it accepts the program is known before the program gets its descriptor.
func shortageOf(doing string, err error) error {
	for _, e := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOSPC, unix.EAGAIN, unix.EINTR} {
		if errors.Is(err, e) {
			return &shortage{fmt.Errorf("%s: %w", doing, e)}
		}
	}
	return nil
}

// filesHint adds the limit of open files to the error of a start that it made
// fail, but for reports about the script. That is known by trying: the library
// takes the limit for a missing feature of the kernel where it looks for one.
func filesHint(err error) error {
	var reports *diag.List
	if errors.As(err, &reports) {
		return err
	}
	null, failed := os.Open(os.DevNull)
	if failed == nil {
		null.Close()
	}
	if !errors.Is(err, unix.EMFILE) && !errors.Is(failed, unix.EMFILE) {
		return err
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return err
	}
	return fmt.Errorf("%w (the limit is %d open files; ulimit -n sets it)", err, limit.Cur)
}
