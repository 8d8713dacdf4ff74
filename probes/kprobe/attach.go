package kprobe

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/perf"
	"github.com/gotrace/gotrace/probes/provider"
)

// Spec implements provider.Provider.
func (Provider) Spec(h *host.Host, t *target.Target, opt *target.ResolveOptions) provider.LoadSpec {
	spec := provider.LoadSpec{Type: ebpf.Kprobe}
	if multi(h, t, opt) {
		spec.AttachType = ebpf.AttachTraceKprobeMulti
	}
	return spec
}

// multi reports whether a target is attached to by a kprobe_multi link, which
// knows only entries and returns of functions.
func multi(h *host.Host, t *target.Target, opt *target.ResolveOptions) bool {
	return t.Offset == 0 && t.Address == 0 && !opt.NoKprobeMulti && h.Features().KprobeMulti()
}

// Attach implements provider.Provider.
func (Provider) Attach(h *host.Host, targets []*target.Target, prog *ebpf.Program, opt *provider.AttachOptions) (io.Closer, error) {
	if !multi(h, targets[0], &opt.ResolveOptions) {
		return provider.AttachMost(provider.Singles(targets), opt, func(one []*target.Target) (io.Closer, error) {
			l, err := attachOne(h, one[0], prog)
			if errors.Is(err, fs.ErrNotExist) {
				err = cmp.Or(Provider{}.Lacks(h, one[0]), err)
			}
			return l, err
		})
	}
	return provider.AttachMost([][]*target.Target{targets}, opt, func(group []*target.Target) (io.Closer, error) {
		return attachMulti(group, prog)
	})
}

func attachMulti(group []*target.Target, prog *ebpf.Program) (io.Closer, error) {
	symbols := make([]string, len(group))
	for i, t := range group {
		symbols[i] = t.Symbol
	}
	attach := link.KprobeMulti
	if group[0].Provider == target.Kretprobe {
		attach = link.KretprobeMulti
	}
	return attach(prog, link.KprobeMultiOptions{Symbols: symbols})
}

// Lacks implements provider.Requirer: the kernel must offer one of its two ways
// to kprobes.
func (Provider) Lacks(h *host.Host, _ *target.Target) error {
	if _, err := perf.SourceNumber(h, "kprobe/type", ""); err == nil {
		return nil
	}
	if files, err := h.Tracefs(); err == nil {
		if _, err := fs.Stat(files, "kprobe_events"); err == nil {
			return nil
		}
	}
	return errors.New("this kernel has no kprobes (CONFIG_KPROBES, CONFIG_KPROBE_EVENTS)")
}

func attachOne(h *host.Host, t *target.Target, prog *ebpf.Program) (io.Closer, error) {
	switch {
	case t.Address != 0:
		return attachAddress(h, t.Address, prog)
	case t.Provider == target.Kretprobe:
		return link.Kretprobe(t.Symbol, prog, nil)
	}
	return link.Kprobe(t.Symbol, prog, &link.KprobeOptions{Offset: t.Offset})
}

// attachAddress opens an event of the kernel's kprobe PMU for an address; see
// perf_event_open(2), config2.
func attachAddress(h *host.Host, address uint64, prog *ebpf.Program) (io.Closer, error) {
	kind, err := perf.SourceNumber(h, "kprobe/type", "")
	if err != nil {
		return nil, fmt.Errorf("the kernel has no kprobes: %w", err)
	}
	attr := &unix.PerfEventAttr{Type: uint32(kind), Bits: unix.PerfBitDisabled, Ext2: address}
	return perf.Open(h, attr, perf.Place{Pid: -1, CPU: 0}, prog)
}
