package session

import (
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/target"
)

// begin runs the begin probes, in source order. What they say stays in the
// buffer until everything is attached, unless that might not hold it.
func (s *Session) begin() error {
	if s.opt.DryRun {
		return nil
	}
	return s.runEach(target.Begin, s.drainIfFilled)
}

// runAll runs the programs of one kind of special probe, in source order, and
// handles what each says.
func (s *Session) runAll(kind target.Provider) error { return s.runEach(kind, s.drain) }

func (s *Session) runEach(kind target.Provider, after func() error) error {
	for _, p := range s.special(kind) {
		for _, t := range p.Targets {
			if kind == target.Begin {
				s.attaching(t)
			}
			if _, err := s.runOnce(p); err != nil {
				return err
			}
			if err := after(); err != nil {
				return err
			}
		}
	}
	return nil
}

// special returns the programs of one kind of special probe, in source order.
func (s *Session) special(kind target.Provider) []*object.Program {
	var list []*object.Program
	for _, p := range s.obj.Programs {
		if p.Targets[0].Provider == kind {
			list = append(list, p)
		}
	}
	return list
}

// contextWords is the size of the context of a raw tracepoint program, the
// kernel's limit.
const contextWords = 12

// drainInterval is how often the buffer is looked at while a program runs that
// the session runs itself. Such a program may say more than the buffer holds.
const drainInterval = 100 * time.Microsecond

// runOnce runs a program by BPF_PROG_TEST_RUN (raw tracepoint programs: 5.10),
// as the task that calls it.
func (s *Session) runOnce(p *object.Program) (uint32, error) {
	ended, drained := make(chan struct{}), make(chan error, 1)
	go func() { drained <- s.drainUntil(ended) }()
	ret, err := s.progs[p].Run(&ebpf.RunOptions{Context: make([]byte, 8*contextWords)})
	close(ended)
	if err != nil {
		err = fmt.Errorf("running %s: %w", p.Targets[0].Name, err)
	}
	return ret, errors.Join(err, <-drained)
}

// drainUntil keeps the buffer from filling up.
func (s *Session) drainUntil(ended <-chan struct{}) error {
	for {
		select {
		case <-ended:
			return nil
		case <-time.After(drainInterval):
		}
		if err := s.drainIfFilled(); err != nil {
			return err
		}
	}
}

func (s *Session) drainIfFilled() error {
	if s.reader == nil || !s.reader.Filled() {
		return nil
	}
	return s.drain()
}
