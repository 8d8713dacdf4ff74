package check_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// warnings returns what the checker warns of in a script that it accepts, one a
// line.
func warnings(t *testing.T, program string) string {
	t.Helper()
	_, list := compile(hosttest.New(), program)
	if list.HasErrors() {
		t.Fatalf("%s: %s", program, list.Error())
	}
	var b strings.Builder
	for _, d := range list.Diags {
		if d.Severity == diag.Warning {
			b.WriteString(d.Msg + "\n")
		}
	}
	return b.String()
}

// TestSignedDivision shows which divisions draw a warning: those with a signed
// operand whose operands have different types.
func TestSignedDivision(t *testing.T) {
	for program, want := range map[string]bool{
		`for ($i : 0..3) { print($i % 5); }`:                             false,
		`for ($i : 0..pid) { print($i % 5); }`:                           false,
		`for ($i : 0..300) { print($i % 5); }`:                           true,
		`$i = 7; print($i / 2);`:                                         false,
		`$i = 7; print($i / 200);`:                                       true,
		`$i = 7; $i /= 2;`:                                               true, // which makes it int64
		`@a = -7; print(@a / 2);`:                                        false,
		`@a++; print(@a / 2);`:                                           true,
		`print(pid / 2);`:                                                false,
		`print((int64)pid / 2);`:                                         true,
		`print((int8)pid / 2);`:                                          false,
		`print((uint64)pid / -2);`:                                       true,
		`print((pid - 1) / (pid - 2));`:                                  false,
		`@s[tid] = nsecs; print((nsecs - @s[tid]) / 1000);`:              true,
		`@s[tid] = nsecs; print((uint64)(nsecs - @s[tid]) / 1000);`:      false,
		`@s[tid] = nsecs; $d = nsecs - @s[tid]; print($d % 1000);`:       true,
		`print((uint8)pid / (int8)pid); print((int16)pid / (int8)pid);`:  true,
		`print((int16)pid / (int16)pid); print((uint8)pid % (uint16)5);`: false,
	} {
		if got := warnings(t, "begin { "+program+" }"); strings.Contains(got, "signed operands") != want {
			t.Errorf("%s: want a warning: %v, got %q", program, want, got)
		}
	}
}
