package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shellCase is a case whose tracer is a shell with a script.
func shellCase(script string) *conformanceCase {
	return &conformanceCase{
		area: "self", name: "case", timeout: 5 * time.Second,
		args: []string{"-c", script}, sections: map[string]string{},
		files: map[string]string{}, outfiles: map[string]string{},
	}
}

func runShellCase(t *testing.T, c *conformanceCase) *caseRun {
	t.Helper()
	r := &caseRunner{tracer: []string{"sh"}, work: t.TempDir(), progs: "/progs", timescale: 1}
	run, err := r.run(c)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestConformanceJudge(t *testing.T) {
	type cases map[string]*conformanceCase
	with := func(script string, change func(*conformanceCase)) *conformanceCase {
		c := shellCase(script)
		change(c)
		return c
	}
	expect := func(kind, text string) func(*conformanceCase) {
		return func(c *conformanceCase) { c.sections[kind] = text }
	}
	right := cases{
		"line ends at the end do not count": with(`printf 'a\n\n'`, expect("expect", "a")),
		"directories":                       with(`echo $PWD; echo /progs/x`, expect("expect", "${DIR}\n${PROGS}/x")),
		"sorted":                            with(`printf 'b\n\na\n'`, func(c *conformanceCase) { c.sorted = true; c.sections["expect"] = "a\nb" }),
		"exact":                             with(`printf 'a\t\\\001\n'`, func(c *conformanceCase) { c.exact = true; c.sections["expect"] = `a\t\\\x01\n` }),
		"invalid UTF-8":                     with(`printf '\377'`, expect("expect", `\xff`)),
		"patterns match at lines": with(`printf 'a\nb\n'; echo c >&2`, func(c *conformanceCase) {
			c.sections = map[string]string{"expect_re": "^a$\n^b$", "stderr_re": "^c$", "combined_re": "^c$\n^a$", "reject_re": "^d$"}
		}),
		"exit code":          with(`exit 3`, func(c *conformanceCase) { c.exit = exitRule{kind: "code", code: 3} }),
		"any exit code":      with(`exit 3`, func(c *conformanceCase) { c.exit = exitRule{kind: "any"} }),
		"killed by a signal": with(`kill -TERM $$`, func(c *conformanceCase) { c.exit = exitRule{kind: "code", code: -15} }),
		"output file":        with(`echo x > log`, func(c *conformanceCase) { c.outfiles["log"] = "x" }),
		"input file":         with(`cat sub/in`, func(c *conformanceCase) { c.files["sub/in"] = "${DIR}\n"; c.sections["expect"] = "${DIR}" }),
		"environment": with(`echo $TZ $LC_ALL $A$BPFTRACE_X`, func(c *conformanceCase) {
			c.env = []string{"A=1"}
			c.sections["expect"] = "UTC C 1"
		}),
	}
	t.Setenv("BPFTRACE_X", "must not arrive")
	for name, c := range right {
		if why := c.judge(runShellCase(t, c)); len(why) > 0 {
			t.Errorf("%s: %q", name, why)
		}
	}
	wrong := cases{
		"stdout differs":                  with(`echo b`, expect("expect", "a")),
		"exact: stdout differs":           with(`echo a`, func(c *conformanceCase) { c.exact = true; c.sections["expect"] = "a" }),
		`expect_re: "^b$" did not match`:  with(`echo ab`, expect("expect_re", "^b$")),
		`reject_re: "b" matched`:          with(`echo ab >&2`, expect("reject_re", "b")),
		`stderr_re: "b" did not match`:    with(`echo ab`, expect("stderr_re", "b")),
		"exit code 1, expected 0":         shellCase(`exit 1`),
		"exit code 0, expected a failure": with(`:`, func(c *conformanceCase) { c.exit = exitRule{kind: "nonzero"} }),
		"file log differs":                with(`:`, func(c *conformanceCase) { c.outfiles["log"] = "x" }),
	}
	for name, c := range wrong {
		why := c.judge(runShellCase(t, c))
		_, want, found := strings.Cut(name, "exact: ")
		if !found {
			want = name
		}
		if len(why) != 1 || !strings.HasPrefix(why[0], want) {
			t.Errorf("%s: judged %q", name, why)
		}
	}
}

// Programs reach the tracer by option, by file and through standard input.
func TestConformanceProgramPassing(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*conformanceCase)
		want   string
	}{
		"option": {func(*conformanceCase) {}, "-e|PROG|last|"},
		"file":   {func(c *conformanceCase) { c.file = "p.bt" }, "${DIR}/p.bt|last|PROG\n"},
		"stdin":  {func(c *conformanceCase) { c.stdin = true }, "-|last|PROG\n"},
	} {
		c := shellCase(`printf '%s|' "$@"; cat; if [ -f p.bt ]; then cat p.bt; fi`)
		c.args = append(c.args, "sh") // $0 of the script
		c.after = []string{"last"}
		c.sections["program"] = "PROG"
		tc.change(c)
		run := runShellCase(t, c)
		if want := run.expand(tc.want, false); run.stdout != want {
			t.Errorf("%s: tracer got %q, want %q", name, run.stdout, want)
		}
	}
}

