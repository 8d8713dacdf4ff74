package tracepoint

import (
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/perf"
	"github.com/gotrace/gotrace/probes/provider"
)

// Spec implements provider.Provider.
func (Provider) Spec(_ *host.Host, t *target.Target, _ *target.ResolveOptions) provider.LoadSpec {
	if t.Program == target.ProgRaw {
		return provider.LoadSpec{Type: ebpf.RawTracepoint}
	}
	return provider.LoadSpec{Type: ebpf.TracePoint}
}

// Attach implements provider.Provider. System call events of one direction
// share one raw tracepoint; the program tells them apart.
func (Provider) Attach(h *host.Host, targets []*target.Target, prog *ebpf.Program, _ *provider.AttachOptions) (io.Closer, error) {
	var distinct []*target.Target
	raw := map[bool]bool{}
	for _, t := range targets {
		if t.Syscall != nil {
			if raw[t.Syscall.Exit] {
				continue
			}
			raw[t.Syscall.Exit] = true
		}
		distinct = append(distinct, t)
	}
	return provider.AttachEach(distinct, func(t *target.Target) (io.Closer, error) {
		l, err := attach(h, t, prog)
		if err != nil {
			return nil, fmt.Errorf("attach to %s: %w", t.Name, err)
		}
		return l, nil
	})
}

func attach(h *host.Host, t *target.Target, prog *ebpf.Program) (io.Closer, error) {
	if t.Syscall == nil {
		return attachEvent(h, t, prog)
	}
	event := rawEnter
	if t.Syscall.Exit {
		event = rawExit
	}
	return link.AttachRawTracepoint(link.RawTracepointOptions{Name: event, Program: prog})
}

// attachEvent opens the perf event of a trace event: one on any processor fires
// for all of them, as the program runs before the event is looked for (see
// perf_trace_run_bpf_submit in kernel/events/core.c).
func attachEvent(h *host.Host, t *target.Target, prog *ebpf.Program) (io.Closer, error) {
	files, err := h.Tracefs()
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(files, "events/"+t.Category+"/"+t.Event+"/id")
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("number of the event: %w", err)
	}
	attr := &unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Bits: unix.PerfBitDisabled, Sample: 1, Wakeup: 1}
	return perf.Open(h, attr, perf.Place{Pid: -1, CPU: 0}, prog)
}
