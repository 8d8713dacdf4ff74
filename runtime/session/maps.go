package session

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/event"
	"github.com/gotrace/gotrace/runtime/maps"
)

// changeMap applies clear or zero to a map of the script.
func (s *Session) changeMap(name string, f func(*ebpf.Map, *object.Map) error) error {
	m, desc, err := s.mapNamed(name)
	if err != nil {
		return err
	}
	err = f(m, desc)
	if errors.Is(err, maps.ErrIncomplete) {
		return s.emit(&event.Warning{Msg: err.Error()})
	}
	return err
}

// showMap gives a map to the Sink, behind a warning if it may lack elements.
func (s *Session) showMap(snap *maps.Snapshot) error {
	if snap.Incomplete {
		if err := s.emit(&event.Warning{Msg: fmt.Sprintf("print(%s): %v", snap.Name, maps.ErrIncomplete)}); err != nil {
			return err
		}
	}
	return s.sink().Map(snap)
}

// lookupStack returns the frames of a stack by its hash, nil if there is none.
func (s *Session) lookupStack(t types.Stack, hash uint64) []byte {
	for _, m := range s.obj.Maps {
		if m.Role != object.RoleStacks || m.Stack.User != t.User || m.Stack.Mode != t.Mode || m.Stack.Limit != t.Limit {
			continue
		}
		raw := make([]byte, m.ValueSize)
		if s.maps[m.Name].Lookup(hash, &raw) != nil {
			return nil
		}
		return raw
	}
	return nil
}
