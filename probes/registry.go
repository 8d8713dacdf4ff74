package probes

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/fentry"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/iter"
	"github.com/gotrace/gotrace/probes/kprobe"
	"github.com/gotrace/gotrace/probes/perfevent"
	"github.com/gotrace/gotrace/probes/provider"
	"github.com/gotrace/gotrace/probes/rawtp"
	"github.com/gotrace/gotrace/probes/special"
	"github.com/gotrace/gotrace/probes/tracepoint"
	"github.com/gotrace/gotrace/probes/uprobe"
	"github.com/gotrace/gotrace/probes/usdt"
)

// Registry knows all providers and asks the one that an attach point names. It
// is immutable and safe for concurrent use.
type Registry struct {
	host      *host.Host
	providers map[target.Provider]provider.Provider
}

// New returns the registry of all providers for a machine.
func New(h *host.Host) *Registry {
	r := &Registry{host: h, providers: map[target.Provider]provider.Provider{}}
	for _, p := range []provider.Provider{
		special.Provider{},
		tracepoint.Provider{},
		rawtp.Provider{},
		kprobe.Provider{},
		fentry.Provider{},
		uprobe.Provider{},
		usdt.Provider{},
		iter.Provider{},
		perfevent.Provider{},
	} {
		for _, kind := range p.Kinds() {
			r.providers[kind] = p
		}
	}
	return r
}

// Resolve returns the targets that an attach point stands for, in the order in
// which they are to be attached and without repetition; there is at least one
// when the error is nil. Errors are of type *target.Error. The span is for
// resolvers that report places; here the text is all that counts.
func (r *Registry) Resolve(text string, _ source.Span, opt target.ResolveOptions) ([]*target.Target, error) {
	parts, err := provider.Split(text)
	if err != nil {
		return nil, err
	}
	if parts[0].Glob() {
		return r.resolveAny(text, parts, &opt)
	}
	kind, ok := provider.Kind(parts[0].Text)
	if !ok {
		return nil, unknownProvider(parts[0].Text)
	}
	return r.resolve(&provider.Pattern{Text: text, Kind: kind, Parts: parts[1:]}, &opt)
}

func (r *Registry) resolve(p *provider.Pattern, opt *target.ResolveOptions) ([]*target.Target, error) {
	served, ok := r.providers[p.Kind]
	if !ok {
		return nil, target.Errorf(target.Unsupported, "%s probes are not supported", p.Kind)
	}
	list, err := served.Resolve(r.host, p, opt)
	if p.Kind.Systemwide() {
		for _, t := range list {
			t.Pid = opt.Pid
		}
	}
	return list, err
}

// resolveAny resolves an attach point whose provider is a wildcard: it stands
// for the providers of user space when a process is given or the second part
// holds a path, else for the kernel's.
func (r *Registry) resolveAny(text string, parts []provider.Part, opt *target.ResolveOptions) ([]*target.Target, error) {
	user := opt.Pid != 0 || len(parts) > 1 && strings.Contains(parts[1].Text, "/")
	var all []*target.Target
	var problems []*target.Error // why providers that might serve it do not
	for _, kind := range provider.WildcardKinds(user) {
		if !provider.Match(parts[0].Text, string(kind)) {
			continue
		}
		list, err := r.resolve(&provider.Pattern{Text: text, Kind: kind, Parts: parts[1:]}, opt)
		var why *target.Error
		switch {
		case err == nil:
		case !errors.As(err, &why):
			return nil, err
		case why.Kind == target.NotAllowed || why.Kind == target.Unsupported:
			if !slices.ContainsFunc(problems, func(p *target.Error) bool { return p.Msg == why.Msg }) {
				problems = append(problems, why)
			}
		}
		all = append(all, list...)
	}
	if len(all) == 0 {
		return nil, noneOf(text, problems)
	}
	for _, p := range problems {
		opt.Problem(p)
	}
	return all, nil
}

// noneOf reports that no provider has what an attach point with a wildcard as
// provider means, and what could not be looked at.
func noneOf(text string, problems []*target.Error) error {
	for _, p := range problems {
		if p.Kind == target.NotAllowed {
			return p
		}
	}
	e := target.Errorf(target.Missing, "no probe matches %s", text)
	for _, p := range problems {
		e.Hint("could not look everywhere: %s", p.Msg)
	}
	return e
}

func unknownProvider(name string) error {
	e := target.Errorf(target.Syntax, "unknown probe type %q", name)
	names := func(yield func(string) bool) {
		for _, kind := range provider.Kinds() {
			if !yield(string(kind)) {
				return
			}
		}
	}
	if near := diag.Nearest(strings.ToLower(name), names); near != "" {
		e.Hint("did you mean %s?", near)
	}
	return e
}

// Spec says how a program for t has to be loaded. Targets with equal specs may
// share one loaded program.
func (r *Registry) Spec(t *target.Target, opt *target.ResolveOptions) LoadSpec {
	return r.providers[t.Provider].Spec(r.host, t, opt)
}

// Lacks says why the kernel has no probes such as t, nil if nothing is known to
// be missing.
func (r *Registry) Lacks(t *target.Target) error {
	if p, ok := r.providers[t.Provider].(provider.Requirer); ok {
		return p.Lacks(r.host, t)
	}
	return nil
}

// Attach attaches a program to targets of one provider. Closing the result
// detaches; links of several targets are closed at the same time. On error
// nothing stays attached.
func (r *Registry) Attach(targets []*target.Target, prog *ebpf.Program, opt *AttachOptions) (io.Closer, error) {
	if len(targets) == 0 {
		return provider.Closers(nil), nil
	}
	kind := targets[0].Provider
	if slices.ContainsFunc(targets, func(t *target.Target) bool { return t.Provider != kind }) {
		return nil, fmt.Errorf("targets of several providers can not be attached at once")
	}
	p, ok := r.providers[kind]
	if !ok {
		return nil, fmt.Errorf("%s probes are not supported", kind)
	}
	return p.Attach(r.host, targets, prog, opt)
}
