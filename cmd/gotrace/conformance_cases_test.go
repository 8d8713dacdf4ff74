package main_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// conformanceCase is one case of a .cases file; testdata/conformance/README.md
// describes the format.
type conformanceCase struct {
	area, name string
	line       int // line of the "====" mark

	args, after []string // arguments before and behind the program
	env         []string // NAME=value
	requires    []string // names that hostFeatures knows
	timeout     time.Duration
	retries     int
	exit        exitRule
	fault       *faultRule // nil unless a compile error is demanded
	file        string     // the program is written to this file
	stdin       bool       // the program goes to standard input
	spawn       []string   // command started before the tracer
	signals     []signalRule
	sorted      bool   // compare lines in sorted order
	exact       bool   // compare to the last byte
	oracle      string // why the reference tracer cannot judge the case

	sections map[string]string // by section name without argument
	files    map[string]string // made before the run
	outfiles map[string]string // demanded after it
}

func (c *conformanceCase) id() string { return c.area + "/" + c.name }

// exitRule says which exit codes are right: one code, or by kind "any" or
// "nonzero".
type exitRule struct {
	kind string
	code int
}

// faultRule demands a report that starts on a line, between two columns.
type faultRule struct {
	text     string
	anywhere bool // no position demanded
	line     int
	columns  bool // from and to are set
	from, to int
	word     *regexp.Regexp // nil: any wording
}

// signalRule sends a signal once a pattern has appeared in the output.
type signalRule struct {
	signal  syscall.Signal
	pattern *regexp.Regexp
}

// loadConformanceCases reads every .cases file of a directory, by area.
func loadConformanceCases(dir string) ([]*conformanceCase, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.cases"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no .cases files", dir)
	}
	var all []*conformanceCase
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		area := strings.TrimSuffix(filepath.Base(path), ".cases")
		cases, err := parseConformanceCases(area, string(text))
		if err != nil {
			return nil, fmt.Errorf("%s:%w", path, err)
		}
		all = append(all, cases...)
	}
	return all, nil
}

// caseParser holds what is known at one line of a .cases file.
type caseParser struct {
	area    string
	headers map[string]headerSetter
	cases   []*conformanceCase
	names   map[string]bool
	section string // open section with its argument, "" in the header
	body    []string
}

func parseConformanceCases(area, text string) ([]*conformanceCase, error) {
	p := &caseParser{area: area, headers: headerSetters(), names: map[string]bool{}}
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if err := p.add(n+1, line); err != nil {
			return nil, fmt.Errorf("%d: %w", n+1, err)
		}
	}
	if err := p.endSection(); err != nil {
		return nil, fmt.Errorf("at the end: %w", err)
	}
	return p.cases, nil
}

func (p *caseParser) add(n int, line string) error {
	if name, ok := strings.CutPrefix(line, "==== "); ok {
		if err := p.endSection(); err != nil {
			return err
		}
		return p.startCase(n, strings.TrimSpace(name))
	}
	if len(p.cases) == 0 {
		return nil // introduction of the file
	}
	if section, ok := strings.CutPrefix(line, "---- "); ok {
		err := p.endSection()
		p.section = strings.TrimSpace(section)
		return err
	}
	if p.section != "" {
		p.body = append(p.body, line)
		return nil
	}
	if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	key, value, _ := strings.Cut(line, ":")
	set, ok := p.headers[strings.TrimSpace(key)]
	if !ok {
		return fmt.Errorf("unknown key %q", key)
	}
	return set(p.cases[len(p.cases)-1], strings.TrimSpace(value))
}

func (p *caseParser) startCase(n int, name string) error {
	if name == "" || strings.ContainsAny(name, " \t/") {
		return fmt.Errorf("bad case name %q", name)
	}
	if p.names[name] {
		return fmt.Errorf("duplicate case name %q", name)
	}
	p.names[name] = true
	p.cases = append(p.cases, &conformanceCase{
		area: p.area, name: name, line: n,
		args:     []string{"--no-warnings"},
		timeout:  10 * time.Second,
		sections: map[string]string{},
		files:    map[string]string{},
		outfiles: map[string]string{},
	})
	return nil
}

// endSection stores the open section. A blank line before the next case
// belongs to the layout of the file, not to the section.
func (p *caseParser) endSection() error {
	if p.section == "" {
		return nil
	}
	c := p.cases[len(p.cases)-1]
	text := strings.Join(p.body, "\n")
	trimmed := strings.TrimRight(text, "\n")
	kind, name, _ := strings.Cut(p.section, " ")
	p.section, p.body = "", nil
	switch kind {
	case "program", "expect", "expect_re", "reject_re", "stderr_re", "combined_re":
		c.sections[kind] = trimmed
		return nil
	case "file", "outfile":
		name = strings.TrimSpace(name)
		if !filepath.IsLocal(name) {
			return fmt.Errorf("case %s: file name %q leaves the directory of the case", c.name, name)
		}
		if kind == "file" {
			c.files[name] = text + "\n"
		} else {
			c.outfiles[name] = trimmed
		}
		return nil
	}
	return fmt.Errorf("case %s: unknown section %q", c.name, kind)
}

