package progtest

import (
	"fmt"
	"math/bits"
)

// aggregate is the state of an aggregation, section 9.
type aggregate struct {
	count   uint64
	total   uint64
	extreme uint64
	buckets map[uint64]uint64
}

func (m *machine) aggregate(s *Stmt) {
	to := s.X[0]
	t := m.maps[to.Name]
	key := m.key(t, to)
	n := uint64(1)
	if len(s.X) > 1 {
		n = m.eval(s.X[1]).N
	}
	a := &t.insert(key).agg
	signed := t.t.signed
	switch s.Text {
	case "min", "max":
		less := n < a.extreme
		if signed {
			less = int64(n) < int64(a.extreme)
		}
		if a.count == 0 || less == (s.Text == "min") {
			a.extreme = n
		}
	case "hist", "lhist":
		if a.buckets == nil {
			a.buckets = map[uint64]uint64{}
		}
		if s.Text == "hist" {
			a.buckets[histBucket(n, s.Params)]++
		} else {
			a.buckets[lhistBucket(int64(n), s.Params)]++
		}
	}
	a.count++
	a.total += n
}

func histBucket(n uint64, params []uint64) uint64 {
	k := uint64(0)
	if len(params) > 0 {
		k = params[0]
	}
	switch {
	case int64(n) < 0:
		return 0
	case n < 1<<k:
		return n + 1
	}
	e := uint64(bits.Len64(n)) - 1
	return ((e - k + 1) << k) + ((n >> (e - k)) & (1<<k - 1)) + 1
}

func lhistBucket(n int64, params []uint64) uint64 {
	low, high, step := int64(params[0]), int64(params[1]), int64(params[2])
	steps := (high - low) / step
	switch {
	case n < low:
		return 0
	case n >= high, (n-low)/step >= steps:
		return uint64(steps) + 1
	}
	return uint64((n-low)/step) + 1
}

// number is what the aggregation is in expressions.
func (a *aggregate) number(t *mapType) uint64 {
	switch t.agg {
	case "count":
		return a.count
	case "sum":
		return a.total
	case "avg", "stats":
		switch {
		case a.count == 0:
			return 0
		case t.signed:
			return uint64(int64(a.total) / int64(a.count))
		}
		return a.total / a.count
	}
	return a.extreme
}

func (a *aggregate) text(t *mapType) string {
	buckets := make([]uint64, 0)
	for b, n := range a.buckets {
		for uint64(len(buckets)) <= b {
			buckets = append(buckets, 0)
		}
		buckets[b] = n
	}
	switch t.agg {
	case "hist", "lhist":
		return AggText(t.agg, t.signed, 0, 0, 0, buckets)
	case "avg", "stats":
		return AggText(t.agg, t.signed, a.number(t), a.count, a.total, nil)
	}
	return AggText(t.agg, t.signed, a.number(t), 0, 0, nil)
}

// AggText is the form of an aggregation in a transcript: its number; of avg and
// stats also the count and total of its values; of histograms the counters, up
// to the last one that is not zero.
func AggText(kind string, signed bool, number, count, total uint64, buckets []uint64) string {
	for len(buckets) > 0 && buckets[len(buckets)-1] == 0 {
		buckets = buckets[:len(buckets)-1]
	}
	if len(buckets) > 0 {
		return fmt.Sprintf("%s %v", kind, buckets)
	}
	if signed {
		return fmt.Sprintf("%s %d %d %d", kind, int64(number), count, int64(total))
	}
	return fmt.Sprintf("%s %d %d %d", kind, number, count, total)
}
