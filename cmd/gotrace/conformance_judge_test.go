package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

// caseRun is what one run of the tracer left.
type caseRun struct {
	dir            string // directory of the case
	progs          string // directory of the compiled programs
	command        []string
	stdout, stderr string
	code           int // exit code, or minus the number of the signal that ended it
	timedOut       bool
	limit          time.Duration
}

// expand replaces ${DIR} and ${PROGS}. Within a regular expression the
// directory is quoted.
func (r *caseRun) expand(s string, quoteDir bool) string {
	dir := r.dir
	if quoteDir {
		dir = regexp.QuoteMeta(dir)
	}
	return strings.NewReplacer("${DIR}", dir, "${PROGS}", r.progs, "${PID}", "").Replace(s)
}

// judge returns what is wrong with a run, nothing when it conforms.
func (c *conformanceCase) judge(r *caseRun) []string {
	var why []string
	why = append(why, c.judgeStdout(r)...)
	why = append(why, c.judgePatterns(r)...)
	why = append(why, c.judgeFiles(r)...)
	if c.fault != nil {
		why = append(why, c.fault.judge(r.stderr+"\n"+r.stdout)...)
	}
	switch want := c.wantedExit(); {
	case want.kind == "nonzero" && r.code == 0:
		why = append(why, "exit code 0, expected a failure")
	case want.kind == "code" && r.code != want.code:
		why = append(why, fmt.Sprintf("exit code %d, expected %d", r.code, want.code))
	}
	return why
}

func (c *conformanceCase) judgeStdout(r *caseRun) []string {
	want, ok := c.sections["expect"]
	if !ok {
		return nil
	}
	want = r.expand(want, false)
	got := r.stdout
	if c.exact {
		want = unescapeExact(want)
	} else {
		got = strings.TrimRight(got, "\n")
	}
	if c.sorted {
		want, got = sortedLines(want), sortedLines(got)
	}
	if want == got {
		return nil
	}
	if c.exact {
		want, got = strconv.Quote(want), strconv.Quote(got)
	}
	return []string{"stdout differs\n" + showDiff(want, got)}
}

func (c *conformanceCase) judgePatterns(r *caseRun) []string {
	var why []string
	for _, rule := range []struct {
		section, text string
		want          bool
	}{
		{"expect_re", r.stdout, true},
		{"reject_re", r.stdout + r.stderr, false},
		{"stderr_re", r.stderr, true},
		{"combined_re", r.stdout + "\n" + r.stderr, true},
	} {
		for _, pattern := range c.patterns(rule.section) {
			re, err := regexp.Compile("(?m)" + r.expand(pattern, true))
			switch {
			case err != nil:
				why = append(why, err.Error())
			case re.MatchString(rule.text) != rule.want:
				verb := map[bool]string{true: "did not match", false: "matched"}[rule.want]
				why = append(why, fmt.Sprintf("%s: %q %s", rule.section, pattern, verb))
			}
		}
	}
	return why
}

// patterns are the regular expressions of a section, one a line.
func (c *conformanceCase) patterns(section string) []string {
	lines := strings.Split(c.sections[section], "\n")
	return slices.DeleteFunc(lines, func(s string) bool { return s == "" })
}

func (c *conformanceCase) judgeFiles(r *caseRun) []string {
	var why []string
	for name, want := range c.outfiles {
		text, err := os.ReadFile(filepath.Join(r.dir, name))
		got := strings.TrimRight(string(text), "\n")
		if err != nil {
			got = fmt.Sprintf("<%v>", err)
		}
		if want = r.expand(want, false); got != want {
			why = append(why, "file "+name+" differs\n"+showDiff(want, got))
		}
	}
	slices.Sort(why)
	return why
}

// judge looks for a report that starts in the demanded columns, with one column
// of slack before them. Reports about the standard library say where a macro of
// it was used wrongly, which is no position in the program.
func (f *faultRule) judge(text string) []string {
	var why []string
	if strings.Contains(text, "BUG") || strings.Contains(text, "panic") {
		why = append(why, "the tracer broke down")
	}
	switch {
	case f.anywhere && !strings.Contains(text, "ERROR"):
		why = append(why, "no error reported")
	case !f.anywhere && !f.reported(text):
		why = append(why, "no error reported at "+f.text)
	}
	if f.word != nil && !f.word.MatchString(text) {
		why = append(why, fmt.Sprintf("error report lacks %q", f.word))
	}
	return why
}

func (f *faultRule) reported(text string) bool {
	report := regexp.MustCompile(`(?m)^\S*?:(\d+)(?::(\d+)(?:-\d+)?|-\d+): ERROR`)
	for _, m := range report.FindAllStringSubmatch(text, -1) {
		if line, _ := strconv.Atoi(m[1]); line != f.line || strings.HasPrefix(m[0], "stdlib/") {
			continue
		}
		if !f.columns || m[2] == "" {
			return true
		}
		if column, _ := strconv.Atoi(m[2]); f.from-1 <= column && column <= f.to {
			return true
		}
	}
	return false
}

// breakdown says how the tracer itself failed, "" when it did not. Such a run
// is wrong whatever the case expects.
func (r *caseRun) breakdown() string {
	if r.timedOut {
		return fmt.Sprintf("timed out after %v", r.limit)
	}
	mark := regexp.MustCompile(`(?m)^panic: |^goroutine \d+ .*\[|^fatal error: |\bBUG\b|^SIG[A-Z]+: |internal compiler error`)
	if m := mark.FindString(r.stderr + "\n" + r.stdout); m != "" {
		return fmt.Sprintf("the tracer broke down: %q", m)
	}
	return ""
}

func sortedLines(s string) string {
	lines := slices.DeleteFunc(strings.Split(s, "\n"), func(l string) bool { return l == "" })
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func showDiff(want, got string) string {
	return string(diff.Diff("expected", []byte(want+"\n"), "actual", []byte(got+"\n")))
}

// unescapeExact resolves the escapes \n \t \r \\ and \xNN, and leaves other
// backslashes alone. As all output is compared as text, \xNN is a code point.
func unescapeExact(s string) string {
	escape := regexp.MustCompile(`\\(n|t|r|\\|x[0-9a-f]{2})`)
	return escape.ReplaceAllStringFunc(s, func(m string) string {
		switch m[1] {
		case 'n':
			return "\n"
		case 't':
			return "\t"
		case 'r':
			return "\r"
		case '\\':
			return `\`
		}
		n, _ := strconv.ParseUint(m[2:], 16, 8)
		return string(rune(n))
	})
}

// printable turns bytes that are no UTF-8 into \xNN, so that the text of a case
// file can name them.
func printable(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&out, `\x%02x`, b[0])
		} else {
			out.Write(b[:n])
		}
		b = b[n:]
	}
	return out.String()
}
