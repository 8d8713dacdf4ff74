// Package vmtest runs programs in virtual machines with Debian's kernels, to
// test what depends on the kernel's version: attaching, the verifier, fallbacks.
//
// Input are a kernel (a version such as "6.1", or the path of a vmlinuz), files
// and a command; output is what the command writes, as it writes it, and its
// exit status. The guest lives in an initramfs: busybox, an agent as /init, the
// given files and the few modules that reach the host. It has no disk and no
// network but the loopback, and everything in it is gone afterwards. QEMU
// emulates the processor in software, so no KVM is needed.
//
// What is missing (kernel, QEMU, busybox) is fetched from the Debian mirror
// that this machine's apt sources name, checked against Debian's signatures and
// kept in $XDG_CACHE_HOME/gotrace/vmtest. Nothing is installed and no privilege
// is needed; programs used are go, dpkg-deb and gpgv with the package
// debian-archive-keyring.
package vmtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Exit statuses that Run reports in place of the command's.
const (
	StatusTimeLimit = 124 // the time limit ended the command
	StatusNoGuest   = 125 // the guest did not boot, or died
)

// Defaults of Options.
const (
	DefaultMemory      = 2048 // MiB
	DefaultCPUs        = 2
	DefaultTimeout     = 10 * time.Minute
	DefaultBootTimeout = 3 * time.Minute
)

var (
	// ErrTimeLimit is the cause when a command was ended by its time limit.
	ErrTimeLimit = errors.New("time limit")
	// ErrNoGuest is the cause when the guest did not boot or died.
	ErrNoGuest = errors.New("no guest")
)

// Options describe a guest and, for Run, the command in it.
type Options struct {
	// Kernel is a version ("6.1", "6.12.94"), of which the newest cached or
	// else packaged one is taken, or the path of a vmlinuz of an unpacked
	// kernel package.
	Kernel string
	// Files maps files and directories of the host to absolute paths in the
	// guest. Permission bits and symbolic links are kept.
	Files map[string]string
	// Modules are kernel modules to load at boot, by name; modules that are
	// built into the kernel are accepted.
	Modules []string
	// Memory is in MiB, CPUs a number; zero means the default.
	Memory, CPUs int
	// BootTimeout limits the boot; zero means the default.
	BootTimeout time.Duration
	// Console receives the kernel's messages if it is not nil.
	Console io.Writer
	// Log receives progress (downloads); nil means silence.
	Log func(format string, args ...any)

	// Command is the argument vector for Run; Env holds KEY=VALUE pairs.
	Command, Env []string
	// Timeout limits Run from the start of QEMU on; zero means the default.
	Timeout time.Duration
	// Stdout and Stderr receive the command's output; nil discards it.
	Stdout, Stderr io.Writer
}

// Result says how Run ended.
type Result struct {
	Status  int           // of the command: 128 plus the signal if one ended it
	Release string        // the kernel's, as `uname -r`
	Boot    time.Duration // from QEMU's start to a usable guest
	Elapsed time.Duration // from QEMU's start to the command's end
}

// Run boots a guest, runs one command in it and shuts it down. An error means
// that the command did not run to its end; Result.Status is then
// StatusTimeLimit with ErrTimeLimit, else StatusNoGuest.
func Run(ctx context.Context, o Options) (Result, error) {
	result := Result{Status: StatusNoGuest}
	image, err := Prepare(ctx, o)
	if err != nil {
		return result, err
	}
	defer image.Close()
	limit := o.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	start := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w of %v", ErrTimeLimit, limit))
	defer cancel()
	vm, err := image.Boot(ctx)
	if err != nil {
		return result, err
	}
	defer vm.Close()
	result.Release, result.Boot = vm.Release, vm.BootTime
	result.Status, err = vm.Exec(ctx, Command{Args: o.Command, Env: o.Env, Stdout: o.Stdout, Stderr: o.Stderr})
	result.Elapsed = time.Since(start)
	return result, err
}
