package session

import (
	"context"
	"errors"
	"testing"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes"
)

// A run that is interrupted loads and attaches nothing more: what does so needs
// a registry of probes, which this session has not.
func TestInterruptedWorkers(t *testing.T) {
	obj := &object.Object{}
	for range 3 {
		obj.Programs = append(obj.Programs, &object.Program{Targets: []*target.Target{{Provider: target.Interval}}})
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	s := &Session{obj: obj, ctx: ctx}
	if err := s.loadPrograms(); !errors.Is(err, cause) {
		t.Errorf("loading: %v", err)
	}
	for _, err := range s.attachPrograms(&probes.AttachOptions{}) {
		if err != nil {
			t.Errorf("attaching: %v", err)
		}
	}
	if err := s.attachAll(); !errors.Is(err, cause) {
		t.Errorf("attaching: %v", err)
	}
}