// headerSetter stores the value of one header line.
type headerSetter func(c *conformanceCase, value string) error

func headerSetters() map[string]headerSetter {
	words := func(field func(*conformanceCase) *[]string) headerSetter {
		return func(c *conformanceCase, value string) (err error) {
			*field(c), err = splitShellWords(value)
			return err
		}
	}
	return map[string]headerSetter{
		"note":  func(*conformanceCase, string) error { return nil },
		"args":  words(func(c *conformanceCase) *[]string { return &c.args }),
		"after": words(func(c *conformanceCase) *[]string { return &c.after }),
		"env":   words(func(c *conformanceCase) *[]string { return &c.env }),
		"spawn": words(func(c *conformanceCase) *[]string { return &c.spawn }),
		"file":  setFile,
		"stdin": yes(func(c *conformanceCase) *bool { return &c.stdin }),
		"sort":  yes(func(c *conformanceCase) *bool { return &c.sorted }),
		"exact": yes(func(c *conformanceCase) *bool { return &c.exact }),
		"retries": func(c *conformanceCase, value string) (err error) {
			c.retries, err = strconv.Atoi(value)
			return err
		},
		"requires": setRequires,
		"timeout":  setTimeout,
		"exit":     setExit,
		"error":    setFault,
		"signal":   setSignals,
		"oracle":   setOracle,
	}
}

func yes(field func(*conformanceCase) *bool) headerSetter {
	return func(c *conformanceCase, value string) error {
		if value != "yes" {
			return fmt.Errorf("value %q, only yes is known", value)
		}
		*field(c) = true
		return nil
	}
}

func setFile(c *conformanceCase, value string) error {
	if !filepath.IsLocal(value) {
		return fmt.Errorf("file name %q leaves the directory of the case", value)
	}
	c.file = value
	return nil
}

func setRequires(c *conformanceCase, value string) error {
	c.requires = strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", \t", r) })
	known := hostFeatureNames()
	for _, name := range c.requires {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown requirement %q", name)
		}
	}
	return nil
}

func setTimeout(c *conformanceCase, value string) error {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || seconds <= 0 {
		return fmt.Errorf("bad time limit %q", value)
	}
	c.timeout = time.Duration(seconds * float64(time.Second))
	return nil
}

func setExit(c *conformanceCase, value string) error {
	if value == "any" || value == "nonzero" {
		c.exit = exitRule{kind: value}
		return nil
	}
	code, err := strconv.Atoi(value)
	c.exit = exitRule{kind: "code", code: code}
	return err
}

func setOracle(c *conformanceCase, value string) error {
	reason, ok := strings.CutPrefix(value, "no:")
	if !ok || strings.TrimSpace(reason) == "" {
		return errors.New("oracle wants \"no: reason\"")
	}
	c.oracle = strings.TrimSpace(reason)
	return nil
}

func setFault(c *conformanceCase, value string) error {
	position, word, _ := strings.Cut(value, " ")
	f := &faultRule{text: position, anywhere: position == "-"}
	if !f.anywhere {
		m := regexp.MustCompile(`^(\d+)(?::(\d+)-(\d+))?(?:-(\d+))?$`).FindStringSubmatch(position)
		if m == nil {
			return fmt.Errorf("malformed error position %q", position)
		}
		f.line, _ = strconv.Atoi(m[1])
		if f.columns = m[2] != ""; f.columns {
			f.from, _ = strconv.Atoi(m[2])
			f.to, _ = strconv.Atoi(m[3])
		}
	}
	if word = strings.TrimSpace(word); word != "" {
		re, err := regexp.Compile("(?i)" + word)
		if err != nil {
			return err
		}
		f.word = re
	}
	c.fault = f
	return nil
}

func setSignals(c *conformanceCase, value string) error {
	for part := range strings.SplitSeq(value, ";") {
		name, pattern, ok := strings.Cut(strings.TrimSpace(part), " after ")
		number := unix.SignalNum("SIG" + strings.TrimSpace(name))
		if !ok || number == 0 {
			return fmt.Errorf("signal wants \"NAME after PATTERN\", not %q", part)
		}
		re, err := regexp.Compile(strings.TrimSpace(pattern))
		if err != nil {
			return err
		}
		c.signals = append(c.signals, signalRule{number, re})
	}
	return nil
}

// wantedExit is the rule for the exit code: without one, a compile error is
// demanded to fail and everything else to succeed.
func (c *conformanceCase) wantedExit() exitRule {
	switch {
	case c.exit.kind != "":
		return c.exit
	case c.fault != nil:
		return exitRule{kind: "nonzero"}
	}
	return exitRule{kind: "code", code: 0}
}
