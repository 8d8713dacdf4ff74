package gotrace_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace"
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
