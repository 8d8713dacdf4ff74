package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// warnings returns what the checker warns of in a script that it accepts, one a
// line.
func warnings(t *testing.T, program string, params ...string) string {
	t.Helper()
	_, list := compile(hosttest.New(), program, params...)
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

// TestMissingParameter shows which uses of a parameter that is not given, or
// empty, draw a warning: all but those as text.
func TestMissingParameter(t *testing.T) {
	const warned = "Positional parameter $1 is empty or not provided.\n"
	for program, want := range map[string]string{
		`begin { print($1); }`:            warned,
		`begin { @[$1 + 1] = 5; }`:        warned,
		`begin /pid == $1/ { print(1); }`: warned,
		`begin { print(str($1)); }`:       "",
		`begin { print(str($1 + 2)); }`:   "",
		`begin { print(str($1, 4)); }`:    "",
		`begin { print($#); }`:            "",
	} {
		if got := warnings(t, program); got != want {
			t.Errorf("without a parameter, %s: got %q, want %q", program, got, want)
		}
		if got := warnings(t, program, ""); got != want {
			t.Errorf("with an empty parameter, %s: got %q, want %q", program, got, want)
		}
		if got := warnings(t, program, "7"); got != "" {
			t.Errorf("with a parameter, %s: got %q", program, got)
		}
	}
}

// TestEmptyParameter shows that an empty parameter is the number 0, as one that
// is not given.
func TestEmptyParameter(t *testing.T) {
	prog, list := compile(hosttest.New(), `begin { @a = $1; }`, "")
	if prog == nil {
		t.Fatal(list.Error())
	}
	if got := typed.Dump(prog); !strings.Contains(got, "@a = 0\n") {
		t.Errorf("no number 0:\n%s", got)
	}
}

// TestSettingWithoutEffect shows that a script is told when it asks for what
// gotrace does not have.
func TestSettingWithoutEffect(t *testing.T) {
	const program = `config = { show_debug_info = %s } begin { }`
	for value, want := range map[string]bool{"true": true, "1": true, "false": false} {
		if got := warnings(t, fmt.Sprintf(program, value)); strings.Contains(got, "show_debug_info has no effect") != want {
			t.Errorf("%s: want a warning: %v, got %q", value, want, got)
		}
	}
}
