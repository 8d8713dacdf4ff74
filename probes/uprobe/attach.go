package uprobe

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"unsafe"

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
	return Spec(h, t, opt)
}

// Attach implements provider.Provider.
func (Provider) Attach(h *host.Host, targets []*target.Target, prog *ebpf.Program, opt *provider.AttachOptions) (io.Closer, error) {
	return Attach(h, targets, prog, opt)
}

// Spec says how a program for a place in a file has to be loaded.
func Spec(h *host.Host, t *target.Target, opt *target.ResolveOptions) provider.LoadSpec {
	spec := provider.LoadSpec{Type: ebpf.Kprobe}
	if multi(h, t, opt) {
		spec.AttachType = ebpf.AttachTraceUprobeMulti
	}
	return spec
}

// multi reports whether a target is attached to by a uprobe_multi link. The
// library that makes those links opens the file as an ELF file.
func multi(h *host.Host, t *target.Target, opt *target.ResolveOptions) bool {
	return t.Category != inArchive && !opt.NoUprobeMulti && h.Features().UprobeMulti()
}

// Attach attaches a program to places in files.
func Attach(h *host.Host, targets []*target.Target, prog *ebpf.Program, opt *provider.AttachOptions) (io.Closer, error) {
	targets = ofChild(targets, opt.Child)
	if !multi(h, targets[0], &opt.ResolveOptions) {
		return provider.AttachMost(provider.Singles(targets), opt, func(one []*target.Target) (io.Closer, error) {
			return attachOne(h, one[0], prog)
		})
	}
	return provider.AttachMost(byFile(targets), opt, func(group []*target.Target) (io.Closer, error) {
		return attachMulti(group, prog)
	})
}

// ofChild restricts targets that are for no process to the command that the
// session started.
func ofChild(targets []*target.Target, child int) []*target.Target {
	if child == 0 {
		return targets
	}
	out := make([]*target.Target, len(targets))
	for i, t := range targets {
		c := *t
		if c.Pid == 0 {
			c.Pid = child
		}
		out[i] = &c
	}
	return out
}

// byFile groups targets by what one link can hold: one file, one process.
func byFile(targets []*target.Target) [][]*target.Target {
	type key struct {
		path string
		pid  int
	}
	index := map[key]int{}
	var groups [][]*target.Target
	for _, t := range targets {
		k := key{t.Path, t.Pid}
		i, ok := index[k]
		if !ok {
			i = len(groups)
			index[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], t)
	}
	return groups
}

func attachMulti(group []*target.Target, prog *ebpf.Program) (io.Closer, error) {
	file, err := link.OpenExecutable(group[0].Path)
	if err != nil {
		return nil, err
	}
	opts := &link.UprobeMultiOptions{PID: uint32(group[0].Pid)}
	counted := false
	for _, t := range group {
		opts.Addresses = append(opts.Addresses, t.Offset)
		opts.RefCtrOffsets = append(opts.RefCtrOffsets, t.RefCtr)
		counted = counted || t.RefCtr != 0
	}
	if !counted {
		opts.RefCtrOffsets = nil
	}
	if group[0].Provider == target.Uretprobe {
		return file.UretprobeMulti(nil, prog, opts)
	}
	return file.UprobeMulti(nil, prog, opts)
}

// attachOne opens an event of the kernel's uprobe PMU; see perf_event_open(2),
// uprobe_path and probe_offset. The upper half of config holds the offset of the
// reference counter since Linux 4.20.
func attachOne(h *host.Host, t *target.Target, prog *ebpf.Program) (io.Closer, error) {
	kind, err := perf.SourceNumber(h, "uprobe/type", "")
	if err != nil {
		return nil, fmt.Errorf("the kernel has no uprobes: %w", err)
	}
	path, err := unix.BytePtrFromString(t.Path)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", t.Path, err)
	}
	if t.RefCtr>>32 != 0 {
		return nil, fmt.Errorf("semaphore at file offset 0x%x: %w", t.RefCtr, os.ErrInvalid)
	}
	attr := &unix.PerfEventAttr{
		Type:   uint32(kind),
		Bits:   unix.PerfBitDisabled,
		Config: t.RefCtr << 32,
		Ext1:   uint64(uintptr(unsafe.Pointer(path))),
		Ext2:   t.Offset,
	}
	if t.Provider == target.Uretprobe {
		bit, err := perf.SourceNumber(h, "uprobe/format/retprobe", "config:")
		if err != nil {
			return nil, fmt.Errorf("return probes: %w", err)
		}
		if bit > 31 {
			return nil, fmt.Errorf("return probes: bit %d of config is not known", bit)
		}
		attr.Config |= 1 << bit
	}
	at := perf.Place{Pid: -1, CPU: 0}
	if t.Pid != 0 {
		at = perf.Place{Pid: t.Pid, CPU: -1}
		attr.Bits |= unix.PerfBitInherit
	}
	l, err := perf.Open(h, attr, at, prog)
	runtime.KeepAlive(path)
	return l, err
}
