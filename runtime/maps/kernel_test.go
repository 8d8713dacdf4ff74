package maps

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/layout/layouttest"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/types"
)

var (
	i64 = types.Int{Bits: 64, Signed: true}
	u64 = types.Int{Bits: 64}
	u32 = types.Int{Bits: 32}
)

// newMap creates a map of a script with up to 5000 elements.
func newMap(t *testing.T, kind ebpf.MapType, key, value types.Type) (*ebpf.Map, *object.Map) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to create maps")
	}
	size, present := layout.MapValue(key, value)
	_, agg := value.(types.Agg)
	desc := &object.Map{Name: "@m", Type: kind, KeySize: layout.MapKey(key), ValueSize: size, MaxEntries: 5000, Key: key, Value: value, Present: present, PerCPU: agg}
	if key == nil {
		desc.MaxEntries = 1
	}
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: kind, KeySize: uint32(desc.KeySize), ValueSize: uint32(size), MaxEntries: uint32(desc.MaxEntries)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, desc
}

// put stores numbers as the value of each part, one for each CPU.
func put(t *testing.T, m *ebpf.Map, desc *object.Map, key any, numbers ...uint64) {
	t.Helper()
	parts, err := zeros(desc)
	if err != nil {
		t.Fatal(err)
	}
	for cpu := range parts {
		for i, n := range numbers {
			binary.NativeEndian.PutUint64(parts[cpu][8*i:], n)
		}
	}
	if err := update(m, desc, key, parts, ebpf.UpdateAny); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, m *ebpf.Map, desc *object.Map) *Snapshot {
	t.Helper()
	s, err := Read(m, desc)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// show lists the elements as key=value.
func show(s *Snapshot) string {
	var out []string
	for _, e := range s.Entries {
		var value int64
		if e.Agg != nil {
			value = int64(e.Agg.Value)
		} else {
			value = e.Value.Int()
		}
		if s.Scalar() {
			out = append(out, fmt.Sprint(value))
		} else {
			out = append(out, fmt.Sprintf("%d=%d", e.Key.Int(), value))
		}
	}
	return strings.Join(out, " ")
}

func TestHash(t *testing.T) {
	for _, kind := range []ebpf.MapType{ebpf.Hash, ebpf.LRUHash} {
		m, desc := newMap(t, kind, u32, i64)
		if s := read(t, m, desc); !s.Empty() {
			t.Errorf("%v: empty map has %s", kind, show(s))
		}
		for key, value := range map[uint32]int64{1: 30, 2: -5, 3: 10} {
			put(t, m, desc, key, uint64(value))
		}
		if got := show(read(t, m, desc)); got != "2=-5 3=10 1=30" {
			t.Errorf("%v: %s", kind, got)
		}
		if err := Zero(m, desc); err != nil {
			t.Error(err)
		}
		if got := show(read(t, m, desc)); got != "1=0 2=0 3=0" {
			t.Errorf("%v: zeroed: %s", kind, got)
		}
		if err := Clear(m, desc); err != nil {
			t.Error(err)
		}
		if s := read(t, m, desc); !s.Empty() {
			t.Errorf("%v: cleared: %s", kind, show(s))
		}
	}
}

// TestLargeHash takes several batches, and reads the same key by key.
func TestLargeHash(t *testing.T) {
	m, desc := newMap(t, ebpf.Hash, u32, u64)
	for key := range uint32(5000) {
		put(t, m, desc, key, uint64(5000-key))
	}
	batches := builder{desc: desc, snapshot: new(Snapshot)}
	if err := batches.readBatches(m); err != nil || len(batches.snapshot.Entries) != 5000 {
		t.Fatalf("batches: %d entries, %v", len(batches.snapshot.Entries), err)
	}
	s := read(t, m, desc)
	if len(s.Entries) != 5000 || s.Entries[0].Key.Uint() != 4999 || s.Entries[4999].Key.Uint() != 0 {
		t.Fatalf("%d entries", len(s.Entries))
	}
	b := builder{desc: desc, snapshot: &Snapshot{Key: u32, Value: u64}}
	if err := b.readEach(m); err != nil {
		t.Fatal(err)
	}
	b.snapshot.sort()
	if one, other := show(s), show(b.snapshot); one != other {
		t.Error("reading in batches and key by key differ")
	}
	if err := Clear(m, desc); err != nil {
		t.Fatal(err)
	}
	if s := read(t, m, desc); !s.Empty() {
		t.Errorf("%d entries are left", len(s.Entries))
	}
}

func TestPerCPUHash(t *testing.T) {
	m, desc := newMap(t, ebpf.PerCPUHash, u32, types.Agg{Kind: types.Count})
	cpus := uint64(ebpf.MustPossibleCPU())
	put(t, m, desc, uint32(7), 10)
	put(t, m, desc, uint32(8), 3)
	want := fmt.Sprintf("8=%d 7=%d", 3*cpus, 10*cpus)
	if got := show(read(t, m, desc)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	batches := builder{desc: desc, snapshot: new(Snapshot)}
	if err := batches.readBatches(m); err != nil || len(batches.snapshot.Entries) != 2 {
		t.Errorf("batches: %d entries, %v", len(batches.snapshot.Entries), err)
	}
	b := builder{desc: desc, snapshot: &Snapshot{Key: u32, Value: desc.Value}}
	if err := b.readEach(m); err != nil {
		t.Fatal(err)
	}
	b.snapshot.sort()
	if got := show(b.snapshot); got != want {
		t.Errorf("key by key: %s, want %s", got, want)
	}
	if err := Zero(m, desc); err != nil {
		t.Fatal(err)
	}
	if got := show(read(t, m, desc)); got != "7=0 8=0" {
		t.Errorf("zeroed: %s", got)
	}
}

// TestScalar follows the mark of presence, which tells a zero from no value.
func TestScalar(t *testing.T) {
	for _, tt := range []struct {
		kind  ebpf.MapType
		value types.Type
	}{{ebpf.Array, i64}, {ebpf.PerCPUArray, types.Agg{Kind: types.Max, Signed: true}}} {
		m, desc := newMap(t, tt.kind, nil, tt.value)
		if s := read(t, m, desc); !s.Empty() {
			t.Errorf("%v: not assigned: %s", tt.value, show(s))
		}
		words := make([]uint64, desc.ValueSize/8)
		words[0], words[desc.Present/8] = 9, 1
		if desc.PerCPU {
			words[1] = 1
		}
		put(t, m, desc, uint32(0), words...)
		if got := show(read(t, m, desc)); got != "9" {
			t.Errorf("%v: %s", tt.value, got)
		}
		if err := Zero(m, desc); err != nil {
			t.Error(err)
		}
		if got := show(read(t, m, desc)); got != "0" {
			t.Errorf("%v: zeroed: %s", tt.value, got)
		}
		if err := Clear(m, desc); err != nil {
			t.Error(err)
		}
		if s := read(t, m, desc); !s.Empty() {
			t.Errorf("%v: cleared: %s", tt.value, show(s))
		}
		if err := Zero(m, desc); err != nil {
			t.Error(err)
		}
		if s := read(t, m, desc); !s.Empty() {
			t.Errorf("%v: zero() made a value: %s", tt.value, show(s))
		}
	}
}

func TestNarrowAndLongValues(t *testing.T) {
	name := types.String{Cap: 5}
	m, desc := newMap(t, ebpf.Hash, name, types.NewTuple(nil, []types.Type{types.Bool{}, u64}))
	key := layouttest.Value(name, "ab")
	if err := m.Put(key.Raw, layouttest.Value(desc.Value, []any{true, 77}).Raw); err != nil {
		t.Fatal(err)
	}
	s := read(t, m, desc)
	if len(s.Entries) != 1 {
		t.Fatalf("%d entries", len(s.Entries))
	}
	e := s.Entries[0]
	second := desc.Value.(*types.Struct).Fields()[1]
	if string(e.Key.Text()) != "ab" || e.Value.Field(second).Uint() != 77 {
		t.Errorf("%q, %v", e.Key.Raw, e.Value.Raw)
	}
}

// Clear of a large, sparse map takes time by its elements, not by their number
// times that of its buckets.
func TestClearSparse(t *testing.T) {
	desc := &object.Map{Name: "@", Type: ebpf.Hash, KeySize: 4, ValueSize: 8, MaxEntries: 1 << 20, Key: types.Int{Bits: 32}, Value: types.Int{Bits: 64}, Present: -1}
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: desc.Type, KeySize: 4, ValueSize: 8, MaxEntries: 1 << 20})
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("needs root to create maps: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for i := range uint32(20000) {
		if err := m.Put(i, uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	if err := Clear(m, desc); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if s, err := Read(m, desc); err != nil || !s.Empty() {
		t.Errorf("after Clear: %d elements, %v", len(s.Entries), err)
	}
}

// The keys of a map that is changed all the time are gone through for a while,
// and it is said that some may be missing.
func TestKeysOfAMapThatNeverEnds(t *testing.T) {
	desc := &object.Map{Name: "@m", KeySize: 4, MaxEntries: 3}
	n := byte(0)
	around := func(_, key any) error { // the kernel starts over at each third key
		n = n%3 + 1
		*key.(*[]byte) = []byte{n, 0, 0, 0}
		return nil
	}
	keys, err := allKeys(around, desc)
	if !errors.Is(err, ErrIncomplete) || len(keys) != 3 {
		t.Errorf("%d keys, %v; want 3 and ErrIncomplete", len(keys), err)
	}
}
