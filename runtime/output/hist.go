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
		dst = appendBound(append(dst, "(..., "...), t, b.Max+1)
		return append(dst, ')')
	case b.NoMax:
		return append(appendBound(append(dst, '['), t, b.Min), ", ...)"...)
	case b.Min == b.Max:
		return append(appendBound(append(dst, '['), t, b.Min), ']')
	}
	dst = append(appendBound(append(dst, '['), t, b.Min), ", "...)
	return append(appendBound(dst, t, b.Max+1), ')')
}

// appendBound shortens multiples of 1024 where the buckets have such limits.
func appendBound(dst []byte, t types.Agg, n uint64) []byte {
	binary := t.Kind == types.Hist && t.Bits == 0 || t.Kind == types.LHist && t.Step%1024 == 0
	unit := -1
	for binary && n != 0 && n%1024 == 0 && unit < len(binaryUnits)-1 {
		n /= 1024
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
