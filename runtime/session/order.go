package session

import (
	"slices"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/target"
)

// place is what targets have in common that the same event fires.
type place struct {
	provider       target.Provider
	module, symbol string
	category       string
	event          string
	path           string
	offset         uint64
}

func placeOf(t *target.Target) place {
	return place{t.Provider, t.Module, t.Symbol, t.Category, t.Event, t.Path, t.Offset}
}

// lastFirst reports whether the kernel runs the programs at a place in the
// opposite order of their attachment: uprobe consumers (consumer_add in
// kernel/events/uprobes.c), kprobes (add_new_kprobe in kernel/kprobes.c) and
// trampolines (kernel/bpf/trampoline.c) keep lists that grow at the head;
// tracepoints have arrays that grow at the end.
func lastFirst(p target.Provider) bool {
	switch p {
	case target.Kprobe, target.Kretprobe, target.Fentry, target.Fexit, target.Uprobe, target.Uretprobe, target.USDT:
		return true
	}
	return false
}

// attachOrder gives for each program those that have to be attached before it,
// so that the kernel runs the programs at one place in the order of the script.
func attachOrder(progs []*object.Program) [][]int {
	before := make([][]int, len(progs))
	last := map[place]int{}
	for i, p := range progs {
		for _, t := range p.Targets {
			at := placeOf(t)
			j, shared := last[at]
			last[at] = i
			if !shared || j == i {
				continue
			}
			first, second := j, i
			if lastFirst(t.Provider) {
				first, second = i, j
			}
			if !slices.Contains(before[second], first) {
				before[second] = append(before[second], first)
			}
		}
	}
	return before
}
