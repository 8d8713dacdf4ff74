package session

import (
	"reflect"
	"testing"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/target"
)

// Tracepoints run what was attached first, uprobes what was attached last;
// programs that share no place wait for none.
func TestAttachOrder(t *testing.T) {
	prog := func(p target.Provider, names ...string) *object.Program {
		out := &object.Program{}
		for _, n := range names {
			out.Targets = append(out.Targets, &target.Target{Provider: p, Event: n})
		}
		return out
	}
	got := attachOrder([]*object.Program{
		prog(target.Tracepoint, "a", "b"),
		prog(target.Tracepoint, "b"),
		prog(target.Uprobe, "a"),
		prog(target.Tracepoint, "b", "a"),
		prog(target.Uprobe, "a"),
		prog(target.Uprobe, "c"),
	})
	want := [][]int{nil, {0}, {4}, {1, 0}, nil, nil}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("attachOrder = %v, want %v", got, want)
	}
}
