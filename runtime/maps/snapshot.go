package maps

import (
	"time"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/types"
)

// Snapshot is the contents of a map at one moment, in printing order.
type Snapshot struct {
	Name  string // with the @
	Key   types.Type
	Value types.Type
	// Entries has at most one element in a scalar map, and none in one that
	// was never assigned, or cleared.
	Entries []Entry
	// Incomplete tells that elements may be missing, as programs changed the map
	// all the time while it was read.
	Incomplete bool
}

// Entry is one element.
type Entry struct {
	Key layout.Value // of scalar maps the zero Value
	// Value is the value of a map that holds no aggregation; see Agg.
	Value layout.Value
	// Agg is the combined value of an aggregation, else nil.
	Agg *Aggregate
}

// Aggregate is the value of an aggregation over all CPUs. Signed numbers are
// stored in two's complement: Type.Signed tells them apart.
type Aggregate struct {
	Type types.Agg
	// Value is the number that stands for the aggregation in expressions: the
	// count, sum, least or largest value, average; hist, lhist: the number of
	// values. A series has none.
	Value uint64
	Count uint64 // avg, stats: number of values
	Total uint64 // avg, stats: their sum
	// Buckets are the counters of hist and lhist; Bounds gives their limits.
	Buckets []uint64
	drawn   *bucketRange // of a hist that was divided
	// Series holds the intervals of a tseries from the first to the last one
	// that has a value, in order.
	Series []Point
}

// Point is one interval of a tseries.
type Point struct {
	Start time.Time // of the interval, UTC
	Value uint64
	Valid bool // false: no value in this interval
}

// Scalar reports whether the map has no keys.
func (s *Snapshot) Scalar() bool { return s.Key == nil }

// Empty reports whether there is nothing to print at the end of a run.
func (s *Snapshot) Empty() bool { return len(s.Entries) == 0 }

// Agg returns the aggregation that the map holds.
func (s *Snapshot) Agg() (types.Agg, bool) {
	a, ok := s.Value.(types.Agg)
	return a, ok
}

// Zero returns the entry that a scalar map without a value prints as.
func (s *Snapshot) Zero() Entry {
	if a, ok := s.Agg(); ok {
		return Entry{Agg: merge(a, nil)}
	}
	return Entry{Value: layout.Value{Type: s.Value, Raw: make([]byte, s.Value.Size())}}
}

// Top keeps the last n entries; 0 keeps all.
func (s *Snapshot) Top(n uint64) {
	if n > 0 && n < uint64(len(s.Entries)) {
		s.Entries = s.Entries[uint64(len(s.Entries))-n:]
	}
}

// Divide divides the numbers of the map by d, truncated toward zero; 0 and 1
// leave them. Integers, count, sum, min, max, the averages of avg and stats, and
// the counts of hist are divided, other values and the counts of lhist are not.
func (s *Snapshot) Divide(d uint64) {
	if d < 2 {
		return
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Agg != nil {
			e.Agg.divide(d)
		} else if t, ok := s.Value.(types.Int); ok {
			e.Value = layout.IntValue(t, divide(e.Value.Uint(), d, t.Signed))
		}
	}
}

func (a *Aggregate) divide(d uint64) {
	switch a.Type.Kind {
	case types.TSeries, types.LHist:
	case types.Hist:
		if a.drawn == nil {
			first, last, _ := a.Used()
			a.drawn = &bucketRange{first, last}
		}
		for i := range a.Buckets {
			a.Buckets[i] /= d
		}
	default:
		a.Value = divide(a.Value, d, a.Type.Signed)
	}
}

func divide(n, d uint64, signed bool) uint64 {
	if signed {
		if int64(d) < 0 { // larger than every number but the least, whose quotient rounds to 0 too
			return 0
		}
		return uint64(int64(n) / int64(d))
	}
	return n / d
}
