// Package special serves the probes that no kernel event fires: begin, end,
// self, test and bench. The session runs their programs itself, by
// BPF_PROG_TEST_RUN on a raw tracepoint program.
package special

import (
	"errors"
	"io"
	"iter"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/provider"
)

// Provider serves begin, end, self, test and bench.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider {
	return []target.Provider{target.Begin, target.End, target.Self, target.Test, target.Bench}
}

// selfSignal is the one form of self probes.
const selfSignal = "self:signal:SIGUSR1"

// Resolve implements provider.Provider. The numbers of arguments of a test or
// benchmark program are the words of its context, of which there are none.
func (Provider) Resolve(_ *host.Host, p *provider.Pattern, _ *target.ResolveOptions) ([]*target.Target, error) {
	t := &target.Target{Provider: p.Kind, Program: target.ProgRaw, Space: types.NoSpace, Name: string(p.Kind)}
	switch p.Kind {
	case target.Begin, target.End:
		if len(p.Parts) > 0 {
			return nil, target.Errorf(target.Syntax, "%s probes take no further parts", p.Kind)
		}
	case target.Test, target.Bench:
		if len(p.Parts) != 1 || p.Parts[0].Text == "" {
			return nil, target.Errorf(target.Syntax, "%s probes need a name: %s:NAME", p.Kind, p.Kind)
		}
		t.Event = p.Parts[0].Text
		t.Name += ":" + t.Event
	case target.Self:
		if err := checkSelf(p); err != nil {
			return nil, err
		}
		t.Name, t.Event = selfSignal, "SIGUSR1"
	}
	return []*target.Target{t}, nil
}

func checkSelf(p *provider.Pattern) error {
	switch {
	case len(p.Parts) != 2:
		return target.Errorf(target.Syntax, "self probes have the form %s", selfSignal)
	case p.Parts[0].Text != "signal":
		return target.Errorf(target.Syntax, "self probes know signals only, not %q", p.Parts[0].Text).Hint("write %s", selfSignal)
	case p.Parts[1].Text != "SIGUSR1":
		return target.Errorf(target.Syntax, "signal %q can not be traced, only SIGUSR1", p.Parts[1].Text)
	}
	return nil
}

// List implements provider.Provider.
func (Provider) List(_ *host.Host, p *provider.Pattern, _ *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	return func(yield func(provider.Entry, error) bool) {
		name := string(p.Kind)
		switch p.Kind {
		case target.Test, target.Bench:
			return
		case target.Self:
			name = selfSignal
		}
		if provider.MatchName(p, name) {
			yield(provider.Entry{Name: name}, nil)
		}
	}
}

// Spec implements provider.Provider.
func (Provider) Spec(*host.Host, *target.Target, *target.ResolveOptions) provider.LoadSpec {
	return provider.LoadSpec{Type: ebpf.RawTracepoint}
}

// Attach implements provider.Provider: there is nothing to attach to.
func (Provider) Attach(*host.Host, []*target.Target, *ebpf.Program, *provider.AttachOptions) (io.Closer, error) {
	return nil, errors.New("begin, end, self, test and bench probes are run by the session")
}
