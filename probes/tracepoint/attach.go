package tracepoint

import (
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
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
func (Provider) Attach(_ *host.Host, targets []*target.Target, prog *ebpf.Program, _ *provider.AttachOptions) (io.Closer, error) {
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
		l, err := attach(t, prog)
		if err != nil {
			return nil, fmt.Errorf("attach to %s: %w", t.Name, err)
		}
		return l, nil
	})
}

func attach(t *target.Target, prog *ebpf.Program) (io.Closer, error) {
	if t.Syscall == nil {
		return link.Tracepoint(t.Category, t.Event, prog, nil)
	}
	event := rawEnter
	if t.Syscall.Exit {
		event = rawExit
	}
	return link.AttachRawTracepoint(link.RawTracepointOptions{Name: event, Program: prog})
}
