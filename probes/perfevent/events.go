package perfevent

import (
	"fmt"
	"iter"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/provider"
)

// event is a software or hardware event of the kernel.
type event struct {
	name, alias string
	config      uint64
	count       uint64 // events between two firings when none is given
}

// events lists the events of software or hardware; see section 3.10 of the
// language reference.
func events(kind target.Provider) []event {
	if kind == target.Software {
		return []event{
			{"alignment-faults", "", unix.PERF_COUNT_SW_ALIGNMENT_FAULTS, 1},
			{"bpf-output", "", unix.PERF_COUNT_SW_BPF_OUTPUT, 1},
			{"context-switches", "cs", unix.PERF_COUNT_SW_CONTEXT_SWITCHES, 1000},
			{"cpu-clock", "cpu", unix.PERF_COUNT_SW_CPU_CLOCK, 1000000},
			{"cpu-migrations", "", unix.PERF_COUNT_SW_CPU_MIGRATIONS, 1},
			{"dummy", "", unix.PERF_COUNT_SW_DUMMY, 1},
			{"emulation-faults", "", unix.PERF_COUNT_SW_EMULATION_FAULTS, 1},
			{"major-faults", "", unix.PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1},
			{"minor-faults", "", unix.PERF_COUNT_SW_PAGE_FAULTS_MIN, 100},
			{"page-faults", "faults", unix.PERF_COUNT_SW_PAGE_FAULTS, 100},
			{"task-clock", "", unix.PERF_COUNT_SW_TASK_CLOCK, 1},
		}
	}
	return []event{
		{"backend-stalls", "", unix.PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000000},
		{"branch-instructions", "branches", unix.PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000},
		{"branch-misses", "", unix.PERF_COUNT_HW_BRANCH_MISSES, 100000},
		{"bus-cycles", "", unix.PERF_COUNT_HW_BUS_CYCLES, 100000},
		{"cache-misses", "", unix.PERF_COUNT_HW_CACHE_MISSES, 1000000},
		{"cache-references", "", unix.PERF_COUNT_HW_CACHE_REFERENCES, 1000000},
		{"cpu-cycles", "cycles", unix.PERF_COUNT_HW_CPU_CYCLES, 1000000},
		{"frontend-stalls", "", unix.PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000000},
		{"instructions", "", unix.PERF_COUNT_HW_INSTRUCTIONS, 1000000},
		{"ref-cycles", "", unix.PERF_COUNT_HW_REF_CPU_CYCLES, 1000000},
	}
}

func findEvent(kind target.Provider, name string) (event, bool) {
	for _, e := range events(kind) {
		if name != "" && (e.name == name || e.alias == name) {
			return e, true
		}
	}
	return event{}, false
}

// eventNames lists names and aliases in order.
func eventNames(kind target.Provider) []string {
	var names []string
	for _, e := range events(kind) {
		names = append(names, e.name)
		if e.alias != "" {
			names = append(names, e.alias)
		}
	}
	slices.Sort(names)
	return names
}

// resolveEvent resolves software and hardware.
func resolveEvent(p *provider.Pattern) (*target.Target, error) {
	if len(p.Parts) < 1 || len(p.Parts) > 2 || p.Parts[0].Text == "" {
		return nil, target.Errorf(target.Syntax, "%s probes have the form %s:EVENT[:COUNT]", p.Kind, p.Kind)
	}
	name := p.Parts[0].Text
	e, ok := findEvent(p.Kind, name)
	if !ok {
		err := target.Errorf(target.Syntax, "unknown %s event %q", p.Kind, name)
		if near := diag.Nearest(name, slices.Values(eventNames(p.Kind))); near != "" {
			err.Hint("did you mean %s:%s?", p.Kind, near)
		}
		return nil, err
	}
	t := newTarget(p.Kind)
	t.Name = fmt.Sprintf("%s:%s", p.Kind, name)
	t.Event, t.Period = e.name, e.count
	if len(p.Parts) == 2 {
		n, err := provider.Duration(p.Parts[1].Text) // of clock events; for others 1ms is 1000000 as well
		if err != nil || n == 0 || int64(n) < 0 {
			return nil, target.Errorf(target.Syntax, "%s count should be a positive integer", p.Kind)
		}
		t.Period = n
		t.Name += fmt.Sprintf(":%d", n)
	}
	return t, nil
}

// listNames yields what a listing shows for a provider.
func listNames(kind target.Provider) iter.Seq[string] {
	switch kind {
	case target.Software, target.Hardware:
		return slices.Values(eventNames(kind))
	case target.Interval, target.Profile:
		return slices.Values(units())
	}
	return func(func(string) bool) {}
}
