package session

import (
	"bytes"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/output"
)

// RunTests runs the test: probes, in source order, and reports whether all
// passed. It takes the place of Wait; for a script of others it is an error.
func (s *Session) RunTests() (passed bool, err error) {
	err = s.run(target.Test, func() error {
		if s.opt.DryRun {
			passed = true
			return nil
		}
		passed, err = s.runTests()
		return err
	})
	return passed, err
}

func (s *Session) runTests() (bool, error) {
	tests := s.special(target.Test)
	if err := s.emit(&event.TestsBegin{Count: len(tests)}); err != nil {
		return false, err
	}
	end := &event.TestsEnd{}
	for _, p := range tests {
		passed, err := s.runTest(p)
		if err != nil {
			return false, err
		}
		if passed {
			end.Passed++
		} else {
			end.Failed = append(end.Failed, p.Targets[0].Event)
		}
	}
	if err := s.reportLoss(); err != nil {
		return false, err
	}
	return len(end.Failed) == 0, s.conclude(end)
}

// runTest runs one test. It passes if it returns 0, reports no error and does
// not exit with another code.
func (s *Session) runTest(p *object.Program) (bool, error) {
	name := p.Targets[0].Event
	if err := s.emit(&event.TestBegin{Name: name}); err != nil {
		return false, err
	}
	var out bytes.Buffer
	errs := &errorCounter{Sink: output.NewText(output.Options{Out: &out, Err: &out, Format: s.opt.Format})}
	s.capture, s.code = errs, 0
	start := time.Now()
	ret, err := s.runOnce(p)
	took := time.Since(start)
	if err == nil {
		err = s.drain()
	}
	if f, ok := errs.Sink.(output.Flusher); ok && err == nil {
		err = f.Flush()
	}
	s.capture = nil
	if err != nil {
		return false, err
	}
	passed := ret == 0 && s.code == 0 && errs.n == 0
	s.exited, s.code = false, 0
	return passed, s.emit(&event.TestResult{Name: name, Duration: took, Passed: passed, Output: out.String()})
}

// errorCounter counts the errors that a script reports.
type errorCounter struct {
	output.Sink
	n int
}

// Event implements output.Sink.
func (c *errorCounter) Event(e event.Event) error {
	if m, ok := e.(*event.Message); ok && m.IsError() {
		c.n++
	}
	return c.Sink.Event(e)
}

// benchTime is how long each benchmark runs at least.
const benchTime = 100 * time.Millisecond

// RunBenchmarks runs the bench: probes. It takes the place of Wait; for a script
// of others it is an error.
func (s *Session) RunBenchmarks() error { return s.run(target.Bench, s.runBenchmarks) }

func (s *Session) runBenchmarks() error {
	if s.opt.DryRun {
		return nil
	}
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return fmt.Errorf("benchmarks need the kernel's measuring of programs, for which CAP_SYS_ADMIN is needed: %w", err)
	}
	defer stats.Close()
	var results []event.BenchResult
	for _, p := range s.special(target.Bench) {
		r, err := s.runBench(p)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	if err := s.reportLoss(); err != nil {
		return err
	}
	return s.conclude(&event.Bench{Results: results})
}

// conclude emits the last event of tests or benchmarks and the end of the run.
func (s *Session) conclude(last event.Event) error {
	for _, e := range []event.Event{last, &event.End{}} {
		if err := s.emit(e); err != nil {
			return err
		}
	}
	return s.flush()
}

// runBench runs one benchmark more and more often until it took long enough.
// Raw tracepoint programs know no repetition count, so that each run costs a
// system call: the time is what the kernel (Linux 5.8) measures around the
// program, which includes some 20 ns of its own.
func (s *Session) runBench(p *object.Program) (event.BenchResult, error) {
	prog := s.progs[p]
	opt := &ebpf.RunOptions{Context: make([]byte, 8*contextWords)}
	for n, begin := 1, time.Now(); ; n *= 2 {
		for range n {
			if _, err := prog.Run(opt); err != nil {
				return event.BenchResult{}, err
			}
		}
		if err := s.drain(); err != nil {
			return event.BenchResult{}, err
		}
		if time.Since(begin) >= benchTime {
			return benchResult(p, prog)
		}
	}
}

func benchResult(p *object.Program, prog *ebpf.Program) (event.BenchResult, error) {
	stats, err := prog.Stats()
	if err != nil {
		return event.BenchResult{}, err
	}
	average := stats.Runtime / time.Duration(max(1, stats.RunCount))
	return event.BenchResult{Name: p.Targets[0].Event, Average: average, Iterations: stats.RunCount}, nil
}
