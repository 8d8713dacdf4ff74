package typed_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// TestNames shows that the dump names each function and action.
func TestNames(t *testing.T) {
	for f := typed.FnPid; f <= typed.FnSyscallName; f++ {
		if name := f.String(); name == "" || strings.HasPrefix(name, "fn") {
			t.Errorf("function %d has no name: %q", uint8(f), name)
		}
	}
	for a := types.ActPrintf; a <= types.ActUnwatch; a++ {
		if name := a.String(); name == "" || strings.HasPrefix(name, "action") {
			t.Errorf("action %d has no name: %q", uint8(a), name)
		}
	}
	call := &typed.Call{Fn: typed.FnComm}
	probe := &typed.Probe{Body: &typed.Block{Stmts: []typed.Stmt{
		&typed.Emit{Action: types.ActPrintf, Format: "%s", Args: []typed.Expr{call}},
	}}}
	if got := typed.Dump(&typed.Program{Probes: []*typed.Probe{probe}}); !strings.Contains(got, `emit printf "%s"(comm())`) {
		t.Errorf("the names are not in the dump:\n%s", got)
	}
}
