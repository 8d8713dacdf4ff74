package session

import (
	"context"
	"slices"
	"time"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
	"github.com/gotrace/gotrace/runtime/output"
)

// tick bounds how long the loop sleeps, and so the delay with which lost
// events are reported.
const tick = 200 * time.Millisecond

// Wait handles events until the run ends: by exit(), as the context is done,
// the command or the process is gone, or there is nothing to wait for. It then
// runs the end probes and gives the maps to the Sink. A nil error means that
// the run went as the script wanted; ExitCode has the code of exit(). A
// run waits once; after Close the error is ErrClosed. For a script of test or
// bench probes RunTests or RunBenchmarks takes its place, and Wait is an error.
func (s *Session) Wait() error { return s.run("", s.wait) }

func (s *Session) wait() error {
	if s.opt.DryRun {
		return nil
	}
	if err := s.loop(); err != nil {
		return err
	}
	return s.finish()
}

// ExitCode is the argument of the last exit(), 0 without one. It must not be
// called while Wait runs.
func (s *Session) ExitCode() int { return s.code }

// Self runs the self: probes; it may be called from any goroutine.
func (s *Session) Self() {
	s.selfRuns.Add(1)
	s.wake()
}

func (s *Session) wake() {
	if s.reader != nil {
		s.reader.Wake()
	}
}

// loop handles events as long as the run goes on.
func (s *Session) loop() error {
	if it, t := s.iterator(); it != nil {
		if err := s.runIterator(it, t); err != nil {
			return err
		}
		return s.drain()
	}
	if !s.waits() {
		return nil
	}
	stop := context.AfterFunc(s.ctx, s.wake)
	defer stop()
	s.watch()
	for !s.exited && s.ctx.Err() == nil {
		if err := s.step(); err != nil {
			return err
		}
	}
	return nil
}

// waits reports whether anything can happen after the begin probes.
func (s *Session) waits() bool {
	if s.exited {
		return false
	}
	if s.command != nil {
		return true
	}
	return slices.ContainsFunc(s.obj.Programs, func(p *object.Program) bool {
		k := p.Targets[0].Provider
		return !isRun(k) || k == target.Self
	})
}

// step waits for events and handles them.
func (s *Session) step() error {
	if s.reader == nil {
		select {
		case <-s.ctx.Done():
		case <-time.After(tick):
		}
		return s.runSelf()
	}
	n, err := s.reader.Poll(time.Now().Add(tick), s.handle)
	if err != nil && !s.exited {
		return err
	}
	if now := time.Now(); n == 0 || s.exited || now.Sub(s.lostAt) >= tick {
		s.lostAt = now
		if err := s.reportLost(); err != nil {
			return err
		}
	}
	if err := s.idle(); err != nil {
		return err
	}
	return s.runSelf()
}

func (s *Session) runSelf() error {
	for s.selfRuns.Load() > 0 && !s.exited {
		s.selfRuns.Add(-1)
		if err := s.runAll(target.Self); err != nil {
			return err
		}
	}
	return nil
}

// drainTime bounds drain: a script that traces what the tracer itself does, such
// as its system calls, makes an event of every event.
const drainTime = 200 * time.Millisecond

// drain handles what is in the buffer without waiting.
func (s *Session) drain() error {
	if s.reader == nil {
		return nil
	}
	deadline := time.Now().Add(drainTime)
	for {
		n, err := s.reader.Poll(time.Unix(0, 0), s.handle)
		if err != nil || n == 0 || time.Now().After(deadline) {
			return err
		}
	}
}

// The bounds of the end of a run: how long what is in the buffer is shown, and
// how long the rest of it is counted.
const (
	lastTime  = 5 * time.Second
	countTime = time.Second
)

// drainLast handles all that is in the buffer once the probes are detached. A
// Sink that is too slow for it does not hold up the end of the run for ever:
// what it did not take counts as lost. Commands of system() take their time.
func (s *Session) drainLast() error {
	if s.reader == nil {
		return nil
	}
	start, before := time.Now(), s.commandsTook
	for time.Since(start)-(s.commandsTook-before) < lastTime {
		n, err := s.reader.Poll(time.Unix(0, 0), s.handle)
		if err != nil || n == 0 {
			return err
		}
	}
	var rest uint64
	count := func(event.Event) error { rest++; return nil }
	for end := time.Now().Add(countTime); time.Now().Before(end); {
		n, err := s.reader.Poll(time.Unix(0, 0), count)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	if rest == 0 {
		return nil
	}
	s.dropped += rest
	return s.emit(&event.Lost{Count: rest})
}

// finish ends the run: the probes are detached, what happened before the end is
// shown, then the end probes run, then the maps are shown.
func (s *Session) finish() error {
	if s.command != nil && s.exited {
		s.command.stop()
	}
	s.beginDetach()
	if err := s.drainLast(); err != nil {
		return err
	}
	s.ending = true
	if err := s.runAll(target.End); err != nil {
		return err
	}
	if err := s.drainLast(); err != nil { // what drain had no time for
		return err
	}
	if err := s.reportLoss(); err != nil {
		return err
	}
	if err := s.emit(&event.End{}); err != nil {
		return err
	}
	if s.obj.Config.PrintMapsOnExit {
		if err := s.showMaps(); err != nil {
			return err
		}
	}
	return s.flush()
}

// flush has the Sink write what it holds at the end of a run.
func (s *Session) flush() error {
	if f, ok := s.opt.Sink.(output.Flusher); ok {
		return f.Flush()
	}
	return nil
}

func (s *Session) sink() output.Sink {
	if s.capture != nil {
		return s.capture
	}
	return s.opt.Sink
}

func (s *Session) emit(e event.Event) error { return s.sink().Event(e) }

func (s *Session) idle() error {
	if f, ok := s.sink().(output.Flusher); ok {
		return f.Idle()
	}
	return nil
}

// handle acts on one event; what is to be shown goes on to the Sink.
func (s *Session) handle(e event.Event) error {
	if s.exited && !s.ending {
		return nil // what comes behind exit() is not part of the run
	}
	switch e := e.(type) {
	case *event.Exit:
		s.exited, s.code = true, int(uint8(e.Code))
		return nil
	case *event.PrintMap:
		return s.printMap(e)
	case *event.Clear:
		return s.changeMap(e.Map, maps.Clear)
	case *event.Zero:
		return s.changeMap(e.Map, maps.Zero)
	case *event.Cat:
		if s.opt.Format != nil {
			return s.cat(e, s.obj.Config.MaxCatBytes)
		}
	case *event.System:
		if s.opt.Format != nil {
			return s.system(s.commands, e)
		}
	case *event.Unwatch:
		return s.unwatch(e.Address)
	}
	return s.emit(e)
}
