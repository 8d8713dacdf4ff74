// Package perf opens perf events that run programs.
package perf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/probes/host"
)

// Place is where an event is counted: in a process on any processor (CPU -1),
// or on one processor for all processes (Pid -1).
type Place struct{ Pid, CPU int }

// SourceNumber reads a number that the kernel tells about one of its sources of
// events, such as "kprobe/type", behind a prefix such as "config:".
func SourceNumber(h *host.Host, name, prefix string) (uint64, error) {
	text, err := fs.ReadFile(h.Sys(), "bus/event_source/devices/"+name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(string(text)), prefix), 10, 32)
}

// Open opens an event, attaches the program and lets it count until the result
// is closed. It sets the size in attr.
func Open(h *host.Host, attr *unix.PerfEventAttr, at Place, prog *ebpf.Program) (io.Closer, error) {
	attr.Size = uint32(unsafe.Sizeof(*attr))
	fd, err := unix.PerfEventOpen(attr, at.Pid, at.CPU, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, explain(attr, err)
	}
	event := &event{fd: fd}
	if h.Features().PerfLink() {
		var l *link.RawLink
		l, err = link.AttachRawLink(link.RawLinkOptions{Target: fd, Program: prog, Attach: ebpf.AttachPerfEvent})
		if err == nil {
			event.link = l
		}
	} else {
		err = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, prog.FD())
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0)
	}
	if err != nil {
		return nil, errors.Join(err, event.Close())
	}
	return event, nil
}

// notSupported is ENOTSUPP, an error of the kernel's own that has no text: of
// uprobes at some instructions, for one.
const notSupported = unix.Errno(524)

// explain says what the errors of perf_event_open mean here.
func explain(attr *unix.PerfEventAttr, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EOPNOTSUPP):
		return fmt.Errorf("the machine does not count this event: %w", err)
	case errors.Is(err, notSupported):
		err = unix.EOPNOTSUPP
	case attr.Type == unix.PERF_TYPE_BREAKPOINT && errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("no debug register is free: %w", err)
	}
	return fmt.Errorf("perf_event_open: %w", err)
}

// event is an open event with a program attached, by a link or, before Linux
// 5.15, for good.
type event struct {
	fd   int
	link io.Closer
}

// Close stops the event.
func (e *event) Close() error {
	var err error
	if e.link != nil {
		err = e.link.Close()
	}
	return errors.Join(err, unix.Close(e.fd))
}
