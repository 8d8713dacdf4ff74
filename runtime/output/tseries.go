package output

import (
	"bytes"
	"math"
	"time"

	"github.com/gotrace/gotrace/runtime/maps"
)

// graphColumns is the width of the drawing, both edges included.
const graphColumns = 53

// seriesGraph is the scale of a drawing.
type seriesGraph struct {
	signed   bool
	min, max uint64
	layout   string // of times
	head     string // names the layout
	zero     int    // column of the zero line, 0: none
}

// appendSeries draws the series of a (language reference, section 14.5).
func (f *Formatter) appendSeries(dst []byte, a *maps.Aggregate) []byte {
	if len(a.Series) == 0 {
		return append(dst, "<no data>\n"...)
	}
	g := newGraph(a)
	indent := len(g.layout) + 1
	dst = g.appendLimits(dst, indent)
	dst = append(dst, g.head...)
	dst = appendFrame(appendSpaces(dst, indent-len(g.head)), '|')
	for _, p := range a.Series {
		dst = f.local(p.Start).AppendFormat(dst, g.layout)
		dst = g.appendPoint(append(dst, ' '), p)
	}
	dst = appendFrame(appendSpaces(dst, indent), 'v')
	return append(g.appendLimits(dst, indent), '\n')
}

func newGraph(a *maps.Aggregate) seriesGraph {
	g := seriesGraph{signed: a.Type.Signed}
	first := true
	for _, p := range a.Series {
		switch {
		case !p.Valid:
		case first:
			g.min, g.max, first = p.Value, p.Value, false
		case g.less(p.Value, g.min):
			g.min = p.Value
		case g.less(g.max, p.Value):
			g.max = p.Value
		}
	}
	if g.min == g.max {
		g.widen()
	}
	if g.signed && int64(g.min) < 0 && int64(g.max) > 0 {
		// bpftrace places the zero line as if the graph had a column more.
		g.zero = int(graphColumns * -g.float(g.min) / (g.float(g.max) - g.float(g.min)))
	}
	g.layout, g.head = timeLayout(time.Duration(a.Type.Interval), len(a.Series))
	return g
}

// widen makes room on both sides of a single value, as far as numbers go.
func (g *seriesGraph) widen() {
	least, largest := uint64(0), uint64(math.MaxUint64)
	if g.signed {
		least, largest = 1<<63, math.MaxInt64
	}
	if g.min != least {
		g.min--
	}
	if g.max != largest {
		g.max++
	}
}

func (g *seriesGraph) less(a, b uint64) bool {
	if g.signed {
		return int64(a) < int64(b)
	}
	return a < b
}

func (g *seriesGraph) float(n uint64) float64 {
	if g.signed {
		return float64(int64(n))
	}
	return float64(n)
}

// timeLayout shows the fraction of a second that intervals need.
func timeLayout(interval time.Duration, points int) (layout, head string) {
	switch {
	case points == 1 || interval < time.Microsecond:
		return "15:04:05.000000000", "hh:mm:ss.ns"
	case interval < time.Millisecond:
		return "15:04:05.000000", "hh:mm:ss.μs"
	case interval < time.Second:
		return "15:04:05.000", "hh:mm:ss.ms"
	}
	return "15:04:05", "hh:mm:ss"
}

// appendLimits writes the least value at the left edge, the largest so that it
// ends at the right one.
func (g *seriesGraph) appendLimits(dst []byte, indent int) []byte {
	start := len(dst) + indent
	dst = appendInt(appendSpaces(dst, indent), g.min, g.signed)
	var digits [20]byte
	largest := appendInt(digits[:0], g.max, g.signed)
	dst = appendSpaces(dst, graphColumns-(len(dst)-start)-len(largest))
	return append(append(dst, largest...), '\n')
}

func appendFrame(dst []byte, edge byte) []byte {
	dst = append(dst, edge)
	dst = append(dst, bytes.Repeat([]byte{'_'}, graphColumns-2)...)
	return append(dst, edge, '\n')
}

func (g *seriesGraph) appendPoint(dst []byte, p maps.Point) []byte {
	start := len(dst)
	dst = append(dst, '|')
	dst = append(appendSpaces(dst, graphColumns-2), '|')
	row := dst[start:]
	if g.zero > 0 {
		row[g.zero] = '.'
	}
	if !p.Valid {
		return append(dst, " -\n"...)
	}
	share := (g.float(p.Value) - g.float(g.min)) / (g.float(g.max) - g.float(g.min))
	if g.float(g.max) == g.float(g.min) { // differ by less than a float tells
		share = float64(p.Value - g.min)
	}
	row[int(min(share, 1)*(graphColumns-1))] = '*'
	dst = appendInt(append(dst, ' '), p.Value, g.signed)
	return append(dst, '\n')
}
