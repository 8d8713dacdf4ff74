package output

import (
	"bytes"
	"strconv"

	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/maps"
)

// Columns of a histogram line.
const (
	intervalColumns = 16
	countColumns    = 8
	barColumns      = 52
)

// appendHist draws a line for each bucket between the first and the last one
// that counts something.
func appendHist(dst []byte, a *maps.Aggregate) []byte {
	first, last, largest := a.Used()
	for i := first; i <= last; i++ {
		start := len(dst)
		dst = appendInterval(dst, a.Type, i)
		dst = appendSpaces(dst, intervalColumns-(len(dst)-start))
		dst = appendRight(dst, a.Buckets[i], countColumns)
		bar := 0
		if largest > 0 {
			// In single precision, as bpftrace computes it.
			bar = int(float32(a.Buckets[i]) / float32(largest) * barColumns)
		}
		dst = append(dst, " |"...)
		dst = append(dst, bytes.Repeat([]byte{'@'}, bar)...)
		dst = append(appendSpaces(dst, barColumns-bar), "|\n"...)
	}
	return dst
}

// appendInterval writes the limits of bucket i.
func appendInterval(dst []byte, t types.Agg, i int) []byte {
	b := maps.Bound(t, i)
	switch {
	case b.NoMin:
		dst = appendBound(append(dst, "(..., "...), t, i+1)
		return append(dst, ')')
	case b.NoMax:
		return append(appendBound(append(dst, '['), t, i), ", ...)"...)
	case b.Min == b.Max:
		return append(appendBound(append(dst, '['), t, i), ']')
	}
	dst = append(appendBound(append(dst, '['), t, i), ", "...)
	return append(appendBound(dst, t, i+1), ')')
}

// appendBound writes the least value of bucket i. Those of hist have the largest
// unit that the bucket is wide, as all bounds of so wide buckets are multiples
// of it; those of lhist the largest that divides them, if the step has one.
func appendBound(dst []byte, t types.Agg, i int) []byte {
	b := maps.Bound(t, i)
	n, multiple := b.Min, b.Min
	switch {
	case t.Kind == types.Hist:
		multiple = b.Max - b.Min + 1
	case t.Step%1024 != 0:
		multiple = 1
	}
	unit := -1
	for multiple != 0 && multiple%1024 == 0 && unit < len(binaryUnits)-1 {
		n /= 1024
		multiple /= 1024
		unit++
	}
	dst = strconv.AppendUint(dst, n, 10)
	if unit >= 0 {
		dst = append(dst, binaryUnits[unit])
	}
	return dst
}

const binaryUnits = "KMGTPE"

func appendSpaces(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, ' ')
	}
	return dst
}

// appendRight writes n right-aligned.
func appendRight(dst []byte, n uint64, columns int) []byte {
	var digits [20]byte
	text := strconv.AppendUint(digits[:0], n, 10)
	return append(appendSpaces(dst, columns-len(text)), text...)
}
