package build

import (
	"fmt"
	"strings"
	"syscall"

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
		if text := syscall.Errno(n).Error(); !strings.HasPrefix(text, "errno ") {
			names[n] = capital(text)
		}
	}
	return names
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
