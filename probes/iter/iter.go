// Package iter serves the kernel's iterators: iter:kind[:pin].
//
// The kernel declares an iterator by a function bpf_iter_<kind> whose
// parameters are the members of the record struct bpf_iter__<kind> that
// programs get. Attaching makes a link; running it, by reading, is left to the
// session, see Link.
package iter

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/ctext"
	"github.com/gotrace/gotrace/probes/provider"
)

// Provider serves iter.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider { return []target.Provider{target.Iter} }

const (
	funcPrefix   = "bpf_iter_"
	recordPrefix = "bpf_iter__"
	pinDir       = "/sys/fs/bpf"
)

// Resolve implements provider.Provider. Args are the members of the record
// struct bpf_iter__<kind>, Mode is the path to pin to.
func (Provider) Resolve(h *host.Host, p *provider.Pattern, _ *target.ResolveOptions) ([]*target.Target, error) {
	if len(p.Parts) < 1 || len(p.Parts) > 2 || p.Parts[0].Text == "" || p.Parts[len(p.Parts)-1].Text == "" {
		return nil, target.Errorf(target.Syntax, "iterators have the form iter:KIND[:PIN]")
	}
	kind := p.Parts[0].Text
	if p.Parts[0].Glob() {
		return nil, target.Errorf(target.Syntax, "iterators take no wildcards")
	}
	if err := h.Kernel().Available(); err != nil {
		return nil, target.Errorf(target.Unsupported, "iterators need the kernel's type information: %v", err)
	}
	record, ok := h.Kernel().Struct(recordPrefix + kind)
	if !ok {
		e := target.Errorf(target.Missing, "iterator not found: %s", kind)
		if near := diag.Nearest(kind, slices.Values(kinds(h))); near != "" {
			e.Hint("did you mean iter:%s?", near)
		}
		return nil, e
	}
	t := &target.Target{
		Provider: target.Iter, Name: "iter:" + kind, Program: target.ProgIter, Space: types.Kernel, Event: kind,
	}
	if len(p.Parts) == 2 {
		t.Mode = p.Parts[1].Text
		if !filepath.IsAbs(t.Mode) {
			t.Mode = filepath.Join(pinDir, t.Mode)
		}
		t.Name += ":" + p.Parts[1].Text
	}
	for _, f := range members(record) {
		loc := target.Loc{Kind: target.LocCtx, Off: f.Offset, Size: f.Type.Size()}
		if ptr, ok := f.Type.(types.Pointer); ok {
			loc.Trusted = true
			f.Type = types.Pointer{Elem: ptr.Elem, Space: types.Kernel, BTF: true}
		}
		t.Args = append(t.Args, target.Arg{Name: f.Name, Type: f.Type, Loc: loc})
	}
	return []*target.Target{t}, nil
}

// members lists the members of a record. The kernel wraps each pointer in an
// anonymous union, to have 64 bits on every machine.
func members(record *types.Struct) []types.Field {
	var list []types.Field
	for _, f := range record.Fields() {
		inner, ok := f.Type.(*types.Struct)
		if f.Name != "" || !ok {
			list = append(list, f)
			continue
		}
		for _, g := range inner.Fields() {
			if g.Name != "" {
				g.Offset += f.Offset
				list = append(list, g)
			}
		}
	}
	return list
}

// kinds lists the iterators of the kernel in order.
func kinds(h *host.Host) []string {
	var list []string
	for _, name := range h.Kernel().FuncNames() {
		kind, ok := strings.CutPrefix(name, funcPrefix)
		if !ok || kind == "" {
			continue
		}
		if _, ok := h.Kernel().Struct(recordPrefix + kind); ok {
			list = append(list, kind)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// List implements provider.Provider.
func (Provider) List(h *host.Host, p *provider.Pattern, _ *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	return func(yield func(provider.Entry, error) bool) {
		if err := h.Kernel().Available(); err != nil {
			yield(provider.Entry{}, err)
			return
		}
		for _, kind := range kinds(h) {
			name := "iter:" + kind
			entry := provider.Entry{Name: name, Fields: func() ([]provider.FieldText, error) { return fieldTexts(h, kind) }}
			if provider.MatchName(p, name) && !yield(entry, nil) {
				return
			}
		}
	}
}

// Declared implements provider.Declarer.
func (Provider) Declared(h *host.Host, t *target.Target, _ *target.ResolveOptions) ([]provider.FieldText, error) {
	return fieldTexts(h, t.Event)
}

// fieldTexts is the members of a record as the kernel declares them, but for the
// state of the walk that each begins with.
func fieldTexts(h *host.Host, kind string) ([]provider.FieldText, error) {
	spec, err := h.Kernel().Spec()
	if err != nil {
		return nil, err
	}
	var record *btf.Struct
	if err := spec.TypeByName(recordPrefix+kind, &record); err != nil {
		return nil, err
	}
	var list []provider.FieldText
	for _, m := range record.Members {
		inside := []btf.Member{m}
		if wrap, ok := m.Type.(*btf.Union); ok && m.Name == "" {
			inside = wrap.Members
		}
		for _, m := range inside {
			if m.Name != "" && m.Name != "meta" {
				list = append(list, provider.FieldText{Type: ctext.Type(m.Type), Name: m.Name})
			}
		}
	}
	return list, nil
}

// Spec implements provider.Provider. The library that loads programs adds the
// prefix to the name of the iterator.
func (Provider) Spec(_ *host.Host, t *target.Target, _ *target.ResolveOptions) provider.LoadSpec {
	return provider.LoadSpec{Type: ebpf.Tracing, AttachType: ebpf.AttachTraceIter, AttachTo: t.Event}
}

// Link is an attached iterator, what Attach returns.
type Link struct{ it *link.Iter }

// Attach implements provider.Provider. The result is a *Link.
func (Provider) Attach(_ *host.Host, targets []*target.Target, prog *ebpf.Program, _ *provider.AttachOptions) (io.Closer, error) {
	if len(targets) != 1 {
		return nil, errors.New("an iterator stands alone in its program")
	}
	it, err := link.AttachIter(link.IterOptions{Program: prog})
	if err != nil {
		return nil, fmt.Errorf("attach to %s: %w", targets[0].Name, err)
	}
	return &Link{it}, nil
}

// Run walks over all objects once; the program runs for each.
func (l *Link) Run() error {
	r, err := l.it.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

// Pin makes the iterator a file in a BPF file system; reading that file runs
// it, also when this process is gone.
func (l *Link) Pin(path string) error { return l.it.Pin(path) }

// Close detaches an iterator that is not pinned.
func (l *Link) Close() error { return l.it.Close() }
