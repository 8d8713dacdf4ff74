package gotrace_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// Of most scripts, a fifth shows as much as the whole does, in a fifth of the
// time. GOTRACE_HOSTILE=1 makes them whole: a hundred thousand of one thing, and
// a megabyte of noise.
func hostileCount() int {
	if os.Getenv("GOTRACE_HOSTILE") == "" {
		return 20_000
	}
	return 100_000
}

// What compiling a script of a megabyte may take, however it is made.
const (
	maxHostileMemory = 500 << 20        // bytes
	maxHostileTime   = 15 * time.Second // of processors
)

// TestHostileScripts compiles scripts that are made to hurt, each in a process
// of its own. All end in an error or a program, soon, and in bounded memory.
func TestHostileScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("some seventy compilations of large scripts")
	}
	for _, c := range hostileScripts() {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestCompileStandardInput$", "-test.v")
			cmd.Env = append(os.Environ(), "GOTRACE_COMPILE_STDIN=1")
			cmd.Stdin = strings.NewReader(c.text)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%.3000s", err, out)
			}
			use := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			if took > maxHostileTime || use.Maxrss<<10 > maxHostileMemory {
				t.Errorf("took %v and %d MB", took, use.Maxrss>>10)
			}
			if accepted := strings.Contains(string(out), "accepted"); accepted != c.accepted {
				t.Errorf("accepted: %t, want %t\n%.3000s", accepted, c.accepted, out)
			}
		})
	}
}

// TestCompileStandardInput is the process that TestHostileScripts starts.
func TestCompileStandardInput(t *testing.T) {
	if os.Getenv("GOTRACE_COMPILE_STDIN") == "" {
		t.Skip("run by TestHostileScripts")
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		t.Fatal(err)
	}
	p, err := gotrace.Compile("stdin", string(text), &gotrace.Config{Host: hosttest.New()})
	if err != nil {
		t.Logf("refused: %.1000v", err)
		return
	}
	t.Logf("accepted, %d programs", len(p.Object().Programs))
}

type hostileScript struct {
	name, text string
	accepted   bool
}

func hostileScripts() []hostileScript {
	return slices.Concat(deepScripts(), wideScripts(), definitionScripts(), noiseScripts())
}

// times repeats a text.
func times(n int, s string) string { return strings.Repeat(s, n) }

// each repeats a text with the numbers from 0 on.
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// deepScripts nest one thing over and over.
func deepScripts() []hostileScript {
	n := hostileCount()
	value := func(x string) string { return "begin { $x = " + x + "; }" }
	return []hostileScript{
		{"parentheses", value(times(n, "(") + "1" + times(n, ")")), false},
		{"blocks", "begin " + times(n, "{") + times(n, "}"), false},
		{"blocks with values", value(times(n, "{ ") + "1" + times(n, " }")), false},
		{"blocks with operators", value(times(190, times(400, "- ")+"{ ") + "1" + times(190, "}")), true},
		{"not", value(times(n, "!") + "1"), false},
		{"minus", value(times(n, "- ") + "1"), false},
		{"ternaries", value(times(n, "1?") + "1" + times(n, ":2")), false},
		{"sums", value("nsecs" + times(n, "+nsecs")), false},
		{"tuples", value(times(n, "(1,") + "1" + times(n, ")")), false},
		{"keys", "begin { @x[" + times(n, "@x[") + "1" + times(n, "]") + "] = 1; }", false},
		{"calls", value(times(n, "str(") + "1" + times(n, ")")), false},
		{"fields", value("curtask" + times(n, ".parent")), false},
		{"pointer types", value("(int8 " + times(n, "*") + ")1"), false},
		{"array types", value("(int8" + times(n, "[1]") + ")1"), false},
		{"typeof", value("(" + times(n, "typeof(") + "int8" + times(n, ")") + ")1"), false},
		{"ifs", "begin { " + times(n, "if (1) {") + times(n, "}") + " }", false},
		{"ifs in a row", "begin { " + times(n, "if ") + " }", false},
		{"else ifs", "begin { if (pid == 1) {} " + times(n, "else if (pid == 1) {} ") + " }", false},
		{"loops", "begin { " + each(n, "for ($i%d : 0..2) {") + times(n, "}") + " }", false},
		{"loops as deep as brackets allow", "begin { " + each(190, "for ($i%d : 0..2) {") + "@ = nsecs;" + times(190, "}") + " }", false},
		{"macros", "macro m0($x) { $x += 1 }\n" + linked(n, "macro m%[1]d($x) { m%[2]d($x) }\n") + fmt.Sprintf("begin { $a = 0; m%d($a) }", n), false},
	}
}

