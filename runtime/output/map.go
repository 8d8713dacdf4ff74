package output

import (
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/maps"
)

// entries returns the elements to print: an empty scalar map has its zero,
// unless it is drawn.
func entries(s *maps.Snapshot) []maps.Entry {
	if !s.Scalar() || !s.Empty() || drawn(s) {
		return s.Entries
	}
	return []maps.Entry{s.Zero()}
}

// drawn reports whether the values take lines of their own.
func drawn(s *maps.Snapshot) bool {
	a, ok := s.Agg()
	return ok && (a.Kind == types.Hist || a.Kind == types.LHist || a.Kind == types.TSeries)
}

// AppendMap appends the text of print() of a map.
func (f *Formatter) AppendMap(dst []byte, s *maps.Snapshot) []byte {
	draw := drawn(s)
	for _, e := range entries(s) {
		dst = append(dst, s.Name...)
		if !s.Scalar() {
			dst = append(f.appendKey(append(dst, '['), e.Key), ']')
		}
		dst = append(dst, ':')
		switch {
		case !draw:
			dst = append(f.appendElement(append(dst, ' '), &e), '\n')
		case e.Agg.Type.Kind == types.TSeries:
			dst = f.appendSeries(append(dst, '\n'), e.Agg)
		default:
			dst = append(appendHist(append(dst, '\n'), e.Agg), '\n')
		}
	}
	return dst
}

// appendElement appends a value that fits a line.
func (f *Formatter) appendElement(dst []byte, e *maps.Entry) []byte {
	if e.Agg == nil {
		return f.AppendValue(dst, e.Value)
	}
	a := e.Agg
	if a.Type.Kind == types.Stats {
		return appendStats(dst, a)
	}
	return appendInt(dst, a.Value, a.Type.Signed)
}

func appendStats(dst []byte, a *maps.Aggregate) []byte {
	dst = appendInt(append(dst, "{ .count = "...), a.Count, false)
	dst = appendInt(append(dst, ", .average = "...), a.Value, a.Type.Signed)
	dst = appendInt(append(dst, ", .total = "...), a.Total, a.Type.Signed)
	return append(dst, " }"...)
}
