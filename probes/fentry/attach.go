package fentry

import (
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/provider"
)

// Spec implements provider.Provider. Each function needs a program of its own.
func (Provider) Spec(_ *host.Host, t *target.Target, _ *target.ResolveOptions) provider.LoadSpec {
	spec := provider.LoadSpec{Type: ebpf.Tracing, AttachType: ebpf.AttachTraceFEntry, AttachTo: t.Symbol}
	if t.Provider == target.Fexit {
		spec.AttachType = ebpf.AttachTraceFExit
	}
	if t.Module == bpfModule {
		spec.Prog = ebpf.ProgramID(t.Address)
	}
	return spec
}

// Attach implements provider.Provider.
func (Provider) Attach(_ *host.Host, targets []*target.Target, prog *ebpf.Program, _ *provider.AttachOptions) (io.Closer, error) {
	if len(targets) != 1 {
		return nil, fmt.Errorf("%s: a program can be attached to one function only", targets[0].Name)
	}
	l, err := link.AttachTracing(link.TracingOptions{Program: prog})
	if err != nil {
		return nil, fmt.Errorf("attach to %s: %w", targets[0].Name, err)
	}
	return l, nil
}
