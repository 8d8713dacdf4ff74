package main_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const sampleCases = `Lines before the first case are an introduction.
unknown: keys do not matter here

==== full
# a comment
args: -q -f json
after: -c "${PROGS}/basic one"
env: A=1 B='x y'
requires: btf, kprobe
timeout: 2.5
retries: 2
exit: 3
file: main.bt
stdin: yes
sort: yes
exact: yes
spawn: sleep 1
signal: USR1 after Attached; INT after caught
oracle: no: it crashes
note: all keys
---- program
BEGIN { }
---- file sub/data.txt
first

---- expect
one
==== other

---- outfile log
text

==== plain
---- expect_re
^a$
^b$

`

func TestConformanceParse(t *testing.T) {
	cases, err := parseConformanceCases("area", sampleCases)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, c := range cases {
		names = append(names, fmt.Sprintf("%s:%d", c.id(), c.line))
	}
	if len(cases) != 3 {
		t.Fatalf("cases %q, want 3", names)
	}
	c := cases[0]
	check := func(what string, got, want any) {
		t.Helper()
		if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
			t.Errorf("%s: %s, want %s", what, g, w)
		}
	}
	check("id", c.id(), "area/full")
	check("line", c.line, 4)
	check("args", c.args, []string{"-q", "-f", "json"})
	check("after", c.after, []string{"-c", "${PROGS}/basic one"})
	check("env", c.env, []string{"A=1", "B=x y"})
	check("requires", c.requires, []string{"btf", "kprobe"})
	check("timeout", c.timeout, 2500*time.Millisecond)
	check("retries", c.retries, 2)
	check("exit", c.wantedExit(), exitRule{kind: "code", code: 3})
	check("file", c.file, "main.bt")
	check("flags", []bool{c.stdin, c.sorted, c.exact}, []bool{true, true, true})
	check("spawn", c.spawn, []string{"sleep", "1"})
	check("oracle", c.oracle, "it crashes")
	check("signals", len(c.signals), 2)
	check("signal", c.signals[0].signal, "user defined signal 1")
	check("program", c.sections["program"], "BEGIN { }")
	check("a file keeps its blank lines", c.files["sub/data.txt"], "first\n\n")
	check("expect", c.sections["expect"], "one")
	check("outfile loses the blank line", cases[1].outfiles["log"], "text")
	check("default args", cases[2].args, []string{"--no-warnings"})
	check("default limit", cases[2].timeout, 10*time.Second)
	check("default exit", cases[2].wantedExit(), exitRule{kind: "code"})
	check("patterns", cases[2].patterns("expect_re"), []string{"^a$", "^b$"})
}

func TestConformanceParseError(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"==== a\ncolour: red", `2: unknown key "colour"`},
		{"==== a\n---- expectation\nx\n==== b", `4: case a: unknown section "expectation"`},
		{"==== a\n---- nothing", `at the end: case a: unknown section "nothing"`},
		{"==== a\n==== a", `2: duplicate case name "a"`},
		{"==== a b", `1: bad case name "a b"`},
		{"==== a\nrequires: btf, warp", `2: unknown requirement "warp"`},
		{"==== a\nsort: no", `2: value "no", only yes is known`},
		{"==== a\ntimeout: soon", `2: bad time limit "soon"`},
		{"==== a\nexit: bad", `2: strconv.Atoi: parsing "bad": invalid syntax`},
		{"==== a\nretries: x", `2: strconv.Atoi: parsing "x": invalid syntax`},
		{"==== a\nerror: 1:2 word", `2: malformed error position "1:2"`},
		{"==== a\nerror: 1 (", "2: error parsing regexp: missing closing ): `(?i)(`"},
		{"==== a\nsignal: INT", `2: signal wants "NAME after PATTERN", not "INT"`},
		{"==== a\nsignal: NONE after x", `2: signal wants "NAME after PATTERN", not "NONE after x"`},
		{"==== a\noracle: maybe", `2: oracle wants "no: reason"`},
		{"==== a\nargs: \"x", `2: quote is not closed`},
		{"==== a\nfile: ../x", `2: file name "../x" leaves the directory of the case`},
		{"==== a\n---- file /etc/x\n", `at the end: case a: file name "/etc/x" leaves the directory of the case`},
	} {
		_, err := parseConformanceCases("area", tc.text)
		if err == nil || err.Error() != tc.want {
			t.Errorf("%q: error %v, want %s", tc.text, err, tc.want)
		}
	}
}

