// Package usdt serves static tracepoints of programs: usdt:binary:namespace:name.
//
// Input are the notes of ELF files, output targets with the file offset of each
// marker, the file offset of its semaphore, and arguments as the notes declare
// them. A marker at several addresses gives a target each, of the same name.
// Programs are attached as those of uprobes are.
package usdt

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/elfsym"
	"github.com/gotrace/gotrace/probes/internal/ptregs"
	"github.com/gotrace/gotrace/probes/provider"
	"github.com/gotrace/gotrace/probes/uprobe"
)

// Provider serves usdt.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider { return []target.Provider{target.USDT} }

// place is what the parts of an attach point say.
type place struct{ binary, namespace, name string }

func parse(p *provider.Pattern, opt *target.ResolveOptions) (at place, err error) {
	at.namespace = "*"
	switch len(p.Parts) {
	case 1:
		at.name = p.Parts[0].Text
		if opt.Pid == 0 {
			at.name = ""
		}
	case 2:
		at.binary, at.name = p.Parts[0].Text, p.Parts[1].Text
	case 3:
		at.binary, at.namespace, at.name = p.Parts[0].Text, p.Parts[1].Text, p.Parts[2].Text
	}
	if at.name == "" || at.namespace == "" || at.binary == "" && opt.Pid == 0 {
		return at, target.Errorf(target.Syntax, "usdt probes have the form usdt:BINARY[:NAMESPACE]:NAME")
	}
	if at.binary == "" {
		at.binary = "*" // markers may be those of any library of the process
	}
	return at, nil
}

// Resolve implements provider.Provider.
func (Provider) Resolve(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) ([]*target.Target, error) {
	at, err := parse(p, opt)
	if err != nil {
		return nil, err
	}
	regs, ok := ptregs.For(h.Arch())
	if !ok {
		return nil, target.Errorf(target.Unsupported, "usdt: the registers of %s are not known", h.Arch())
	}
	return uprobe.InBinaries(h, at.binary, opt, func(path string) ([]*target.Target, error) {
		return inFile(h, machine{arch: h.Arch(), regs: regs}, path, at, opt)
	})
}

func inFile(h *host.Host, m machine, path string, at place, opt *target.ResolveOptions) ([]*target.Target, error) {
	f, err := elfsym.Open(h, path)
	if err != nil {
		return nil, uprobe.CanNotOpen(path, err)
	}
	defer f.Close()
	var list []*target.Target
	var names []string
	for marker := range f.Markers() {
		if !provider.Match(at.namespace, marker.Provider) || !provider.Match(at.name, marker.Name) {
			names = append(names, marker.Name)
			continue
		}
		t, err := newTarget(h, f, m, path, marker, opt)
		if err != nil {
			return nil, target.Errorf(target.Unsupported, "usdt marker %s:%s in %s: %v", marker.Provider, marker.Name, path, err)
		}
		t.Wildcard = strings.Contains(at.namespace+at.name, "*")
		list = append(list, t)
	}
	if len(list) == 0 {
		e := target.Errorf(target.Missing, "no usdt marker %s:%s in %s", at.namespace, at.name, path)
		if near := diag.Nearest(at.name, slices.Values(names)); near != "" {
			e.Hint("did you mean %s?", near)
		}
		return nil, e
	}
	slices.SortStableFunc(list, func(a, b *target.Target) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func newTarget(h *host.Host, f *elfsym.File, m machine, path string, marker elfsym.Marker, opt *target.ResolveOptions) (*target.Target, error) {
	offset, ok := f.Offset(marker.Addr, true)
	if !ok {
		return nil, fmt.Errorf("address 0x%x is not in the code", marker.Addr)
	}
	t := &target.Target{
		Provider: target.USDT,
		Name:     fmt.Sprintf("usdt:%s:%s:%s", path, marker.Provider, marker.Name),
		Program:  target.ProgKprobe,
		Space:    types.User,
		Category: marker.Provider,
		Event:    marker.Name,
		Path:     uprobe.KernelPath(h, path, opt.Pid),
		Offset:   offset,
		Address:  marker.Addr,
		Pid:      opt.Pid,
	}
	if marker.Semaphore != 0 {
		if t.RefCtr, ok = f.Offset(marker.Semaphore, false); !ok {
			return nil, fmt.Errorf("semaphore at address 0x%x is not in the file", marker.Semaphore)
		}
	}
	m.marker = marker.Addr
	m.object = func(name string) (uint64, bool) {
		s, ok := f.Object(name)
		return s.Addr, ok
	}
	t.Positional = m.arguments(marker.Args)
	return t, nil
}

// List implements provider.Provider: each name once. A pattern without a file
// lists nothing.
func (u Provider) List(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	return uprobe.ListTargets(u.Resolve, h, p, opt, func(t *target.Target) provider.Entry { return provider.Entry{Name: t.Name} })
}

// Spec implements provider.Provider.
func (Provider) Spec(h *host.Host, t *target.Target, opt *target.ResolveOptions) provider.LoadSpec {
	return uprobe.Spec(h, t, opt)
}

// Attach implements provider.Provider. The kernel raises the semaphores, in all
// processes of the file, through the file offsets that it is given.
func (Provider) Attach(h *host.Host, targets []*target.Target, prog *ebpf.Program, opt *provider.AttachOptions) (io.Closer, error) {
	return uprobe.Attach(h, targets, prog, opt)
}
