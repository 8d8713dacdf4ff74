package main_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	conformanceDir  = "testdata/conformance"
	unsupportedPath = conformanceDir + "/unsupported.txt"
)

// TestConformance runs the built tracer over the cases of testdata/conformance
// and compares what it prints. The README there tells the format of the cases
// and the environment variables that this test reads.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the tracer some 1,700 times")
	}
	if err := tryRoot(); err != nil {
		t.Skipf("tracing needs root: %v", err)
	}
	if err := tryCommand("gcc"); err != nil {
		t.Skipf("gcc compiles the traced programs: %v", err)
	}
	if err := tryFile("/sys/kernel/tracing/events"); err != nil {
		t.Fatalf("tracefs is needed (mount -t tracefs tracefs /sys/kernel/tracing): %v", err)
	}
	cases, err := loadConformanceCases(conformanceDir)
	if err != nil {
		t.Fatal(err)
	}
	s := newConformanceSuite(t, cases)
	byArea := map[string][]*conformanceCase{}
	for _, c := range cases {
		byArea[c.area] = append(byArea[c.area], c)
	}
	for _, area := range slices.Sorted(maps.Keys(byArea)) {
		t.Run(area, func(t *testing.T) {
			for _, c := range byArea[area] {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					s.check(t, c)
				})
			}
		})
	}
	s.finish(t)
}

// conformanceSuite is one run of the set.
type conformanceSuite struct {
	runner      *caseRunner
	host        hostFeatures
	reference   bool // the tracer is the one that the expectations come from
	update      bool // write the list of unsupported cases anew
	unsupported unsupportedCases

	mu       sync.Mutex
	totals   map[string]*caseTotals // by area
	outcomes map[string]string      // first complaint of each case that ran, or ""
}

// caseTotals counts cases by how they ended.
type caseTotals struct{ passed, failed, unsupported, skipped int }

func newConformanceSuite(t *testing.T, cases []*conformanceCase) *conformanceSuite {
	s := &conformanceSuite{
		host:     newHostFeatures(),
		update:   updatesUnsupported(),
		totals:   map[string]*caseTotals{},
		outcomes: map[string]string{},
	}
	s.runner = &caseRunner{work: t.TempDir(), progs: t.TempDir(), timescale: 1}
	if text := os.Getenv("GOTRACE_CONFORMANCE_TIMESCALE"); text != "" {
		scale, err := strconv.ParseFloat(text, 64)
		if err != nil || scale <= 0 {
			t.Fatalf("GOTRACE_CONFORMANCE_TIMESCALE=%q is no positive number", text)
		}
		s.runner.timescale = scale
	}
	if err := buildConformanceProgs(filepath.Join(conformanceDir, "progs"), s.runner.progs); err != nil {
		t.Fatal(err)
	}
	if line := os.Getenv("GOTRACE_CONFORMANCE_TRACER"); line != "" {
		s.useReference(t, line)
		return s
	}
	removePins(t)
	t.Cleanup(func() { removePins(t) })
	s.runner.tracer = []string{buildTracer(t)}
	s.loadUnsupported(t, cases)
	return s
}

// removePins removes what cases of an earlier run have pinned: pins outlive the
// tracer.
func removePins(t *testing.T) {
	pins, err := filepath.Glob("/sys/fs/bpf/gotrace_conformance_*")
	for _, pin := range pins {
		err = errors.Join(err, os.Remove(pin))
	}
	if err != nil {
		t.Error(err)
	}
}

// updatesUnsupported tells whether the run writes the list of unsupported cases
// anew.
func updatesUnsupported() bool { return os.Getenv("GOTRACE_CONFORMANCE_UPDATE") == "1" }

// useReference runs the set through another tracer, to check the cases.
func (s *conformanceSuite) useReference(t *testing.T, line string) {
	words, err := splitShellWords(line)
	if err != nil || len(words) == 0 {
		t.Fatalf("GOTRACE_CONFORMANCE_TRACER=%q is no command line: %v", line, err)
	}
	if s.update {
		t.Fatal("the list of unsupported cases is about gotrace, not about GOTRACE_CONFORMANCE_TRACER")
	}
	s.reference, s.runner.tracer = true, words
	s.host.assume("bpf-c") // it brings a compiler along
}

