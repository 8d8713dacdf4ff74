package check_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// TestFoldBeyondInt64 shows that literals without a minus are folded up to the
// range of uint64, and others within int64.
func TestFoldBeyondInt64(t *testing.T) {
	h := hosttest.New()
	for expr, want := range map[string]string{
		"9223372036854775807 + 1":                   "9223372036854775808",
		"9223372036854775807 * 2":                   "18446744073709551614",
		"9223372036854775807 + 9223372036854775807": "18446744073709551614",
		"3000000000 * 4000000000":                   "12000000000000000000",
		"9223372036854775806 + 2 - 1":               "9223372036854775807",
		"1 << 63":                                   "9223372036854775808",
		"5 - 9223372036854775807":                   "-9223372036854775802",
		"-1 - 9223372036854775807":                  "-9223372036854775808",
		"18446744073709551615 + 1":                  "",
		"9223372036854775807 * 4":                   "",
		"9223372036854775807 - -1":                  "",
		"1 - 18446744073709551615":                  "",
	} {
		prog, list := compile(h, "begin { @a = "+expr+"; }")
		switch {
		case want == "":
			if text := list.Error(); !strings.Contains(text, "unable to fold: overflow") {
				t.Errorf("%s is folded: %s", expr, text)
			}
		case prog == nil:
			t.Errorf("%s: %s", expr, list.Error())
		case !strings.Contains(typed.Dump(prog), "@a = "+want+"\n"):
			t.Errorf("%s is not %s:\n%s", expr, want, typed.Dump(prog))
		}
	}
}
