// Package rawtp serves the kernel's tracepoints below the trace events:
// rawtracepoint[:module]:event.
//
// The kernel's types tell which events there are and what their arguments are;
// without them the tracing file system names the events, and arguments are not
// known. Programs are of the type raw tracepoint: the context is an array of
// 64-bit words, one for each argument.
package rawtp

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/ctext"
	"github.com/gotrace/gotrace/probes/provider"
)

// Provider serves rawtracepoint.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider { return []target.Provider{target.RawTracepoint} }

// Resolve implements provider.Provider.
func (Provider) Resolve(h *host.Host, p *provider.Pattern, _ *target.ResolveOptions) ([]*target.Target, error) {
	module, event, ok := p.ModuleAndName()
	if !ok {
		return nil, target.Errorf(target.Syntax, "raw tracepoints have the form rawtracepoint[:MODULE]:EVENT")
	}
	if module == "" {
		module = "*"
	}
	kernel := h.Kernel()
	if module != ktypes.Vmlinux {
		kernel = h.KernelWithModules()
	}
	if err := kernel.Available(); err != nil {
		return nil, target.Errorf(target.Unsupported, "raw tracepoints need the kernel's type information: %v", err)
	}
	if !strings.Contains(event, "*") {
		if f, ok := kernel.RawTracepoint(event); ok && provider.Match(module, f.Module) {
			return []*target.Target{newTarget(f)}, nil
		}
		return nil, missing(kernel, module, event)
	}
	var list []*target.Target
	for name := range events(kernel) {
		if !provider.Match(event, name) {
			continue
		}
		if f, ok := kernel.RawTracepoint(name); ok && provider.Match(module, f.Module) {
			list = append(list, newTarget(f))
		}
	}
	if len(list) == 0 {
		return nil, target.Errorf(target.Missing, "no raw tracepoint matches %s", p.Text)
	}
	return list, nil
}

func missing(kernel *ktypes.Kernel, module, event string) error {
	e := target.Errorf(target.Missing, "raw tracepoint not found: %s", event)
	if f, ok := kernel.RawTracepoint(event); ok {
		return e.Hint("%s is an event of %s, not of %s", event, f.Module, module)
	}
	if near := diag.Nearest(event, slices.Values(slices.Collect(events(kernel)))); near != "" {
		return e.Hint("did you mean rawtracepoint:%s?", near)
	}
	return e
}

// traceiter begins the name of the function that runs a tracepoint's programs;
// the kernel has one for each tracepoint since 5.10.
const traceiter = "__traceiter_"

// events goes over the names of all events, in order and without repetition.
func events(kernel *ktypes.Kernel) iter.Seq[string] {
	return func(yield func(string) bool) {
		var names []string
		for _, fn := range kernel.FuncNames() {
			if event, ok := strings.CutPrefix(fn, traceiter); ok {
				names = append(names, event)
			}
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			if !yield(name) {
				return
			}
		}
	}
}

func newTarget(f *ktypes.Func) *target.Target {
	t := &target.Target{
		Provider: target.RawTracepoint,
		Name:     fmt.Sprintf("rawtracepoint:%s:%s", f.Module, f.Name),
		Program:  target.ProgRaw,
		Space:    types.Kernel,
		Event:    f.Name,
		Module:   f.Module,
	}
	for i, p := range f.Params {
		loc := target.Loc{Kind: target.LocCtx, Off: 8 * i, Size: min(8, max(1, p.Type.Size()))}
		if n, ok := p.Type.(types.Int); ok {
			loc.Signed = n.Signed
		}
		arg := target.Arg{Name: p.Name, Type: p.Type, Loc: loc}
		t.Args = append(t.Args, arg)
		arg.Loc.Size, arg.Loc.Signed = 8, false
		arg.Type = types.Int{Bits: 64}
		t.Positional = append(t.Positional, arg)
	}
	return t
}

// List implements provider.Provider.
func (Provider) List(h *host.Host, p *provider.Pattern, _ *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	return func(yield func(provider.Entry, error) bool) {
		kernel := h.KernelWithModules()
		if err := kernel.Available(); err != nil {
			yield(provider.Entry{}, err)
			return
		}
		for name := range events(kernel) {
			if len(p.Parts) > 0 && !provider.Match(p.Parts[len(p.Parts)-1].Text, name) {
				continue
			}
			f, ok := kernel.RawTracepoint(name)
			if !ok || !provider.MatchFunc(p, f.Module, name) {
				continue
			}
			entry := provider.Entry{
				Name:   fmt.Sprintf("rawtracepoint:%s:%s", f.Module, name),
				Fields: func() ([]provider.FieldText, error) { return fieldTexts(kernel, f) },
			}
			if !yield(entry, nil) {
				return
			}
		}
	}
}

// Declared implements provider.Declarer.
func (Provider) Declared(h *host.Host, t *target.Target, _ *target.ResolveOptions) ([]provider.FieldText, error) {
	f, ok := h.Kernel().RawTracepoint(t.Event)
	if !ok {
		return nil, fmt.Errorf("%s has no type information", t.Name)
	}
	return fieldTexts(h.Kernel(), f)
}

// fieldTexts is the arguments of an event as the kernel declares them.
func fieldTexts(kernel *ktypes.Kernel, f *ktypes.Func) ([]provider.FieldText, error) {
	spec, err := kernel.Spec()
	if err != nil {
		return nil, err
	}
	var def *btf.Typedef
	if err := spec.TypeByName("btf_trace_"+f.Name, &def); err != nil {
		return nil, err
	}
	if ptr, ok := def.Type.(*btf.Pointer); ok {
		if proto, ok := ptr.Target.(*btf.FuncProto); ok {
			return ctext.Params(proto, 1, func(i int) string { return f.Params[i].Name }), nil
		}
	}
	return nil, fmt.Errorf("%s is %v, no pointer to a function", def.Name, def.Type)
}

// Spec implements provider.Provider.
func (Provider) Spec(*host.Host, *target.Target, *target.ResolveOptions) provider.LoadSpec {
	return provider.LoadSpec{Type: ebpf.RawTracepoint}
}

// Attach implements provider.Provider.
func (Provider) Attach(_ *host.Host, targets []*target.Target, prog *ebpf.Program, _ *provider.AttachOptions) (io.Closer, error) {
	return provider.AttachEach(targets, func(t *target.Target) (io.Closer, error) {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: t.Event, Program: prog})
		if err != nil {
			return nil, fmt.Errorf("attach to %s: %w", t.Name, err)
		}
		return l, nil
	})
}
