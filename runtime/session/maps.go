package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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

// printMap is print() of a map.
func (s *Session) printMap(e *event.PrintMap) error {
	snap, err := s.Snapshot(e.Map)
	if err != nil {
		return err
	}
	if e.Top > 0 {
		snap.Top(e.Top)
	}
	if e.Div > 0 {
		snap.Divide(e.Div)
	}
	return s.showMap(snap)
}

// showMaps shows every map that is not empty, by name.
func (s *Session) showMaps() error {
	var list []*object.Map
	for _, m := range s.obj.Maps {
		if m.Role == object.RoleScript {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *object.Map) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range list {
		snap, err := maps.Read(s.maps[m.Name], m)
		if err != nil {
			return err
		}
		if !snap.Empty() {
			if err := s.showMap(snap); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookupStack returns the frames of a stack by its hash, nil if there is none or
// the session is closed.
func (s *Session) lookupStack(t types.Stack, hash uint64) []byte {
	s.open.RLock()
	defer s.open.RUnlock()
	if s.closed {
		return nil
	}
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
