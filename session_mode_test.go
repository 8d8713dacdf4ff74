package gotrace_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// Of Wait and its kin those of other modes run nothing and say which does; it
// may be called behind them.
func TestRunOfOtherMode(t *testing.T) {
	const src = `begin { exit(); } test:a { return 0; } bench:b { }`
	methods := []struct {
		name string
		call func(*gotrace.Session) error
	}{
		gotrace.ModeTrace: {"Wait", (*gotrace.Session).Wait},
		gotrace.ModeTest:  {"RunTests", func(s *gotrace.Session) error { _, err := s.RunTests(); return err }},
		gotrace.ModeBench: {"RunBenchmarks", (*gotrace.Session).RunBenchmarks},
	}
	for mode, right := range methods {
		s := start(t, src, &gotrace.Config{Mode: gotrace.Mode(mode)})
		for other, m := range methods {
			if other == mode {
				continue
			}
			if err := m.call(s); err == nil || !strings.Contains(err.Error(), right.name+" handles") {
				t.Errorf("%s in mode %d: %v", m.name, mode, err)
			}
		}
		if err := right.call(s); err != nil {
			t.Errorf("%s: %v", right.name, err)
		}
	}
}

// A run of tests or benchmarks ends as others do, and a dry one runs none.
func TestEventsOfModes(t *testing.T) {
	hosttest.RequireBPF(t)
	for _, tt := range []struct {
		mode gotrace.Mode
		dry  bool
		want string
	}{
		{gotrace.ModeTest, false, "Attached TestsBegin TestBegin TestResult TestsEnd End"},
		{gotrace.ModeTest, true, "Attached"},
		{gotrace.ModeBench, false, "Attached Bench End"},
		{gotrace.ModeBench, true, "Attached"},
	} {
		prog, err := gotrace.Compile("stdin", `test:a { return 1; } bench:b { }`, &gotrace.Config{Mode: tt.mode})
		if err != nil {
			t.Fatal(err)
		}
		sink := &strictSink{}
		s, err := prog.Start(t.Context(), &gotrace.RunOptions{Sink: sink, DryRun: tt.dry})
		if err != nil {
			t.Fatal(err)
		}
		if tt.mode == gotrace.ModeTest {
			passed, failed := s.RunTests()
			if passed != tt.dry || failed != nil {
				t.Errorf("tests: %v, %v", passed, failed)
			}
		} else if err := s.RunBenchmarks(); err != nil {
			t.Error(err)
		}
		if got := strings.Join(sink.events, " "); got != tt.want {
			t.Errorf("mode %d, dry %v: events %s", tt.mode, tt.dry, got)
		}
		s.Close()
	}
}
