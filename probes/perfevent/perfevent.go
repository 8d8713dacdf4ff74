// Package perfevent serves the probes that perf events fire: interval, profile,
// software, hardware and watchpoint.
//
// Programs get struct bpf_perf_event_data, which starts with the registers of
// the interrupted task. Events are opened by perf_event_open(2).
package perfevent

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/perf"
	"github.com/gotrace/gotrace/probes/provider"
)

// Provider serves interval, profile, software, hardware and watchpoint.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider {
	return []target.Provider{target.Interval, target.Profile, target.Software, target.Hardware, target.Watchpoint}
}

func newTarget(kind target.Provider) *target.Target {
	return &target.Target{Provider: kind, Program: target.ProgPerfEvent, Space: types.NoSpace}
}

// Resolve implements provider.Provider.
func (Provider) Resolve(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) ([]*target.Target, error) {
	for _, part := range p.Parts {
		if part.Glob() {
			return nil, target.Errorf(target.Syntax, "%s probes take no wildcards", p.Kind)
		}
	}
	var t *target.Target
	var err error
	switch p.Kind {
	case target.Interval, target.Profile:
		t, err = resolveTime(p)
	case target.Software, target.Hardware:
		t, err = resolveEvent(p)
	default:
		t, err = resolveWatch(h, p, opt)
	}
	if err != nil {
		return nil, err
	}
	return []*target.Target{t}, nil
}

// List implements provider.Provider.
func (Provider) List(_ *host.Host, p *provider.Pattern, _ *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	return func(yield func(provider.Entry, error) bool) {
		for name := range listNames(p.Kind) {
			full := fmt.Sprintf("%s:%s:", p.Kind, name)
			if provider.MatchName(p, full) && !yield(provider.Entry{Name: full}, nil) {
				return
			}
		}
	}
}

// Spec implements provider.Provider.
func (Provider) Spec(*host.Host, *target.Target, *target.ResolveOptions) provider.LoadSpec {
	return provider.LoadSpec{Type: ebpf.PerfEvent}
}

// Attach implements provider.Provider.
func (Provider) Attach(h *host.Host, targets []*target.Target, prog *ebpf.Program, opt *provider.AttachOptions) (io.Closer, error) {
	return provider.AttachEach(targets, func(t *target.Target) (io.Closer, error) {
		places, err := places(h, t, opt)
		if err != nil {
			return nil, fmt.Errorf("attach to %s: %w", t.Name, err)
		}
		attr, err := attributes(t, places[0].Pid >= 0)
		if err != nil {
			return nil, fmt.Errorf("attach to %s: %w", t.Name, err)
		}
		links, err := openAll(h, attr, places, prog)
		if err != nil {
			return nil, fmt.Errorf("attach to %s: %w", t.Name, err)
		}
		return links, nil
	})
}

// openAll opens an event at all places but those of threads that have ended
// since they were listed. There must be one that has not.
func openAll(h *host.Host, attr *unix.PerfEventAttr, places []perf.Place, prog *ebpf.Program) (io.Closer, error) {
	var links provider.Closers
	var gone error
	for _, at := range places {
		l, err := perf.Open(h, attr, at, prog)
		switch {
		case err == nil:
			links = append(links, l)
		case errors.Is(err, unix.ESRCH):
			gone = err
		default:
			return nil, errors.Join(err, links.Close())
		}
	}
	if len(links) == 0 {
		return nil, gone
	}
	return links, nil
}
