package check_test

import (
	"testing"

	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// TestMacroInItsOwnArgument has calls of a macro in arguments of another one that
// uses it as well, which is no recursion.
func TestMacroInItsOwnArgument(t *testing.T) {
	const script = `macro inc(x) { x + 1 } macro both(x) { x + inc(2) } macro deep(x) { both(x) + inc(both(x)) }
		begin { print(both(inc(1))); print(deep(inc(both(1)))); $a = 1; $a = both(inc($a)); print($a) }`
	if _, list := compile(hosttest.New(), script); list.HasErrors() {
		t.Error(list.Error())
	}
}
