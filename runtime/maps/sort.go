package maps

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/types"
)

// sort puts the entries in printing order: numbers and aggregations by value,
// smallest first, everything else by key. Keys decide between equal values.
func (s *Snapshot) sort() {
	rank := ranking(s.Value)
	slices.SortStableFunc(s.Entries, func(a, b Entry) int {
		if rank != nil {
			if c := cmp.Compare(rank(&a), rank(&b)); c != 0 {
				return c
			}
		}
		if s.Key == nil {
			return 0
		}
		return compareKeys(a.Key, b.Key)
	})
}

// ranking returns what values of type t are sorted by, nil for those that are
// not.
func ranking(t types.Type) func(*Entry) uint64 {
	switch t := t.(type) {
	case types.Int, types.Bool, *types.Enum:
		flip := signFlip(types.IsSigned(t))
		return func(e *Entry) uint64 { return e.Value.Uint() ^ flip }
	case types.Agg:
		return aggRanking(t)
	}
	return nil
}

func aggRanking(t types.Agg) func(*Entry) uint64 {
	flip := signFlip(t.Signed)
	switch t.Kind {
	case types.Min, types.Max, types.Hist, types.LHist: // min and max as unsigned, as bpftrace has it
		flip = 0
	case types.TSeries:
		return func(e *Entry) uint64 {
			if n := len(e.Agg.Series); n > 0 {
				return uint64(e.Agg.Series[n-1].Start.UnixNano())
			}
			return 0
		}
	}
	return func(e *Entry) uint64 { return e.Agg.Value ^ flip }
}

// signFlip turns the order of signed numbers into that of unsigned ones.
func signFlip(signed bool) uint64 {
	if signed {
		return 1 << 63
	}
	return 0
}

// compareKeys orders keys: integers as signed numbers whatever their type, as
// bpftrace does, strings by bytes, tuples and arrays by element, the rest by
// memory.
func compareKeys(a, b layout.Value) int {
	switch t := a.Type.(type) {
	case types.Bool:
		return cmp.Compare(a.Uint(), b.Uint())
	case types.Int:
		return cmp.Compare(signed(a, t.Bits), signed(b, t.Bits))
	case *types.Enum:
		return cmp.Compare(signed(a, 8*t.Bytes), signed(b, 8*t.Bytes))
	case types.Pointer:
		return cmp.Compare(a.Int(), b.Int())
	case types.String:
		return bytes.Compare(a.Text(), b.Text())
	case types.Buffer:
		return bytes.Compare(a.Bytes(), b.Bytes())
	case types.Array:
		for i := range t.Len {
			if c := compareKeys(a.Index(i), b.Index(i)); c != 0 {
				return c
			}
		}
		return 0
	case *types.Struct:
		for _, f := range t.Fields() {
			if c := compareKeys(a.Field(f), b.Field(f)); c != 0 {
				return c
			}
		}
		return 0
	}
	return bytes.Compare(a.Raw, b.Raw)
}

func signed(v layout.Value, bits int) int64 {
	shift := 64 - uint(bits)
	return int64(v.Uint()<<shift) >> shift
}
