package gotrace_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// Stacks and symbols that only a map keeps are named after the end of the
// command: its mappings were read while it ran.
func TestSymbolsOfEndedCommand(t *testing.T) {
	hosttest.RequireBPF(t)
	program := compileC(t, `
		#include <unistd.h>
		__attribute__((noinline)) int served(int n) { __asm__ volatile("nop"); return n; }
		int main(void) { int r = served(1) - 1; usleep(100000); return r; }`)
	for _, key := range []string{"ustack", `usym(reg("ip"))`, `(1, usym(reg("ip")))`} {
		o := runScript(t, "uprobe:"+program+":served { @["+key+"] = count(); }",
			&gotrace.Config{Command: true}, gotrace.RunOptions{Command: []string{program}, Output: gotrace.Output{Quiet: true}})
		if !strings.Contains(o.out, "served") {
			t.Errorf("@[%s]: output %q names no function", key, o.out)
		}
	}
}
