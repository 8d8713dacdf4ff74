package build

import (
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/typed"
)

// Numbers that have names: errors and signals of Linux.
const (
	maxErrno  = 133
	maxSignal = 64
	// firstRealTime is the first signal that the C library leaves to programs.
	firstRealTime = 34
)

// names returns the texts that numbers from 0 on stand for ("" where there is
// none) and the one for all others.
func (s *script) names(fn typed.Fn) (names []string, unknown string) {
	switch fn {
	case typed.FnStrerror:
		return errorNames(), "Unknown error"
	case typed.FnSignalName:
		return signalNames(), "N/A"
	}
	if s.opt.Syscalls != nil {
		names = s.opt.Syscalls()
	}
	return names, "Unknown syscall"
}

func errorNames() []string {
	names := make([]string, maxErrno+1)
	names[0] = "Success"
	for n := 1; n <= maxErrno; n++ {
		if text := errorText(syscall.Errno(n)); text != "" {
			names[n] = text
		}
	}
	return names
}

// errorText returns the text of an error: that of the C library but where
// bpftrace follows the kernel's header uapi/asm-generic/errno.h.
func errorText(e syscall.Errno) string {
	switch e {
	case unix.EIO:
		return "I/O error"
	case unix.EBADF:
		return "Bad file number"
	case unix.EAGAIN:
		return "Try again (operation would block)"
	case unix.ENOMEM:
		return "Out of memory"
	case unix.EXDEV:
		return "Cross-device link"
	case unix.ENFILE:
		return "File table overflow"
	case unix.ENOTTY:
		return "Not a typewriter"
	case unix.EDOM:
		return "Math argument out of domain of func"
	case unix.ERANGE:
		return "Math result not representable"
	case unix.EDEADLK:
		return "Resource deadlock would occur"
	case unix.ENOLCK:
		return "No record locks available"
	case unix.ENOSYS:
		return "Invalid system call number"
	case unix.ELOOP:
		return "Too many symbolic links encountered"
	case unix.EBADMSG:
		return "Not a data message"
	case unix.EILSEQ:
		return "Illegal byte sequence"
	case unix.EOPNOTSUPP:
		return "Operation not supported on transport endpoint"
	case unix.ENETRESET:
		return "Network dropped connection because of reset"
	case unix.EDQUOT:
		return "Quota exceeded"
	case unix.ECANCELED:
		return "Operation Canceled"
	case unix.EHWPOISON:
		return "Memory page has hardware error"
	}
	if text := e.Error(); !strings.HasPrefix(text, "errno ") {
		return capital(text)
	}
	return ""
}

func signalNames() []string {
	names := make([]string, maxSignal+1)
	names[0] = "Unknown signal 0"
	for n := 1; n <= maxSignal; n++ {
		switch text := syscall.Signal(n).String(); {
		case n >= firstRealTime:
			names[n] = fmt.Sprintf("Real-time signal %d", n-firstRealTime)
		case strings.HasPrefix(text, "signal "):
			names[n] = fmt.Sprintf("Unknown signal %d", n)
		default:
			names[n] = capital(text)
		}
	}
	return names
}

// capital undoes what package syscall does to the texts of the C library.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
