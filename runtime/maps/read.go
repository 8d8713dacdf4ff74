package maps

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/types"
)

// Read takes a snapshot of m, which was made from desc, a map of
// object.RoleScript.
func Read(m *ebpf.Map, desc *object.Map) (*Snapshot, error) {
	b := builder{desc: desc, snapshot: &Snapshot{Name: desc.Name, Key: desc.Key, Value: desc.Value}}
	var err error
	if desc.Key == nil {
		err = b.readScalar(m)
	} else {
		err = b.readKeyed(m)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", desc.Name, err)
	}
	b.snapshot.sort()
	return b.snapshot, nil
}

// builder collects entries.
type builder struct {
	desc     *object.Map
	snapshot *Snapshot
}

// add appends an element. values has one part for each CPU, or one in all. It
// keeps key and, of plain maps, the value.
func (b *builder) add(key []byte, values [][]byte) {
	var e Entry
	if b.desc.Key != nil {
		e.Key = layout.MakeValue(b.desc.Key, key)
	}
	if t, ok := b.desc.Value.(types.Agg); ok {
		e.Agg = merge(t, values)
	} else if len(values) > 0 {
		e.Value = layout.MakeValue(b.desc.Value, values[0])
	}
	b.snapshot.Entries = append(b.snapshot.Entries, e)
}

// readScalar reads the one element of an array, which exists from the start
// and has a value once it is marked.
func (b *builder) readScalar(m *ebpf.Map) error {
	values, err := lookup(m, b.desc, uint32(0))
	if err != nil {
		return err
	}
	for _, v := range values {
		if b.desc.Present < 0 || wordAt(v, b.desc.Present) != 0 {
			b.add(nil, values)
			break
		}
	}
	return nil
}

// lookup reads one element: one part for each CPU of a per-CPU map, else one.
func lookup(m *ebpf.Map, desc *object.Map, key any) ([][]byte, error) {
	if desc.PerCPU {
		var values [][]byte
		err := m.Lookup(key, &values)
		return values, err
	}
	value := make([]byte, desc.ValueSize)
	err := m.Lookup(key, &value)
	return [][]byte{value}, err
}

func (b *builder) readKeyed(m *ebpf.Map) error {
	err := b.readBatches(m)
	// A map type or kernel without batches, or more elements in one bucket of
	// the hash than a batch holds.
	if errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, errBucketFull) {
		b.snapshot.Entries = b.snapshot.Entries[:0]
		return b.readEach(m)
	}
	return err
}

// readEach reads key by key.
func (b *builder) readEach(m *ebpf.Map) error {
	err := eachKey(m, b.desc, func(key []byte) error {
		values, err := lookup(m, b.desc, key)
		if errors.Is(err, ebpf.ErrKeyNotExist) { // deleted meanwhile
			return nil
		}
		if err == nil {
			b.add(key, values)
		}
		return err
	})
	if errors.Is(err, ErrIncomplete) {
		b.snapshot.Incomplete = true
		return nil
	}
	return err
}

// ErrIncomplete reports that not all elements of a map were reached, as programs
// changed it all the time.
var ErrIncomplete = errors.New("it changed all the time, so that some elements may have been passed over")

// eachKey calls do once for each key, which do may keep. The error is
// ErrIncomplete when there may be more.
func eachKey(m *ebpf.Map, desc *object.Map, do func(key []byte) error) error {
	// The keys are read first: the kernel starts over at the first bucket when
	// it is asked for what follows a key that is gone.
	keys, err := allKeys(m.NextKey, desc)
	for _, key := range keys {
		if err := do(key); err != nil {
			return err
		}
	}
	return err
}

// allKeys returns each key once; next is ebpf.Map.NextKey. When the element that
// the iteration stands at is deleted, the kernel starts over, so keys may come
// again. A map that is changed all the time would be gone through without end:
// the error is ErrIncomplete then, beside the keys so far.
func allKeys(next func(prev, key any) error, desc *object.Map) ([][]byte, error) {
	var keys [][]byte
	seen := make(map[string]bool)
	var prev any
	for range 2*desc.MaxEntries + 1 {
		key := make([]byte, desc.KeySize)
		err := next(prev, &key)
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return keys, nil
		}
		if err != nil {
			return keys, err
		}
		prev = key
		if !seen[string(key)] {
			seen[string(key)] = true
			keys = append(keys, key)
		}
	}
	return keys, ErrIncomplete
}

// maxBatchBytes bounds the memory of one batch, batchEntries its elements.
const (
	maxBatchBytes = 4 << 20
	batchEntries  = 4096
)

// byteArrays returns a slice of n arrays of size bytes. The library reads
// batches into slices of values of a fixed size, which is known only here.
func byteArrays(n, size int) reflect.Value {
	return reflect.MakeSlice(reflect.SliceOf(reflect.ArrayOf(size, reflect.TypeFor[byte]())), n, n)
}
