package provider

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
)

// Unreadable reports that what can not be had for err, an error of the tracing
// file system, and how it could be. File permissions are told from what the
// kernel withholds even from root.
func Unreadable(what string, err error) *target.Error {
	e := target.Errorf(target.Unsupported, "%s: %v", what, err)
	switch {
	case errors.Is(err, unix.EPERM):
		e.Hint("the kernel withholds this file, as under lockdown or in a container")
	case errors.Is(err, fs.ErrPermission):
		e.Kind = target.NotAllowed
		e.Hint("the tracing file system is for root: use sudo, or give the program CAP_DAC_READ_SEARCH beside CAP_BPF and CAP_PERFMON")
	}
	return e
}
