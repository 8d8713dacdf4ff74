package session

import (
	"fmt"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/event"
)

// reportLost tells the Sink of records that were lost since the last report.
// Requests to the session among them are made up for where their record says
// all there is to know.
func (s *Session) reportLost() error {
	c, err := s.counters()
	if err != nil {
		return err
	}
	known := s.lost.Load()
	if c.Lost <= known {
		return nil
	}
	s.lost.Store(c.Lost)
	if err := s.makeUp(c.LostOf); err != nil {
		return err
	}
	return s.emit(&event.Lost{Count: c.Lost - known})
}

// makeUp acts on requests whose records did not fit the buffer.
func (s *Session) makeUp(lostOf []uint64) error {
	for i, n := range lostOf {
		if i >= len(s.obj.Records) || n <= s.lostOf[i] {
			continue
		}
		s.lostOf[i] = n
		var err error
		switch r := s.obj.Records[i]; r.Action {
		case types.ActPrintMap:
			err = s.handle(&event.PrintMap{Map: r.Map, Top: r.Top, Div: r.Div})
		case types.ActClear:
			err = s.handle(&event.Clear{Map: r.Map})
		case types.ActZero:
			err = s.handle(&event.Zero{Map: r.Map})
		case types.ActExit:
			s.exited = true
			err = s.emit(&event.Failure{Msg: "exit() did not fit the event buffer: the run ends, its exit code is not known"})
		case types.ActUnwatch:
			err = s.emit(&event.Failure{Msg: "unwatch() did not fit the event buffer: the watchpoint stays"})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reportLoss sums up at the end what the run did not show.
func (s *Session) reportLoss() error {
	if err := s.reportLost(); err != nil {
		return err
	}
	if s.reader != nil {
		if n := s.reader.Malformed(); n > 0 {
			msg := fmt.Sprintf("%d event records did not fit their description and were skipped: this is a bug of gotrace", n)
			if err := s.emit(&event.Failure{Msg: msg}); err != nil {
				return err
			}
		}
	}
	if err := s.reportLostStacks(); err != nil {
		return err
	}
	if total := s.lost.Load() + s.dropped; total > 0 {
		return s.emit(&event.LostTotal{Count: total})
	}
	return nil
}

// reportLostStacks tells how often the maps of stacks did not take one.
func (s *Session) reportLostStacks() error {
	c, err := s.counters()
	if err != nil {
		return err
	}
	n := lostStacks(s.obj.Records, c.Warnings)
	if n == 0 {
		return nil
	}
	return s.emit(&event.Warning{Msg: fmt.Sprintf("Stacks lost, as their map had no room: %d", n)})
}

// lostStacks adds up the counts of records, by index, that tell of lost stacks.
func lostStacks(records []*object.Record, counts []uint64) (n uint64) {
	for i, r := range records {
		if r.Action == types.ActStackLost && i < len(counts) {
			n += counts[i]
		}
	}
	return n
}
