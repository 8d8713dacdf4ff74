// Package kprobe serves kprobe and kretprobe: kernel functions by the name of
// their symbol.
//
// Input is the list of functions that may be traced, output targets whose
// arguments are the registers of the calling convention. Programs get struct
// pt_regs. Functions are attached to through one link for all of them where the
// kernel has kprobe_multi, else by an event each.
package kprobe

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/ksyms"
	"github.com/gotrace/gotrace/probes/internal/ptregs"
	"github.com/gotrace/gotrace/probes/provider"
)

// Provider serves kprobe and kretprobe.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider { return []target.Provider{target.Kprobe, target.Kretprobe} }

// place is what the parts of an attach point say. An empty module means any,
// and that names are shown without one.
type place struct {
	module, symbol string
	offset         uint64
	address        uint64
}

// Resolve implements provider.Provider.
func (Provider) Resolve(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) ([]*target.Target, error) {
	at, err := parse(p)
	if err != nil {
		return nil, err
	}
	regs, ok := ptregs.For(h.Arch())
	if !ok {
		return nil, target.Errorf(target.Unsupported, "%s: the registers of %s are not known", p.Kind, h.Arch())
	}
	if at.address != 0 {
		if !opt.Unsafe {
			return nil, target.Errorf(target.NotAllowed, "probing an absolute address needs the option --unsafe")
		}
		return []*target.Target{newTarget(h, regs, p.Kind, at)}, nil
	}
	if strings.Contains(at.module+at.symbol, "*") {
		return wildcard(h, regs, p, at, opt)
	}
	if err := exists(h, p, at, opt); err != nil {
		return nil, err
	}
	return []*target.Target{newTarget(h, regs, p.Kind, at)}, nil
}

func parse(p *provider.Pattern) (at place, err error) {
	var ok bool
	if at.module, at.symbol, ok = p.ModuleAndName(); !ok {
		return at, target.Errorf(target.Syntax, "%s probes have the form %s[:MODULE]:FUNCTION", p.Kind, p.Kind)
	}
	if len(p.Parts) == 1 && at.symbol[0] >= '0' && at.symbol[0] <= '9' {
		if p.Kind != target.Kprobe {
			return at, target.Errorf(target.Syntax, "%s can not be attached to an address", p.Kind)
		}
		if at.address, err = provider.Number(at.symbol); err != nil || at.address == 0 {
			return at, target.Errorf(target.Syntax, "invalid address %q", at.symbol)
		}
		return at, nil
	}
	symbol, offset, ok := strings.Cut(at.symbol, "+")
	if !ok {
		return at, nil
	}
	at.symbol = symbol
	switch {
	case p.Kind != target.Kprobe:
		return at, target.Errorf(target.Syntax, "offsets are not allowed with %s", p.Kind)
	case strings.Contains(offset, "+"):
		return at, target.Errorf(target.Syntax, "more than one offset: %q", offset)
	case strings.Contains(symbol, "*") || symbol == "":
		return at, target.Errorf(target.Syntax, "an offset needs the name of one function")
	}
	if at.offset, err = provider.Number(offset); err != nil {
		return at, target.Errorf(target.Syntax, "invalid offset: %v", err)
	}
	return at, nil
}

// exists reports as an error why a function can not be traced. Where the list
// of traceable functions can not be read, any function of the kernel will do.
func exists(h *host.Host, p *provider.Pattern, at place, opt *target.ResolveOptions) error {
	var near []string
	for f, err := range ksyms.Traceable(h, opt) {
		if err != nil && opt.Traceable != "" {
			return target.Errorf(target.Unsupported, "can not read the list of traceable functions: %v", err)
		}
		if err != nil {
			return inKernel(h, p, at)
		}
		if f.Name == at.symbol && (at.module == "" || at.module == f.Module) {
			return nil
		}
		near = append(near, f.Name)
	}
	e := target.Errorf(target.Missing, "kernel function %s can not be traced or does not exist", at.symbol)
	if hint := diag.Nearest(at.symbol, slices.Values(near)); hint != "" {
		e.Hint("did you mean %s:%s?", p.Kind, hint)
	}
	return e
}

