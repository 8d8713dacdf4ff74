// Package fentry serves fentry and fexit: kernel functions, and loaded BPF
// programs, by their type information.
//
// Input are the kernel's BTF functions, output targets whose arguments have
// names and kernel types. Programs get an array of 64-bit words, one for each
// eight bytes of an argument, in fexit followed by the result.
package fentry

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/ctext"
	"github.com/gotrace/gotrace/probes/internal/ksyms"
	"github.com/gotrace/gotrace/probes/provider"
)

// Provider serves fentry and fexit.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider { return []target.Provider{target.Fentry, target.Fexit} }

// bpfModule is the word in place of a module that means loaded BPF programs.
const bpfModule = "bpf"

// Resolve implements provider.Provider.
func (Provider) Resolve(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) ([]*target.Target, error) {
	if len(p.Parts) > 0 && p.Parts[0].Text == bpfModule {
		return resolveProgram(h, p)
	}
	module, symbol, ok := p.ModuleAndName()
	if !ok {
		return nil, target.Errorf(target.Syntax, "%s probes have the form %s[:MODULE]:FUNCTION or %s:bpf[:ID]:PROGRAM", p.Kind, p.Kind, p.Kind)
	}
	if strings.Contains(symbol, "+") {
		return nil, target.Errorf(target.Syntax, "offsets are not allowed with %s", p.Kind)
	}
	if err := h.Kernel().Available(); err != nil {
		return nil, target.Errorf(target.Unsupported, "%s needs the kernel's type information: %v", p.Kind, err)
	}
	if strings.Contains(module+symbol, "*") {
		return wildcard(h, p, module, symbol, opt)
	}
	f, err := find(h, p, module, symbol)
	if err != nil {
		return nil, err
	}
	if !traceable(h, f, opt) {
		return nil, target.Errorf(target.Missing, "kernel function %s can not be traced", symbol)
	}
	return []*target.Target{newTarget(h, p.Kind, f)}, nil
}

// find looks up one function; modules are searched when the kernel proper does
// not have it.
func find(h *host.Host, p *provider.Pattern, module, symbol string) (*ktypes.Func, error) {
	if module == "" || module == ktypes.Vmlinux {
		if f, ok := h.Kernel().Func(symbol); ok && f.Module == ktypes.Vmlinux {
			return f, nil
		}
	}
	kernel := h.Kernel()
	if module != ktypes.Vmlinux {
		kernel = h.KernelWithModules()
	}
	var owners, names []string
	for mod, name := range kernel.FuncNames() {
		if name == symbol && !slices.Contains(owners, mod) {
			owners = append(owners, mod)
		}
		names = append(names, name)
	}
	switch {
	case len(owners) == 0 || module != "" && !slices.Contains(owners, module):
		e := target.Errorf(target.Missing, "no kernel function %s with type information", symbol)
		if len(owners) > 0 {
			e.Hint("it is a function of %s", strings.Join(owners, ", "))
		} else if near := diag.Nearest(symbol, slices.Values(names)); near != "" {
			e.Hint("did you mean %s:%s?", p.Kind, near)
		}
		return nil, e
	case module == "" && len(owners) > 1:
		return nil, target.Errorf(target.Syntax, "several modules have a function %s: %s", symbol, strings.Join(owners, ", ")).
			Hint("name the module: %s:%s:%s", p.Kind, owners[0], symbol)
	}
	f, ok := kernel.Func(symbol)
	if !ok || module != "" && f.Module != module {
		return nil, target.Errorf(target.Unsupported, "the types of %s in %s are hidden by a function of the same name", symbol, module)
	}
	return f, nil
}

// traceable asks the list of traceable functions; without a list every function
// passes, and the kernel refuses at the end what it must.
func traceable(h *host.Host, f *ktypes.Func, opt *target.ResolveOptions) bool {
	for t, err := range ksyms.Traceable(h, opt) {
		if err != nil || t.Name == f.Name && t.Module == f.Module {
			return true
		}
	}
	return false
}

func wildcard(h *host.Host, p *provider.Pattern, module, symbol string, opt *target.ResolveOptions) ([]*target.Target, error) {
	kernel := h.Kernel()
	if module != ktypes.Vmlinux {
		kernel = h.KernelWithModules()
	}
	allowed := map[ksyms.Func]bool{}
	for f, err := range ksyms.Traceable(h, opt) {
		if err != nil {
			return nil, target.Errorf(target.Unsupported, "wildcards need the list of traceable functions: %v", err)
		}
		if provider.Match(symbol, f.Name) {
			allowed[f] = true
		}
	}
	var list []*target.Target
	for mod, name := range kernel.FuncNames() {
		if !allowed[ksyms.Func{Module: mod, Name: name}] || module != "" && !provider.Match(module, mod) {
			continue
		}
		if f, ok := kernel.Func(name); ok && f.Module == mod {
			list = append(list, newTarget(h, p.Kind, f))
		}
	}
	if len(list) == 0 {
		return nil, target.Errorf(target.Missing, "no traceable kernel function matches %s", p.Text)
	}
	slices.SortFunc(list, func(a, b *target.Target) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b *target.Target) bool { return a.Name == b.Name }), nil
}

func newTarget(h *host.Host, kind target.Provider, f *ktypes.Func) *target.Target {
	t := &target.Target{
		Provider: kind,
		Name:     fmt.Sprintf("%s:%s:%s", kind, f.Module, f.Name),
		Program:  target.ProgTracing,
		Space:    types.Kernel,
		Module:   f.Module,
		Symbol:   f.Name,
		Func:     funcAddress(h),
	}
	words := 0
	for _, p := range f.Trusted().Params {
		t.Args = append(t.Args, target.Arg{Name: p.Name, Type: p.Type, Loc: slot(words, p.Type)})
		words += (max(1, p.Type.Size()) + 7) / 8
	}
	if _, void := f.Ret.(types.Void); kind == target.Fexit && !void {
		t.Ret = &target.Arg{Name: "retval", Type: f.Ret, Loc: slot(words, f.Ret)}
	}
	return t
}