func TestConformanceFaultPosition(t *testing.T) {
	for _, tc := range []struct{ rule, report, want string }{
		{"1:9-12", "stdin:1:9-12: ERROR: x", ""},
		{"1:9-12", "stdin:1:8-20: ERROR: x", ""},
		{"1:9-12", "stdin:1:12-14: ERROR: x", ""},
		{"1:9-12", "stdin:1:13-14: ERROR: x", "no error reported at 1:9-12"},
		{"1:9-12", "stdin:1:7-12: ERROR: x", "no error reported at 1:9-12"},
		{"1:9-12", "stdin:2:9-12: ERROR: x", "no error reported at 1:9-12"},
		{"1:9-12", "stdin:1:9-12: WARNING: x", "no error reported at 1:9-12"},
		{"1:9-12", "stdlib/a.bt:1:9-12: ERROR: x", "no error reported at 1:9-12"},
		{"1:9-12", "stdlib/a.bt:1:9-12: ERROR: x\nstdin:1:9: ERROR: y", ""},
		{"1:9-12", "stdin:1-3: ERROR: x", ""},
		{"1", "stdin:1:77-99: ERROR: x", ""},
		{"1-3", "stdin:1-3: ERROR: x", ""},
		{"- word", "ERROR: a Word", ""},
		{"- word", "ERROR: other", `error report lacks "(?i)word"`},
		{"-", "fine", "no error reported"},
		{"-", "ERROR: BUG in the verifier", "the tracer broke down"},
	} {
		c := &conformanceCase{}
		if err := setFault(c, tc.rule); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.fault.judge(tc.report), "; "); got != tc.want {
			t.Errorf("%s: %q gives %q, want %q", tc.rule, tc.report, got, tc.want)
		}
	}
}

func TestSplitShellWords(t *testing.T) {
	for line, want := range map[string][]string{
		``:                  nil,
		"  a\tb ":           {"a", "b"},
		`-c "a b" 'c "d"'`:  {"-c", "a b", `c "d"`},
		`A=`:                {"A="},
		`'' ""`:             {"", ""},
		`a\ b a"b"'c'`:      {"a b", "abc"},
		`"\$x \" \\ \n"`:    {`\$x " \ \n`},
		`'\'`:               {`\`},
		`kprobe:a#b # c`:    {"kprobe:a#b", "#", "c"},
		`-e "BEGIN { $x }"`: {"-e", "BEGIN { $x }"},
	} {
		if got, err := splitShellWords(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`"a`, `'a`, `a\`, `"\"`} {
		if got, err := splitShellWords(line); err == nil {
			t.Errorf("%q: %q, want an error", line, got)
		}
	}
}

// TestConformanceCases checks the set itself: that it is there, that every
// pattern is one, and that no case demands nothing.
func TestConformanceCases(t *testing.T) {
	cases, err := loadConformanceCases(conformanceDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 1600 {
		t.Errorf("%d cases, want the whole set", len(cases))
	}
	run := &caseRun{dir: "/tmp/case", progs: "/tmp/progs"}
	for _, c := range cases {
		for _, section := range []string{"expect_re", "reject_re", "stderr_re", "combined_re"} {
			for _, pattern := range c.patterns(section) {
				if _, err := regexp.Compile("(?m)" + run.expand(pattern, true)); err != nil {
					t.Errorf("%s: %v", c.id(), err)
				}
			}
		}
		if len(c.sections) == 0 && len(c.args) == 0 {
			t.Errorf("%s runs nothing", c.id())
		}
	}
	list, err := loadUnsupported(unsupportedPath)
	if err != nil {
		t.Fatal(err)
	}
	if orphans := list.orphans(cases); len(orphans) > 0 && !updatesUnsupported() {
		t.Errorf("%s lists cases that do not exist: %q", unsupportedPath, orphans)
	}
}