func inKernel(h *host.Host, p *provider.Pattern, at place) error {
	for f, err := range ksyms.Symbols(h) {
		if err != nil {
			return target.Errorf(target.Unsupported, "can not read the kernel's symbols: %v", err)
		}
		if f.Name == at.symbol && (at.module == "" || at.module == f.Module) {
			return nil
		}
	}
	return target.Errorf(target.Missing, "%s: there is no kernel function %s", p.Text, at.symbol)
}

func wildcard(h *host.Host, regs *ptregs.Layout, p *provider.Pattern, at place, opt *target.ResolveOptions) ([]*target.Target, error) {
	var list []*target.Target
	for f, err := range matching(h, at.module, at.symbol, opt) {
		if err != nil {
			return nil, target.Errorf(target.Unsupported, "wildcards need the list of traceable functions: %v", err)
		}
		found := place{symbol: f.Name}
		if at.module != "" {
			found.module = f.Module
		}
		t := newTarget(h, regs, p.Kind, found)
		t.Wildcard, t.Joint = true, multi(h, t, opt)
		list = append(list, t)
	}
	if len(list) == 0 {
		return nil, target.Errorf(target.Missing, "no traceable kernel function matches %s", p.Text)
	}
	slices.SortFunc(list, func(a, b *target.Target) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b *target.Target) bool { return a.Name == b.Name }), nil
}

// matching goes over the traceable functions that a pattern means.
func matching(h *host.Host, module, symbol string, opt *target.ResolveOptions) iter.Seq2[ksyms.Func, error] {
	if module == "" {
		module = "*"
	}
	return func(yield func(ksyms.Func, error) bool) {
		for f, err := range ksyms.Traceable(h, opt) {
			if err == nil && (!provider.Match(symbol, f.Name) || !provider.Match(module, f.Module)) {
				continue
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

func newTarget(h *host.Host, regs *ptregs.Layout, kind target.Provider, at place) *target.Target {
	t := &target.Target{
		Provider: kind,
		Name:     string(kind) + ":" + at.symbol,
		Program:  target.ProgKprobe,
		Space:    types.Kernel,
		Module:   at.module,
		Symbol:   at.symbol,
		Offset:   at.offset,
		Address:  at.address,
	}
	if at.module != "" {
		t.Name = fmt.Sprintf("%s:%s:%s", kind, at.module, at.symbol)
	}
	if at.offset != 0 {
		t.Name += fmt.Sprintf("+%d", at.offset)
	}
	if at.address != 0 {
		t.Symbol = ""
	}
	if kind == target.Kretprobe {
		t.Ret = &target.Arg{Name: "retval", Type: types.Int{Bits: 64}, Loc: register(regs.Ret)}
	} else {
		for i, off := range regs.Args {
			t.Positional = append(t.Positional, target.Arg{
				Name: fmt.Sprintf("arg%d", i), Type: types.Int{Bits: 64}, Loc: register(off),
			})
		}
	}
	t.Func = funcAddress(h, regs, t)
	return t
}

// funcAddress is where the address of the function lies: the kernel's helper
// knows it at the entry and the return, the instruction pointer elsewhere.
func funcAddress(h *host.Host, regs *ptregs.Layout, t *target.Target) *target.Arg {
	arg := &target.Arg{Name: "func", Type: types.Opaque{Kind: types.KSym}, Loc: register(regs.IP)}
	entry := t.Offset == 0 && t.Address == 0
	if entry && h.Features().Helper(asm.FnGetFuncIp) {
		arg.Loc = target.Loc{Kind: target.LocIP, Size: 8}
		return arg
	}
	if t.Provider == target.Kretprobe {
		return nil
	}
	return arg
}

func register(off int) target.Loc {
	return target.Loc{Kind: target.LocCtx, Off: off, Size: ptregs.Word}
}

// List implements provider.Provider.
func (Provider) List(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	module, symbol := "", "*"
	switch len(p.Parts) {
	case 1:
		symbol = p.Parts[0].Text
	case 2:
		module, symbol = p.Parts[0].Text, p.Parts[1].Text
	}
	return func(yield func(provider.Entry, error) bool) {
		for f, err := range matching(h, module, symbol, opt) {
			if err != nil {
				yield(provider.Entry{}, provider.Unreadable("the list of functions that can be traced", err))
				return
			}
			name := f.Name
			if module != "" || f.Module != ktypes.Vmlinux {
				name = f.Module + ":" + f.Name
			}
			if !yield(provider.Entry{Name: string(p.Kind) + ":" + name}, nil) {
				return
			}
		}
	}
}
