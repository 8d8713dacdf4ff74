// Package uprobe serves uprobe and uretprobe: functions, addresses and source
// lines of programs and libraries.
//
// Input are ELF files and their debug information, output targets with the file
// offset to attach to, the registers as numbered arguments and, where debug
// information describes them, arguments by name. Programs get struct pt_regs.
// Many places in one file are attached to through one link where the kernel has
// uprobe_multi, else by an event each.
package uprobe

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/elfsym"
	"github.com/gotrace/gotrace/probes/internal/ptregs"
	"github.com/gotrace/gotrace/probes/provider"
)

// Provider serves uprobe and uretprobe.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider { return []target.Provider{target.Uprobe, target.Uretprobe} }

// Resolve implements provider.Provider.
func (Provider) Resolve(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) ([]*target.Target, error) {
	at, err := parse(p, opt)
	if err != nil {
		return nil, err
	}
	regs, ok := ptregs.For(h.Arch())
	if !ok {
		return nil, target.Errorf(target.Unsupported, "%s: the registers of %s are not known", p.Kind, h.Arch())
	}
	return InBinaries(h, at.binary, opt, func(path string) ([]*target.Target, error) {
		return inFile(h, regs, p.Kind, path, at, opt)
	})
}

// InBinaries looks for targets in all files that the binary part of a user
// probe means. Files without any do not matter where others have some; what
// else is wrong with those is told as a problem then.
func InBinaries(h *host.Host, binary string, opt *target.ResolveOptions, find func(path string) ([]*target.Target, error)) ([]*target.Target, error) {
	paths, err := binaries(h, binary, opt)
	if err != nil {
		return nil, err
	}
	var list []*target.Target
	var failed []error
	for _, path := range paths {
		found, err := find(path)
		if err != nil {
			failed = append(failed, err)
		}
		list = append(list, found...)
	}
	if len(list) == 0 {
		return nil, foundNowhere(failed)
	}
	for _, err := range failed {
		if !nothing(err) {
			opt.Problem(err)
		}
	}
	for _, t := range list {
		t.Wildcard = t.Wildcard || len(paths) > 1
	}
	return list, nil
}

// foundNowhere joins the errors of files into that of a pattern that none of
// them has: what keeps one from being looked at counts more than that another
// has nothing.
func foundNowhere(failed []error) error {
	for _, err := range failed {
		if !nothing(err) {
			return err
		}
	}
	var why *target.Error
	if len(failed) == 1 || !errors.As(failed[0], &why) {
		return failed[0]
	}
	e := target.Errorf(target.Missing, "%s, nor in %d more", why.Msg, len(failed)-1)
	e.Hints = why.Hints
	return e
}

// file is an open binary with the facts that targets of it share.
type file struct {
	*elfsym.File
	host    *host.Host
	regs    *ptregs.Layout
	kind    target.Provider
	path    string
	archive bool
	opt     *target.ResolveOptions
	debug   *elfsym.File // separate debug file, or nil
}

// inFile resolves a place in one binary.
func inFile(h *host.Host, regs *ptregs.Layout, kind target.Provider, path string, at place, opt *target.ResolveOptions) ([]*target.Target, error) {
	f := &file{host: h, regs: regs, kind: kind, path: path, opt: opt}
	var err error
	if archive, member, ok := elfsym.IsArchive(path); ok {
		f.archive = true
		f.File, err = elfsym.OpenMember(h, archive, member)
	} else {
		f.File, err = elfsym.Open(h, path)
	}
	if err != nil && opt.Unsafe && at.addressed {
		t := f.target(strconv.FormatUint(at.address, 10), at.address)
		t.Offset = at.address
		return []*target.Target{t}, nil
	}
	if err != nil {
		return nil, CanNotOpen(path, err)
	}
	defer f.Close()
	f.debug = elfsym.OpenDebug(h, f.File, path, opt.DebugDirs)
	if f.debug != nil {
		defer f.debug.Close()
	}
	switch {
	case at.file != "":
		return f.atPosition(at)
	case at.addressed:
		return f.atAddress(at.address)
	case at.cpp:
		return f.demangled(at.symbol)
	case strings.Contains(at.symbol, "*"):
		return f.wildcard(at.symbol)
	}
	return f.function(at.symbol, at.offset)
}

// functions collects the functions that ok accepts, each name once: the first
// definition counts.
func (f *file) functions(ok func(name string) bool) []elfsym.Symbol {
	return f.functionsIn(ok, f.File, f.debug)
}

