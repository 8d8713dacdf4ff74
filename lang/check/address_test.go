package check_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// checkResult wants a map of a script to have values of a type.
func checkResult(t *testing.T, script, name, want string) {
	t.Helper()
	p, list := compile(hosttest.New(), script)
	if list.HasErrors() {
		t.Errorf("%s: %s", script, list.Error())
		return
	}
	for _, m := range p.Maps {
		if m.Name == name && m.Value.String() != want {
			t.Errorf("%s: type %s, want %s", script, m.Value, want)
		}
	}
}

// TestTypeOfAddress has addresses of what gets its type, or a wider one, further
// down: the type of the pointer follows.
func TestTypeOfAddress(t *testing.T) {
	for script, want := range map[string]string{
		"begin { $x = 5; $p = &$x; $x = 300; @r = *$p; }":                             "int16",
		"begin { $x = 5; $p = &$x; $q = $p; @q = $q; $x = 300; @r = *@q; }":           "int16",
		"begin { $x = 5; $p = &$x; $x = (uint64)nsecs; @r = *$p; }":                   "int64",
		"begin { $x = 5; $p = &$x; $q = &$p; $x = 300; @r = **$q; }":                  "int16",
		`begin { $s = "a"; $p = &$s; $s = "abc"; @r = *$p; }`:                         "string[4]",
		"begin { $p = &@m; @r = *$p; @m = (int32)1; }":                                "int32",
		"begin { @p = &@m; @m = 1; @m = 300; $r = @p; @r = *$r; }":                    "int16",
		"begin { $x = 5; $y = 6; $p = &$x; $p = &$y; $x = 300; $y = 301; @r = *$p; }": "int16",
	} {
		checkResult(t, script, "@r", want)
	}
}

// TestTypeOfPointer has addresses within tuples and keys, which follow too, and
// those of maps whose values have none: they lead to no value.
func TestTypeOfPointer(t *testing.T) {
	for script, want := range map[string]string{
		"begin { $x = 5; $t = (&$x, 1); $x = 300; @r = $t; }":                              "(int16 *,int8)",
		"begin { $x = 5; $t = (&$x, 1); $t = (&$x, 300); $x = 70000; @r = $t; }":           "(int32 *,int16)",
		"begin { $x = 5; $t = ((1, &$x), 2); $x = 300; @r = $t; }":                         "((int8,int16 *),int8)",
		"begin { $x = 5; $t = (a = 1, b = &$x); $t = (b = &$x, a = 7); $x = 300; @r = $t}": "record { .a = int8, .b = int16 * }",
		"begin { $x = 5; @m[&$x, 1] = 1; $x = 300; @r = (&$x, 1); @m[@r] = 2; }":           "(int16 *,int8)",
		"begin { @m[1] = 1; @r = &@m; }":                                                   "void *",
		"begin { @r = &@m; @m[1] = 1; }":                                                   "void *",
		"begin { @m = count(); @r = &@m; }":                                                "void *",
		"begin { $p = &@m; @m = hist(1); $p = &@n; @n = 1; @n = 300; @r = $p; }":           "int16 *",
	} {
		checkResult(t, script, "@r", want)
	}
}

// TestNoAddress has maps whose values have no address, and pointers to values of
// different types.
func TestNoAddress(t *testing.T) {
	for script, want := range map[string]string{
		"begin { @m = count(); $p = &@m; print(*$p); }":                "Can not dereference a pointer to void",
		"begin { $p = &@m; print(*$p); @m = sum(1); }":                 "Can not dereference a pointer to void",
		"begin { @m[1] = 1; $p = &@m; print(*$p); }":                   "Can not dereference a pointer to void",
		"begin { let $x : int8; let $y : int16; $p = &$x; $p = &$y; }": "Type mismatch for $p",
	} {
		if _, list := compile(hosttest.New(), script); !strings.Contains(list.Error(), want) {
			t.Errorf("%s: %s, want %s", script, list.Error(), want)
		}
	}
}