func buildTracer(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "gotrace")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func (s *conformanceSuite) loadUnsupported(t *testing.T, cases []*conformanceCase) {
	list, err := loadUnsupported(unsupportedPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range list.orphans(cases) {
		if !s.update {
			t.Errorf("%s: there is no case %s: remove it", unsupportedPath, id)
		}
		delete(list, id)
	}
	s.unsupported = list
}

// check runs one case, a failing one as often as it says, and judges it.
func (s *conformanceSuite) check(t *testing.T, c *conformanceCase) {
	if reason := s.skip(c); reason != "" {
		s.count(c, func(n *caseTotals) { n.skipped++ })
		t.Skip(reason)
	}
	var run *caseRun
	var why []string
	for range 1 + c.retries {
		var err error
		if run, err = s.runner.run(c); err != nil {
			s.count(c, func(n *caseTotals) { n.failed++ })
			t.Fatal(err)
		}
		if why = c.judge(run); len(why) == 0 {
			break
		}
	}
	s.conclude(t, c, run, why)
}

func (s *conformanceSuite) skip(c *conformanceCase) string {
	if s.reference && c.oracle != "" {
		return "not asked of the reference: " + c.oracle
	}
	return s.host.lacking(c.requires)
}

// conclude turns the judgement into the result of the subtest.
func (s *conformanceSuite) conclude(t *testing.T, c *conformanceCase, run *caseRun, why []string) {
	broken := run.breakdown()
	if broken == "" {
		s.note(c, why)
	} else {
		why = append([]string{broken}, why...)
	}
	switch complaint, known := s.verdict(c.id(), broken != "", why); {
	case complaint != "":
		s.count(c, func(n *caseTotals) { n.failed++ })
		t.Errorf("%s.cases:%d: %s\ncommand: %q\nexit code: %d\nstderr: %s",
			filepath.Join(conformanceDir, c.area), c.line, complaint, run.command, run.code, run.stderr)
	case known:
		s.count(c, func(n *caseTotals) { n.unsupported++ })
		t.Logf("fails as listed: %s", s.unsupported[c.id()])
		if want := s.unsupported.demanded(c.id()); !strings.Contains(run.stderr, want) {
			t.Errorf("no %q in the error output:\n%s", want, run.stderr)
		}
	default:
		s.count(c, func(n *caseTotals) { n.passed++ })
	}
}

// verdict weighs what is wrong with a case against the list of unsupported
// ones. It returns the complaint that fails the test, or whether the case failed
// as the list says.
func (s *conformanceSuite) verdict(id string, broken bool, why []string) (complaint string, known bool) {
	_, listed := s.unsupported[id]
	switch {
	case broken:
		return strings.Join(why, "\n"), false
	case len(why) == 0:
		if listed && !s.update {
			return "now passes: remove it from unsupported.txt", false
		}
		return "", false
	case listed || s.update:
		return "", true
	}
	return strings.Join(why, "\n"), false
}

// note keeps the outcome of a case for the next list of unsupported ones. A run
// that broke down is none: it must not get on the list.
func (s *conformanceSuite) note(c *conformanceCase, why []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes[c.id()] = strings.Join(why, "\n")
}

func (s *conformanceSuite) count(c *conformanceCase, add func(*caseTotals)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.totals[c.area] == nil {
		s.totals[c.area] = &caseTotals{}
	}
	add(s.totals[c.area])
}

// finish reports the totals and writes the list of unsupported cases if asked.
func (s *conformanceSuite) finish(t *testing.T) {
	t.Log("\n" + s.summary())
	if !s.update {
		return
	}
	if err := s.unsupported.merge(s.outcomes).write(unsupportedPath); err != nil {
		t.Error(err)
	}
}

func (s *conformanceSuite) summary() string {
	var out strings.Builder
	line := func(name string, n caseTotals) {
		fmt.Fprintf(&out, "%-12s %4d passed %4d failed %4d unsupported %4d skipped\n",
			name, n.passed, n.failed, n.unsupported, n.skipped)
	}
	var all caseTotals
	for _, area := range slices.Sorted(maps.Keys(s.totals)) {
		n := *s.totals[area]
		line(area, n)
		all.passed += n.passed
		all.failed += n.failed
		all.unsupported += n.unsupported
		all.skipped += n.skipped
	}
	line("total", all)
	return out.String()
}