func (f *file) functionsIn(ok func(name string) bool, files ...*elfsym.File) []elfsym.Symbol {
	var list []elfsym.Symbol
	seen := map[string]bool{}
	for _, from := range files {
		if from == nil {
			continue
		}
		for s := range from.Functions() {
			if seen[s.Name] || !ok(s.Name) {
				continue
			}
			if _, mapped := f.Offset(s.Addr, true); mapped {
				seen[s.Name] = true
				list = append(list, s)
			}
		}
	}
	slices.SortFunc(list, func(a, b elfsym.Symbol) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (f *file) function(symbol string, offset uint64) ([]*target.Target, error) {
	same := func(name string) bool { return name == symbol }
	list := f.functionsIn(same, f.File)
	if len(list) == 0 {
		list = f.functionsIn(same, f.debug)
	}
	if len(list) == 0 {
		e := target.Errorf(target.Missing, "no function %s in %s", symbol, f.path)
		near := diag.Nearest(symbol, func(yield func(string) bool) {
			for s := range f.Functions() {
				if !yield(s.Name) {
					return
				}
			}
		})
		if near != "" {
			e.Hint("did you mean %s?", near)
		}
		return nil, e
	}
	s := list[0]
	name := symbol
	if err := f.checkOffset(s, offset); err != nil {
		return nil, err
	}
	if offset != 0 {
		name += fmt.Sprintf("+%d", offset)
	}
	t, err := f.at(name, s.Addr+offset)
	if err != nil {
		return nil, err
	}
	if why := f.unfit(s.Addr + offset); why != "" {
		return nil, errUnfit(name, why)
	}
	t.Symbol = symbol
	if offset == 0 {
		f.describe(map[uint64][]*target.Target{s.Addr: {t}})
	}
	return []*target.Target{t}, nil
}

func (f *file) wildcard(pattern string) ([]*target.Target, error) {
	return f.all(f.functions(func(name string) bool { return provider.Match(pattern, name) }), pattern)
}

func (f *file) demangled(pattern string) ([]*target.Target, error) {
	return f.all(f.functions(func(name string) bool { return matchCPP(pattern, name) }), pattern)
}

// all makes a target of each function.
func (f *file) all(list []elfsym.Symbol, pattern string) ([]*target.Target, error) {
	var targets []*target.Target
	entries := map[uint64][]*target.Target{}
	list, err := f.fit(list)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		t, err := f.at(s.Name, s.Addr)
		if err != nil {
			return nil, err
		}
		t.Symbol = s.Name
		t.Wildcard, t.Joint = true, multi(f.host, t, f.opt)
		targets = append(targets, t)
		entries[s.Addr] = append(entries[s.Addr], t)
	}
	if len(targets) == 0 {
		return nil, target.Errorf(target.Missing, "no function in %s matches %s", f.path, pattern)
	}
	f.describe(entries)
	return targets, nil
}

// atAddress resolves a virtual address; like the reference it shows the address
// in decimal.
func (f *file) atAddress(address uint64) ([]*target.Target, error) {
	t, err := f.at(strconv.FormatUint(address, 10), address)
	if err != nil {
		return nil, err
	}
	if err := f.checkAddress(address); err != nil {
		return nil, err
	}
	if why := f.unfit(address); why != "" {
		return nil, errUnfit(fmt.Sprintf("address 0x%x", address), why)
	}
	return []*target.Target{t}, nil
}

// at is the target for a virtual address.
func (f *file) at(name string, address uint64) (*target.Target, error) {
	offset, ok := f.Offset(address, true)
	if !ok {
		return nil, target.Errorf(target.Missing, "address 0x%x is not in the code of %s", address, f.path)
	}
	t := f.target(name, address)
	t.Offset = offset
	return t, nil
}

func (f *file) target(name string, address uint64) *target.Target {
	t := &target.Target{
		Provider: f.kind,
		Name:     fmt.Sprintf("%s:%s:%s", f.kind, f.path, name),
		Program:  target.ProgKprobe,
		Space:    types.User,
		Path:     KernelPath(f.host, f.path, f.opt.Pid),
		Address:  address,
		Pid:      f.opt.Pid,
	}
	if f.archive {
		t.Path, _, _ = elfsym.IsArchive(f.path)
		t.Category = inArchive
	}
	t.Func = &target.Arg{Name: "func", Type: types.Opaque{Kind: types.USym}, Loc: register(f.regs.IP)}
	if f.kind == target.Uprobe {
		t.Positional = registerArgs(f.regs)
		return t
	}
	t.Ret = &target.Arg{Name: "retval", Type: types.Int{Bits: 64}, Loc: register(f.regs.Ret)}
	t.Func.Loc = target.Loc{Kind: target.LocIP, Size: 8}
	if !f.host.Features().Helper(asm.FnGetFuncIp) || !f.host.Features().UprobeMulti() {
		t.Func = nil // the helper knows user functions since Linux 6.6
	}
	return t
}

// inArchive marks targets whose Path is an archive.
const inArchive = "archive"

// registerArgs lists the register arguments of a call.
func registerArgs(regs *ptregs.Layout) []target.Arg {
	var list []target.Arg
	for i, off := range regs.Args {
		list = append(list, target.Arg{Name: fmt.Sprintf("arg%d", i), Type: types.Int{Bits: 64}, Loc: register(off)})
	}
	return list
}

func register(off int) target.Loc {
	return target.Loc{Kind: target.LocCtx, Off: off, Size: ptregs.Word}
}
