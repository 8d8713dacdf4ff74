package session

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrProcess reports that the process of the options can not be watched.
var ErrProcess = errors.New("failed to watch the process")

// openProcess gets hold of the process that the run ends with, if there is one,
// by a pidfd (Linux 5.3): its number may be that of another one later.
func (s *Session) openProcess() error {
	pid := s.opt.Resolve.Pid
	if pid == 0 {
		return nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT): // the latter since Linux 6.15
		return fmt.Errorf("%w: %d is a thread, not a process", ErrProcess, pid)
	case err != nil:
		return fmt.Errorf("%w %d: %w", ErrProcess, pid, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // for the poller of the runtime
		return errors.Join(err, unix.Close(fd))
	}
	s.process = os.NewFile(uintptr(fd), "pidfd")
	return nil
}

// watch cancels the run when the command or the process of the options is gone.
func (s *Session) watch() {
	if c := s.command; c != nil {
		go func() {
			select {
			case <-c.done:
				s.cancel()
			case <-s.ctx.Done():
			}
		}()
	}
	if s.process != nil {
		go s.watchProcess()
	}
}

// watchProcess waits for the process to end, or for Close.
func (s *Session) watchProcess() {
	defer s.cancel()
	conn, err := s.process.SyscallConn()
	if err != nil {
		return // it is closed
	}
	conn.Read(func(fd uintptr) bool { // the error tells of Close
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
	})
}