func TestConformanceSignals(t *testing.T) {
	c := shellCase(`trap 'echo caught' USR1; trap 'echo end; exit 4' INT; echo ready; while :; do sleep 0.05; done`)
	if err := setSignals(c, "USR1 after ready; INT after caught"); err != nil {
		t.Fatal(err)
	}
	run := runShellCase(t, c)
	if run.stdout != "ready\ncaught\nend\n" || run.code != 4 || run.timedOut {
		t.Errorf("output %q, exit code %d, timed out %v", run.stdout, run.code, run.timedOut)
	}
}

// A run that exceeds its limit is ended with its children, and so are children
// that a run leaves behind.
func TestConformanceEndsChildren(t *testing.T) {
	for name, script := range map[string]string{
		"at the limit": `sleep 60 & echo $!; wait`,
		"left behind":  `sleep 60 > /dev/null 2>&1 & echo $!`,
	} {
		c := shellCase(script)
		c.timeout = 300 * time.Millisecond
		run := runShellCase(t, c)
		if run.timedOut != (name == "at the limit") || (run.breakdown() != "") != run.timedOut {
			t.Errorf("%s: timed out %v, breakdown %q", name, run.timedOut, run.breakdown())
		}
		if pid := strings.TrimSpace(run.stdout); !goneSoon(pid) {
			t.Errorf("%s: child %s is still there", name, pid)
		}
	}
}

// goneSoon waits for a process to end; a zombie that nobody reaps has ended.
func goneSoon(pid string) bool {
	for range 50 {
		status, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		if err != nil || strings.Contains(string(status), ") Z ") {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

func TestConformanceSpawn(t *testing.T) {
	c := shellCase(`cat /proc/$1/comm; echo $1`)
	c.args = append(c.args, "sh", "${PID}")
	c.spawn = []string{"sleep", "60"}
	run := runShellCase(t, c)
	name, pid, _ := strings.Cut(strings.TrimSpace(run.stdout), "\n")
	if name != "sleep" || !goneSoon(pid) {
		t.Errorf("traced %q, process id %q must be gone", name, pid)
	}
}

func TestConformanceBreakdown(t *testing.T) {
	for text, broken := range map[string]bool{
		"panic: runtime error":             true,
		"x\ngoroutine 1 [running]:\n":      true,
		"goroutine 7 gp=0x1 m=0 [idle]:":   true,
		"fatal error: all goroutines":      true,
		"stdin:1:1-2: ERROR: BUG: no type": true,
		"DEBUG: fine":                      false,
		"kprobe:panic":                     false,
		"":                                 false,
	} {
		for _, run := range []caseRun{{stdout: text}, {stderr: text}} {
			if got := run.breakdown(); (got != "") != broken {
				t.Errorf("%q: breakdown %q, want one: %v", text, got, broken)
			}
		}
	}
}

func TestConformanceUnsupported(t *testing.T) {
	list, err := parseUnsupported("# head\n\na/fails  not written\na/gone  old\n")
	if err != nil {
		t.Fatal(err)
	}
	cases := []*conformanceCase{{area: "a", name: "fails"}}
	if got := list.orphans(cases); !slices.Equal(got, []string{"a/gone"}) {
		t.Errorf("orphans %q", got)
	}
	s := &conformanceSuite{unsupported: list}
	bad := []string{"stdout differs"}
	for _, tc := range []struct {
		id        string
		broken    bool
		why       []string
		complaint string
		known     bool
	}{
		{"a/new", false, nil, "", false},
		{"a/new", false, bad, "stdout differs", false},
		{"a/fails", false, bad, "", true},
		{"a/fails", false, nil, "now passes: remove it from unsupported.txt", false},
		{"a/fails", true, bad, "stdout differs", false},
	} {
		complaint, known := s.verdict(tc.id, tc.broken, tc.why)
		if complaint != tc.complaint || known != tc.known {
			t.Errorf("%+v: got %q, %v", tc, complaint, known)
		}
	}
	for _, text := range []string{"a/x\n", "a/x  one\na/x  two\n"} {
		if _, err := parseUnsupported(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestConformanceUnsupportedUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "unsupported.txt")
	if err := os.WriteFile(path, []byte("# head\n# of the file\nz/stays  mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	list := unsupportedCases{"z/stays": "mine", "a/passes": "old", "a/notrun": "kept"}
	next := list.merge(map[string]string{
		"z/stays": "exit code 1", "a/passes": "", "b/new": "stdout differs\n--- expected", "b/fine": "",
	})
	if err := next.write(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "# head\n# of the file\n\na/notrun  kept\nb/new  stdout differs\nz/stays  mine\n"
	if string(got) != want {
		t.Errorf("list\n%s\nwant\n%s", got, want)
	}
}