// slot is the place of an argument in the context.
func slot(word int, t types.Type) target.Loc {
	loc := target.Loc{Kind: target.LocCtx, Off: 8 * word, Size: min(8, max(1, t.Size()))}
	switch t := t.(type) {
	case types.Int:
		loc.Signed = t.Signed
	case *types.Enum:
		loc.Signed = t.Signed
	case types.Pointer:
		loc.Trusted = t.BTF
	case *types.Struct, types.Array, types.String:
		loc.Kind, loc.Size = target.LocCtxAddr, t.Size()
	}
	return loc
}

// funcAddress is where the address of the traced function lies, nil before
// Linux 5.15.
func funcAddress(h *host.Host) *target.Arg {
	if !h.Features().Helper(asm.FnGetFuncIp) {
		return nil
	}
	return &target.Arg{Name: "func", Type: types.Opaque{Kind: types.KSym}, Loc: target.Loc{Kind: target.LocIP, Size: 8}}
}

// resolveProgram resolves fentry:bpf[:ID]:PROGRAM.
func resolveProgram(h *host.Host, p *provider.Pattern) ([]*target.Target, error) {
	id, name := "*", ""
	switch len(p.Parts) {
	case 2:
		name = p.Parts[1].Text
	case 3:
		id, name = p.Parts[1].Text, p.Parts[2].Text
	}
	if id == "" || name == "" {
		return nil, target.Errorf(target.Syntax, "%s:bpf needs the name of a program: %s:bpf[:ID]:PROGRAM", p.Kind, p.Kind)
	}
	programs, err := h.Programs()
	if err != nil {
		return nil, target.Errorf(target.Unsupported, "%s: %v", p.Text, err)
	}
	var list []*target.Target
	for _, prog := range programs {
		number := strconv.FormatUint(uint64(prog.ID), 10)
		if !provider.Match(id, number) || !provider.Match(name, prog.Func) {
			continue
		}
		list = append(list, &target.Target{
			Provider: p.Kind,
			Name:     fmt.Sprintf("%s:bpf:%s:%s", p.Kind, number, prog.Func),
			Program:  target.ProgTracing,
			Space:    types.Kernel,
			Module:   bpfModule,
			Symbol:   prog.Func,
			Address:  uint64(prog.ID),
			Func:     funcAddress(h),
		})
	}
	if len(list) == 0 {
		return nil, target.Errorf(target.Missing, "no loaded BPF program matches %s", p.Text)
	}
	return list, nil
}

// Lacks implements provider.Requirer: the kernel must have types, and let its
// functions be traced. That their list is for root only says nothing of it.
func (Provider) Lacks(h *host.Host, t *target.Target) error {
	if t.Module == bpfModule {
		return nil
	}
	if err := h.Kernel().Available(); err != nil {
		return fmt.Errorf("this kernel has no fentry probes: %w", err)
	}
	files, err := h.Tracefs()
	if err != nil {
		return nil
	}
	f, err := files.Open("available_filter_functions")
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, unix.EACCES):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("this kernel has no fentry probes (CONFIG_FUNCTION_TRACER, CONFIG_DYNAMIC_FTRACE)")
	}
	return fmt.Errorf("this kernel offers no fentry probes: it withholds its functions: %w", err)
}

// List implements provider.Provider.
func (Provider) List(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	return func(yield func(provider.Entry, error) bool) {
		kernel := h.KernelWithModules()
		if err := kernel.Available(); err != nil {
			yield(provider.Entry{}, err)
			return
		}
		allowed := map[ksyms.Func]bool{}
		for f, err := range ksyms.Traceable(h, opt) {
			if err != nil {
				yield(provider.Entry{}, provider.Unreadable("the list of functions that can be traced", err))
				return
			}
			if provider.MatchFunc(p, f.Module, f.Name) {
				allowed[f] = true
			}
		}
		for module, name := range kernel.FuncNames() {
			f := ksyms.Func{Module: module, Name: name}
			if !allowed[f] {
				continue
			}
			entry := provider.Entry{
				Name:   fmt.Sprintf("%s:%s:%s", p.Kind, module, name),
				Fields: func() ([]provider.FieldText, error) { return fieldTexts(kernel, p.Kind, name) },
			}
			if !yield(entry, nil) {
				return
			}
		}
	}
}

// Declared implements provider.Declarer.
func (Provider) Declared(h *host.Host, t *target.Target, _ *target.ResolveOptions) ([]provider.FieldText, error) {
	if t.Module == bpfModule {
		return nil, nil
	}
	return fieldTexts(h.Kernel(), t.Provider, t.Symbol)
}

// fieldTexts is the arguments of a function as the kernel declares them, with
// the result at the end for fexit.
func fieldTexts(kernel *ktypes.Kernel, kind target.Provider, name string) ([]provider.FieldText, error) {
	spec, err := kernel.Spec()
	if err != nil {
		return nil, err
	}
	var fn *btf.Func
	if err := spec.TypeByName(name, &fn); err != nil {
		return nil, err
	}
	proto, ok := fn.Type.(*btf.FuncProto)
	if !ok {
		return nil, fmt.Errorf("the type of %s is %v, no function", name, fn.Type)
	}
	list := ctext.Params(proto, 0, func(i int) string { return fmt.Sprintf("arg%d", i) })
	if text := ctext.Type(proto.Return); kind == target.Fexit && text != "void" {
		list = append(list, provider.FieldText{Type: text, Name: "retval"})
	}
	return list, nil
}
