package event

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/codegen/object"
)

// Counters is what programs count in the map of object.RoleCounters.
type Counters struct {
	// Lost is the number of records that did not fit the ring buffer.
	Lost uint64
	// Warnings counts how often each record of the object that is a run-time
	// warning came about, by index.
	Warnings []uint64
	// LostOf counts how often each record did not fit the ring buffer.
	LostOf []uint64
}

// ReadCounters reads m, the object's map of object.RoleCounters, for an object
// with the given number of records. The counters only grow; a map that is
// smaller than described gives zeros.
func ReadCounters(m *ebpf.Map, records int) (Counters, error) {
	raw := make([]byte, m.ValueSize())
	if err := m.Lookup(uint32(0), &raw); err != nil {
		return Counters{}, fmt.Errorf("event counters: %w", err)
	}
	return decodeCounters(raw, records), nil
}

func decodeCounters(raw []byte, records int) Counters {
	at := func(off int) uint64 {
		if off+8 > len(raw) {
			return 0
		}
		return binary.NativeEndian.Uint64(raw[off:])
	}
	c := Counters{Lost: at(object.CounterLost)}
	for i := range records {
		c.Warnings = append(c.Warnings, at(object.CounterKinds+8*i))
		c.LostOf = append(c.LostOf, at(object.CounterKinds+8*(records+i)))
	}
	return c
}
