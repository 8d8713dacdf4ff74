// Package layout describes every byte that crosses between the kernel side and
// user space: map keys and values, aggregations, event records.
//
// The code generator asks it for offsets and sizes, the runtime reads through
// it; nobody else knows an offset. All numbers are in the byte order of the
// machine.
package layout

import "github.com/gotrace/gotrace/lang/types"

// Field is one field of a Struct: Size bytes at Off.
type Field struct {
	Name string
	Off  int
	Size int
	Type types.Type
}

// Struct is a sequence of fields. Bytes between fields are zero.
type Struct struct {
	Size   int
	Fields []Field
}

// HeaderSize is the size of what every event record starts with: the index of
// its object.Record as uint32, then zero bytes.
const HeaderSize = 8

// Record lays out an event record: the header, then the arguments, each at its
// alignment; the total is a multiple of 8.
func Record(args []types.Type) Struct {
	s := Struct{Size: HeaderSize}
	for _, t := range args {
		off := roundUp(s.Size, t.Align())
		s.Fields = append(s.Fields, Field{Off: off, Size: t.Size(), Type: t})
		s.Size = off + t.Size()
	}
	s.Size = roundUp(s.Size, 8)
	return s
}

// MapKey returns the size of a map's key: that of its type, or of the uint32
// zero that scalar maps, which are arrays of one element, are read with.
func MapKey(t types.Type) int {
	if t == nil {
		return 4
	}
	return t.Size()
}

// Present is the size of the mark behind the value of a scalar map: a uint64
// that is not zero once the map has been assigned.
const Present = 8

// MapValue returns the size of a map's value and the offset of the mark of
// presence in it, -1 in keyed maps. Values of per-CPU maps are multiples of 8.
func MapValue(key, value types.Type) (size, present int) {
	size = value.Size()
	if _, agg := value.(types.Agg); agg {
		size = roundUp(size, 8)
	}
	if key != nil {
		return size, -1
	}
	present = roundUp(size, 8)
	return present + Present, present
}

// Offsets in the value of an aggregation. Count and Sum are one uint64; Hist
// and LHist are an array of uint64 counters.
const (
	AggValue = 0 // min, max: the extreme; avg, stats: the total
	AggCount = 8 // avg, stats: number of values; min, max: not zero once there is a value
)

// A tseries is the newest epoch, then one cell for each interval that is kept.
// An epoch is a wall clock stamp (nanoseconds since 1970, UTC) divided by
// types.Agg.Interval; epoch e belongs in cell e % types.Agg.Buckets. A cell is
// void when its count is zero or when the epoch in it is not newer than the
// newest one less the number of cells.
const (
	TSeriesLatest = 0 // uint64, the newest epoch
	TSeriesCells  = 8
	TSeriesCell   = 24 // bytes of a cell

	CellEpoch = 0 // uint64
	CellValue = 8 // the value; avg: the total
	// CellCount is the number of values; of a series of last values (Inner is
	// types.Count) the stamp of the value, by which the CPUs are compared.
	CellCount = 16
)

// Stack values refer to an entry of a stack map by the first eight bytes.
const (
	StackHash   = 0  // uint64, 0: no frames
	StackPid    = 8  // uint32, process of a user stack
	StackFrames = 12 // uint32
)

// Offsets in the opaque types; see types.OpaqueKind.
const (
	InetFamily      = 0  // uint64
	InetAddress     = 8  // 4 or 16 bytes
	TimestampNsecs  = 0  // uint64
	TimestampClock  = 8  // uint32: ClockBoot or ClockTAI
	TimestampFormat = 12 // uint32, index in object.Strings
	ClockBoot       = 0
	ClockTAI        = 1
	CgroupID        = 0 // uint64
	CgroupFilter    = 8 // uint64, index in object.Strings
	SymAddress      = 0 // uint64
	USymPid         = 8 // uint32
)

// BufferLen and BufferData are the offsets in a types.Buffer.
const (
	BufferLen  = 0 // uint32
	BufferData = 4
)

// Offsets in the argument of a join action.
const (
	JoinCount = 0 // uint64
	JoinData  = 8 // JoinMax strings of JoinCap bytes
	JoinSize  = JoinData + types.JoinMax*types.JoinCap
)

// StackEntry is the size of one frame in a stack map: an address, or for the
// build_id mode a struct bpf_stack_build_id (uapi/linux/bpf.h).
func StackEntry(mode types.StackMode) int {
	if mode == types.StackBuildID {
		return 32
	}
	return 8
}

func roundUp(n, align int) int { return (n + align - 1) / align * align }
