package session

import (
	"errors"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
)

// recorder is a Sink that keeps what it gets.
type recorder struct{ events []event.Event }

func (r *recorder) Event(e event.Event) error { r.events = append(r.events, e); return nil }
func (r *recorder) Map(s *maps.Snapshot) error {
	if !s.Incomplete {
		return errors.New("no map is shown here")
	}
	return nil
}

// A lost exit() ends the run all the same, once, and says so.
func TestLostExitEndsTheRun(t *testing.T) {
	sink := &recorder{}
	obj := &object.Object{Records: []*object.Record{{Action: types.ActPrintf}, {Action: types.ActExit}}}
	s := &Session{obj: obj, opt: Options{Sink: sink}, lostOf: make([]uint64, 2)}
	if err := s.makeUp([]uint64{7, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if s.exited || len(sink.events) != 0 {
		t.Errorf("a lost printf ends the run (%v) or is told as a request: %v", s.exited, sink.events)
	}
	for range 2 {
		if err := s.makeUp([]uint64{7, 1}); err != nil {
			t.Fatal(err)
		}
	}
	if !s.exited || len(sink.events) != 1 {
		t.Errorf("exited %v after %d reports, want true after one", s.exited, len(sink.events))
	}
}

// A map that may lack elements comes behind a warning.
func TestIncompleteMapsAreTold(t *testing.T) {
	sink := &recorder{}
	s := &Session{opt: Options{Sink: sink}}
	if err := s.showMap(&maps.Snapshot{Name: "@m", Incomplete: true}); err != nil {
		t.Fatal(err)
	}
	if w, ok := sink.events[0].(*event.Warning); !ok || !strings.Contains(w.Msg, "@m") {
		t.Errorf("events %v, want a warning about @m", sink.events)
	}
}

// Lost stacks are added up over the places in the script.
func TestLostStacksAreCounted(t *testing.T) {
	records := []*object.Record{{Action: types.ActStackLost}, {Action: types.ActHelper}, {Action: types.ActStackLost}, {Action: types.ActStackLost}}
	if n := lostStacks(records, []uint64{3, 100, 4}); n != 7 {
		t.Errorf("%d lost stacks, want 7", n)
	}
}