// wideScripts have many of one thing.
func wideScripts() []hostileScript {
	n := hostileCount()
	return []hostileScript{
		{"probes", times(n, "begin { @ = 1; }\n"), false},
		{"attach points", times(n, "interval:s:1,") + "interval:s:1 { @ = 1; }", false},
		{"tracepoints", times(n, "tracepoint:sched:sched_switch { @ = args.prev_pid; }\n"), false},
		{"variables", "begin { " + each(3*n, "$v%d = 1; ") + "}", false},
		{"a chain of variables", "begin { $v = nsecs; " + times(3*n, "$v = $v + 1; ") + "}", false},
		{"maps", "begin { " + each(n, "@v%d = 1; ") + "}", false},
		{"maps in the reverse order", "begin { " + each(n/10, "@v%[1]d = @v%[1]d1; ") + "}", false},
		{"statements", "begin { " + times(n, `printf("%d", pid); `) + "}", false},
		{"elements of a tuple", "begin { $x = (" + times(n, "1,") + "1); }", false},
		{"parts of a key", "begin { @x[" + times(n, "1,") + "1] = 1; }", false},
		{"errors", "begin { " + each(n, "nosuch%d; ") + "}", false},
		{"settings", "config = { " + times(n, "max_strlen = 64; ") + "}\nbegin {}", true},
		{"a loop unrolled", "begin { " + times(3, "unroll (100) { ") + "$x = nsecs; " + times(3, "} ") + "}", false},
		{"tuples of the tuple before", "begin { $x0 = (1, 1); " + each(60, "$x%[1]d1 = ($x%[1]d, $x%[1]d); ") + "}", false},
	}
}

// definitionScripts have C definitions of all sorts.
func definitionScripts() []hostileScript {
	n := hostileCount()
	size := "\nbegin { print(sizeof(struct a)); }"
	return []hostileScript{
		{"structs in structs", "struct a {" + times(n, " struct {") + " int x; " + times(n, "};") + "};" + size, false},
		{"pointers to pointers", "struct a { int " + times(n, "*") + "x; };" + size, false},
		{"arrays of arrays", "struct a { int x" + times(n, "[2]") + "; };" + size, false},
		{"declarators", "struct a { int " + times(n, "(") + "*x" + times(n, ")") + "; };" + size, false},
		{"parentheses in C", "struct a { int x[" + times(n, "(") + "1" + times(n, ")") + "]; };" + size, false},
		{"conditions in C", "struct a { int x[" + times(n, "1?") + "1" + times(n, ":2") + "]; };" + size, false},
		{"open ifs", times(n, "#if 1\n") + "begin {}", false},
		{"many structs", each(n, "struct s%d { int a; };\n") + "begin {}", true},
		{"many bit fields", "struct a {" + each(n, "int a%d:1;") + "};" + size, true},
		{"structs of the two before", "struct s0 { int a; };\n" + linked(60, "struct s%[1]d { struct s%[2]d a; struct s%[2]d b; };\n") + "begin { print(sizeof(struct s60)); }", false},
		{"macros of the macro before", "#define A0 pid\n" + linked(60, "#define A%[1]d (A%[2]d + A%[2]d)\n") + "begin { print(A60); }", false},
		{"macros in a struct", "#define A0 1\n" + linked(60, "#define A%[1]d (A%[2]d + A%[2]d)\n") + "struct a { int x[A60]; };" + size, false},
		{"an array of all memory", "struct a { char x[0x7fffffffffffffff]; };" + size, false},
	}
}

// linked repeats a text with the numbers from 1 to n and the one before each.
func linked(n int, format string) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, format, i, i-1)
	}
	return b.String()
}

// noiseScripts are noise.
func noiseScripts() []hostileScript {
	size := 10 * hostileCount()
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, size)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	list := []hostileScript{
		{"random bytes", string(noise), false},
		{"random bytes in a probe", "begin { " + string(noise) + "}", false},
		{"a long integer", "begin { $x = " + times(size, "9") + "; }", false},
		{"a long string", "begin { print(\"" + times(size, "a") + "\"); }", false},
		{"a long format", "begin { printf(\"" + times(size/2, "%d") + "\", 1); }", false},
		{"a wide field", "begin { printf(\"%" + times(size, "9") + "d\", 1); }", true},
	}
	for _, token := range []string{"(", ";", ",", "@", "-", "#", "\x00", "if ", "begin{}"} {
		list = append(list, hostileScript{fmt.Sprintf("only %q", token), times(size/len(token), token), false},
			hostileScript{fmt.Sprintf("only %q in a probe", token), "begin { " + times(size/len(token), token) + " }", false})
	}
	return list
}
