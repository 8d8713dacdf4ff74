package maps

import (
	"encoding/binary"
	"time"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/types"
)

// merge combines the parts of the CPUs; parts that are too short are void.
func merge(t types.Agg, cpus [][]byte) *Aggregate {
	a := &Aggregate{Type: t}
	switch t.Kind {
	case types.Count, types.Sum:
		for _, part := range cpus {
			a.Value += wordAt(part, 0)
		}
	case types.Min, types.Max:
		a.Value = extreme(t, cpus)
	case types.Avg, types.Stats:
		for _, part := range cpus {
			a.Total += wordAt(part, layout.AggValue)
			a.Count += wordAt(part, layout.AggCount)
		}
		a.Value = average(a.Total, a.Count, t.Signed)
	case types.Hist, types.LHist:
		a.Buckets = make([]uint64, t.NumBuckets())
		for _, part := range cpus {
			for i := range a.Buckets {
				n := wordAt(part, 8*i)
				a.Buckets[i] += n
				a.Value += n
			}
		}
	case types.TSeries:
		a.Series = series(t, cpus)
	}
	return a
}

// wordAt reads a number, zero where there is none.
func wordAt(b []byte, off int) uint64 {
	if off < 0 || off+8 > len(b) {
		return 0
	}
	return binary.NativeEndian.Uint64(b[off:])
}

func extreme(t types.Agg, cpus [][]byte) uint64 {
	var best uint64
	found := false
	for _, part := range cpus {
		if wordAt(part, layout.AggCount) == 0 {
			continue
		}
		v := wordAt(part, layout.AggValue)
		if !found || better(t.Kind, v, best, t.Signed) {
			best, found = v, true
		}
	}
	return best
}

// better reports whether a comes before b for min, behind it for max.
func better(kind types.AggKind, a, b uint64, signed bool) bool {
	if kind == types.Max {
		a, b = b, a
	}
	if signed {
		return int64(a) < int64(b)
	}
	return a < b
}

func average(total, count uint64, signed bool) uint64 {
	if count == 0 {
		return 0
	}
	return divide(total, count, signed)
}

// cell is what one interval of a series holds; see layout.TSeriesCell.
type cell struct {
	value, count uint64
}

// series combines the cells of all CPUs by epoch.
func series(t types.Agg, cpus [][]byte) []Point {
	var latest uint64
	for _, part := range cpus {
		latest = max(latest, wordAt(part, layout.TSeriesLatest))
	}
	if latest == 0 || t.Interval < 1 || t.Buckets < 1 {
		return nil
	}
	oldest := latest - min(latest, uint64(t.Buckets)-1)
	cells := make([]cell, latest-oldest+1)
	for _, part := range cpus {
		for off := layout.TSeriesCells; off+layout.TSeriesCell <= len(part); off += layout.TSeriesCell {
			c := cell{wordAt(part, off+layout.CellValue), wordAt(part, off+layout.CellCount)}
			epoch := wordAt(part, off+layout.CellEpoch)
			if c.count != 0 && epoch >= oldest && epoch <= latest {
				cells[epoch-oldest].add(c, t)
			}
		}
	}
	return points(t, oldest, cells)
}

func (c *cell) add(d cell, t types.Agg) {
	switch {
	case c.count == 0:
		*c = d
	case t.Inner == types.Count: // last values: counts are stamps
		if d.count > c.count {
			*c = d
		}
	case t.Inner == types.Min || t.Inner == types.Max:
		if better(t.Inner, d.value, c.value, t.Signed) {
			c.value = d.value
		}
		c.count += d.count
	default:
		c.value += d.value
		c.count += d.count
	}
}

// points drops the intervals before the first and behind the last value.
func points(t types.Agg, epoch uint64, cells []cell) []Point {
	for len(cells) > 0 && cells[0].count == 0 {
		cells, epoch = cells[1:], epoch+1
	}
	for len(cells) > 0 && cells[len(cells)-1].count == 0 {
		cells = cells[:len(cells)-1]
	}
	out := make([]Point, len(cells))
	for i, c := range cells {
		out[i] = Point{Start: time.Unix(0, int64((epoch+uint64(i))*uint64(t.Interval))).UTC(), Value: c.value, Valid: c.count != 0}
		if t.Inner == types.Avg {
			out[i].Value = average(c.value, c.count, t.Signed)
		}
	}
	return out
}
