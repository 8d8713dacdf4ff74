package maps

import (
	"math"

	"github.com/gotrace/gotrace/lang/types"
)

// Bounds are the limits of a bucket, both included.
type Bounds struct {
	Min, Max     uint64
	NoMin, NoMax bool // open: values below Max, values from Min on
}

// Bound returns the limits of bucket i of a hist or lhist (language reference,
// section 9). The lowest bucket has no Min, the highest of lhist no Max; that
// of hist ends at the largest int64. The Max of a bucket below zero is
// math.MaxUint64, which is -1.
func Bound(t types.Agg, i int) Bounds {
	if t.Kind == types.LHist {
		low := uint64(t.Min) + uint64(i-1)*uint64(t.Step)
		switch i {
		case 0:
			return Bounds{NoMin: true, Max: uint64(t.Min) - 1}
		case t.NumBuckets() - 1:
			return Bounds{NoMax: true, Min: low}
		}
		return Bounds{Min: low, Max: low + uint64(t.Step) - 1}
	}
	if i == 0 {
		return Bounds{NoMin: true, Max: math.MaxUint64}
	}
	low := histLow(t.Bits, i)
	return Bounds{Min: low, Max: histLow(t.Bits, i+1) - 1}
}

// histLow returns the least value in bucket i of hist(n, bits), i > 0: the
// inverse of ((e - bits + 1) << bits) + (part of the power of two) + 1, where
// e is the highest bit of n.
func histLow(bits, i int) uint64 {
	i--
	if i < 1<<bits {
		return uint64(i)
	}
	shift := i>>bits - 1
	part := uint64(i & (1<<bits - 1))
	return (1<<bits + part) << shift
}

// bucketRange names the first and the last bucket of some; last is below first
// for none.
type bucketRange struct{ first, last int }

// Used returns the first and the last bucket that counts something, or did so
// before Snapshot.Divide, and the largest count; last is below first when none
// does.
func (a *Aggregate) Used() (first, last int, largest uint64) {
	first, last = 0, -1
	for i, n := range a.Buckets {
		if n == 0 {
			continue
		}
		if last < 0 {
			first = i
		}
		last = i
		largest = max(largest, n)
	}
	if a.drawn != nil {
		first, last = a.drawn.first, a.drawn.last
	}
	return first, last, largest
}
