package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// notify tells those who wait for it that everything is attached: a service
// manager, and programs that drive the tracer.
func (a *app) notify(out io.Writer) func() {
	return func() {
		if _, ok := os.LookupEnv("__BPFTRACE_NOTIFY_PROBES_ATTACHED"); ok {
			fmt.Fprintln(out, "__BPFTRACE_NOTIFY_PROBES_ATTACHED")
		}
		path := os.Getenv("NOTIFY_SOCKET")
		if path == "" {
			return
		}
		if err := sendReady(path); err != nil {
			fmt.Fprintf(a.stderr, "WARNING: NOTIFY_SOCKET: %v\n", err)
		}
	}
}

// sendReady tells a service manager that the service is ready, see
// sd_notify(3). A path that begins with @ is a name in the abstract name space.
func sendReady(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	err = unix.Sendto(fd, []byte("READY=1\n"), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: path})
	return errors.Join(err, unix.Close(fd))
}
