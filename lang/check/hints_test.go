package check_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// TestHints shows what reports say about misspelt names.
func TestHints(t *testing.T) {
	h := hosttest.New()
	for _, c := range []struct{ name, program, want string }{
		{"builtin", `begin { print(pidd); }`, "did you mean pid?"},
		{"function", `begin { prinft("x"); }`, "did you mean printf?"},
		{"variable", `begin { $count = 1; print($cuont); }`, `did you mean "$count"?`},
		{"argument", `tracepoint:syscalls:sys_enter_openat { print(args.filenme); }`, `did you mean "filename"?`},
		{"field of a struct", `struct s { int first; }; begin { $p = (struct s *)0; print($p.frist); }`, `did you mean "first"?`},
		{"setting", `config = { max_strln = 10 } begin { }`, "did you mean max_strlen?"},
		{"provider", `interva:ms:1 { }`, "did you mean interval?"},
		{"text", `begin /comm == bash/ { }`, `quote it: "bash"`},
		{"text on the left", `begin { print(bash == comm); }`, `quote it: "bash"`},
		{"few arguments", `begin { printf("%d %d", 1); }`, "printf: not enough arguments for format string (1 supplied, 2 expected)"},
		{"many arguments", `begin { printf("%d", 1, 2, 3); }`, "printf: too many arguments for format string (3 supplied, 1 expected)"},
		{"number for text", `begin { printf("%d", comm); }`, "printf: %d specifier expects an integer (string supplied)"},
		{"number for buffer", `begin { printf("%rx", 1); }`, "printf: %rx specifier expects a buffer (integer supplied)"},
		{"builtin elsewhere", `begin { print(retval); }`, "ERROR: The retval builtin can not be used with 'begin' probes"},
		{"function elsewhere", `begin { print(path(0)); }`, "ERROR: path() can not be used with 'begin' probes"},
		{"function's probes", `begin { print(path(0)); }`, "HINT: it can be used with the probetypes fentry, fexit, iter"},
		{"no conversion", `begin { printf("%q", 1); }`, "there is no conversion %q"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, list := compile(h, c.program)
			if got := list.Error(); !strings.Contains(got, c.want) {
				t.Errorf("no %q in:\n%s", c.want, got)
			}
		})
	}
}

// TestSeveralErrors shows that one run reports all type errors of a script.
func TestSeveralErrors(t *testing.T) {
	_, list := compile(hosttest.New(), "begin { print(nosuch1);\n print(nosuch2);\n $x = 1; $x = \"a\"; }")
	if n := len(list.Diags); n != 3 {
		t.Errorf("%d errors, want 3:\n%s", n, list.Error())
	}
}

// TestInference shows the types that variables and maps get from all their
// assignments, wherever they stand.
func TestInference(t *testing.T) {
	h := hosttest.New()
	for _, c := range []struct{ name, program, want string }{
		{"a later wide value", `begin { $a = 1; $a = 70000; print($a); }`, "$a int32 = 1"},
		{"a literal takes the sign of its variable", `begin { $a = (uint64)1; $a = 2; print($a); }`, "$a uint64 = 2"},
		{"mixed signs", `begin { $a = (uint8)1; $a = (int8)-1; print($a); }`, "$a int16 ="},
		{"a map read before it is assigned", `begin { $a = @m; print($a); } end { @m = "text"; }`, "$a string[5] = @m"},
		{"a map that is only read", `begin { print(@m[1]); }`, "map @m[int8] = int8"},
		{"a key that grows", `begin { @m["a"] = 1; @m["longer"] = 2; }`, "map @m[string[7]] = int8"},
		{"an increment", `begin { $a = 1; $a++; }`, "$a int64 = 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			prog, list := compile(h, c.program)
			if prog == nil {
				t.Fatal(list.Error())
			}
			if got := typed.Dump(prog); !strings.Contains(got, c.want) {
				t.Errorf("no %q in:\n%s", c.want, got)
			}
		})
	}
}

// TestNestedUnroll shows that nested unrolls are bounded in sum.
func TestNestedUnroll(t *testing.T) {
	h := hosttest.New()
	if _, list := compile(h, `begin { unroll (100) { unroll (100) { @a++; } } }`); list.HasErrors() {
		t.Error(list.Error())
	}
	if _, list := compile(h, `begin { unroll (100) { unroll (100) { unroll (2) { @a++; } } } }`); !list.HasErrors() {
		t.Error("20,000 copies of a body are accepted")
	}
}

// TestKeyEvaluatedOnce shows that a compound assignment evaluates a key with
// effects once.
func TestKeyEvaluatedOnce(t *testing.T) {
	prog, list := compile(hosttest.New(), `begin { $k = 1; @a[$k++] += 5; }`)
	if prog == nil {
		t.Fatal(list.Error())
	}
	if n := strings.Count(typed.Dump(prog), "inc($k"); n != 1 {
		t.Errorf("%d increments, want 1:\n%s", n, typed.Dump(prog))
	}
}
