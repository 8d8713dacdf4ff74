package vmtest

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// testCase is one script with what it must print, read from a txtar file:
//
//	Text for the reader.
//	requires: fentry kernel>=6.1 !kprobe_multi
//	-- script --
//	kprobe:vfs_read { @ = count(); }
//	-- workload --
//	cat /etc/x
//	-- stdout --
//	^@: \d+$
//
// The tracer runs with "-q -c 'sh workload'". Each line of stdout and stderr is
// a regular expression that must match a line of the output, in this order; the
// lines of absent must match none of stdout. Keys: requires (see feature), args
// (options before the script), exit (0, or "nonzero"), timeout (a duration).
type testCase struct {
	name, script, workload string
	requires, args         []string
	exit                   string
	timeout                time.Duration
	stdout, stderr, absent []*regexp.Regexp
}

const defaultCaseTimeout = time.Minute

func readCases(pattern string) ([]testCase, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var cases []testCase
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			return nil, err
		}
		c, err := parseCase(strings.TrimSuffix(filepath.Base(file), ".txtar"), archive)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("no cases in %s", pattern)
	}
	return cases, nil
}

func parseCase(name string, archive *txtar.Archive) (testCase, error) {
	c := testCase{name: name, exit: "0", timeout: defaultCaseTimeout}
	for line := range strings.Lines(string(archive.Comment)) {
		if err := c.header(strings.TrimSpace(line)); err != nil {
			return c, err
		}
	}
	for _, file := range archive.Files {
		if err := c.section(file.Name, string(file.Data)); err != nil {
			return c, fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	if c.script == "" || len(c.stdout)+len(c.stderr) == 0 {
		return c, errors.New("a case needs a script and expects something of stdout or stderr")
	}
	return c, nil
}

func (c *testCase) header(line string) (err error) {
	key, value, ok := strings.Cut(line, ": ")
	if !ok || strings.Contains(key, " ") {
		return nil // text for the reader
	}
	value = strings.TrimSpace(value)
	switch key {
	case "requires":
		c.requires = strings.Fields(value)
	case "args":
		c.args = strings.Fields(value)
	case "exit":
		if c.exit = value; value != "nonzero" {
			_, err = strconv.ParseUint(value, 10, 8)
		}
	case "timeout":
		c.timeout, err = time.ParseDuration(value)
	default:
		err = fmt.Errorf("unknown key %q", key)
	}
	return err
}

func (c *testCase) section(name, text string) (err error) {
	switch name {
	case "script":
		c.script = text
	case "workload":
		c.workload = text
	case "stdout":
		c.stdout, err = compileLines(text)
	case "stderr":
		c.stderr, err = compileLines(text)
	case "absent":
		c.absent, err = compileLines(text)
	default:
		err = errors.New("unknown section")
	}
	return err
}

func compileLines(text string) ([]*regexp.Regexp, error) {
	var all []*regexp.Regexp
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			continue
		}
		re, err := regexp.Compile(line)
		if err != nil {
			return nil, err
		}
		all = append(all, re)
	}
	return all, nil
}

// judge compares what a case printed with what it must.
func (c *testCase) judge(status int, stdout, stderr string) error {
	var problems []error
	if c.exit == "nonzero" && status == 0 || c.exit != "nonzero" && strconv.Itoa(status) != c.exit {
		problems = append(problems, fmt.Errorf("exit status %d, want %s", status, c.exit))
	}
	problems = append(problems, inOrder("stdout", c.stdout, stdout), inOrder("stderr", c.stderr, stderr))
	for _, re := range c.absent {
		for line := range strings.Lines(stdout) {
			if re.MatchString(strings.TrimRight(line, "\n")) {
				problems = append(problems, fmt.Errorf("stdout has the line %q, which %q forbids", line, re))
			}
		}
	}
	return errors.Join(problems...)
}

// inOrder demands a line for each expression, later ones below earlier ones.
func inOrder(stream string, expressions []*regexp.Regexp, text string) error {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for _, re := range expressions {
		for len(lines) > 0 && !re.MatchString(lines[0]) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			return fmt.Errorf("%s has no line like %q in its place", stream, re)
		}
		lines = lines[1:]
	}
	return nil
}

func TestParseCase(t *testing.T) {
	c, err := parseCase("demo", txtar.Parse([]byte("Counts reads.\nrequires: fentry !kernel>=6.2\nargs: -v\nexit: 3\n"+
		"timeout: 5s\n-- script --\nprog\n-- workload --\ntrue\n-- stdout --\n^a$\n\n^b$\n-- absent --\n^x\n")))
	if err != nil {
		t.Fatal(err)
	}
	if c.script != "prog\n" || c.workload != "true\n" || len(c.requires) != 2 || c.args[0] != "-v" || c.timeout != 5*time.Second {
		t.Errorf("parsed as %+v", c)
	}
	tests := []struct {
		name   string
		status int
		stdout string
		ok     bool
	}{
		{"as demanded", 3, "a\nmore\nb\n", true},
		{"other status", 0, "a\nb\n", false},
		{"other order", 3, "b\na\n", false},
		{"line missing", 3, "a\n", false},
		{"nothing", 3, "", false},
		{"forbidden line", 3, "a\nb\nxyz\n", false},
	}
	for _, tt := range tests {
		if err := c.judge(tt.status, tt.stdout, ""); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCasesThatCanNotFailAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no script":           "-- stdout --\nx\n",
		"nothing expected":    "-- script --\nprog\n-- stdout --\n\n",
		"unknown section":     "-- script --\nprog\n-- stdout --\nx\n-- expect --\ny\n",
		"unknown key":         "require: x\n-- script --\nprog\n-- stdout --\nx\n",
		"bad exit":            "exit: 256\n-- script --\nprog\n-- stdout --\nx\n",
		"bad timeout":         "timeout: 5\n-- script --\nprog\n-- stdout --\nx\n",
		"regexp not closed":   "-- script --\nprog\n-- stdout --\n[\n",
		"regexp of absence":   "-- script --\nprog\n-- stdout --\nx\n-- absent --\n(\n",
		"empty case":          "",
		"comment and nothing": "only: text",
	} {
		if c, err := parseCase(name, txtar.Parse([]byte(text))); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
}

func TestFeatures(t *testing.T) {
	kernel := &Kernel{Release: "6.1.0-50-cloud-amd64"}
	options := map[string]string{"CONFIG_FPROBE": "y", "CONFIG_VIRTIO": "m"}
	for name, want := range map[string]bool{
		"kernel>=6.1": true, "kernel>=5.19": true, "kernel>=6.2": false, "kernel>=7.0": false,
		"kprobe_multi": true, "fentry": false,
		"CONFIG_FPROBE": true, "CONFIG_VIRTIO": false, "CONFIG_VIRTIO=m": true, "CONFIG_ABSENT": false,
	} {
		if got, err := feature(kernel, options, name); err != nil || got != want {
			t.Errorf("feature(%s) = %v, %v; want %v", name, got, err, want)
		}
	}
	for _, name := range []string{"", "fantasy", "kernel>=six", "kernel>=6"} {
		if _, err := feature(kernel, options, name); err == nil {
			t.Errorf("requirement %q is accepted", name)
		}
	}
}

// TestCasesAreReadable checks the committed cases without a guest.
func TestCasesAreReadable(t *testing.T) {
	cases, err := readCases("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		for _, requirement := range c.requires {
			if _, err := feature(&Kernel{Release: "6.1"}, nil, strings.TrimPrefix(requirement, "!")); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}
