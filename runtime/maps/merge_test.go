package maps

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/gotrace/gotrace/codegen/layout/layouttest"
	"github.com/gotrace/gotrace/lang/types"
)

func words(numbers ...int64) []byte {
	var raw []byte
	for _, n := range numbers {
		raw = binary.NativeEndian.AppendUint64(raw, uint64(n))
	}
	return raw
}

func TestMergeNumbers(t *testing.T) {
	none := words(0, 0)
	for _, tt := range []struct {
		why  string
		agg  types.Agg
		cpus [][]byte
		want int64
	}{
		{"count", types.Agg{Kind: types.Count}, [][]byte{words(3), words(4)}, 7},
		{"sum", types.Agg{Kind: types.Sum, Signed: true}, [][]byte{words(3), words(-5)}, -2},
		{"min ignores CPUs without a value", types.Agg{Kind: types.Min, Signed: true}, [][]byte{none, words(5, 1), words(9, 2)}, 5},
		{"signed min", types.Agg{Kind: types.Min, Signed: true}, [][]byte{words(-3, 1), words(5, 1)}, -3},
		{"unsigned min", types.Agg{Kind: types.Min}, [][]byte{words(-3, 1), words(5, 1)}, 5},
		{"max of negative values", types.Agg{Kind: types.Max, Signed: true}, [][]byte{none, words(-30, 1), words(-5, 1)}, -5},
		{"unsigned max", types.Agg{Kind: types.Max}, [][]byte{words(-1, 1), words(5, 1)}, -1},
		{"max without a value", types.Agg{Kind: types.Max}, [][]byte{none, none}, 0},
		{"avg", types.Agg{Kind: types.Avg, Signed: true}, [][]byte{words(30, 2), words(31, 1)}, 20},
		{"avg truncates toward zero", types.Agg{Kind: types.Avg, Signed: true}, [][]byte{words(-3, 2)}, -1},
		{"unsigned avg", types.Agg{Kind: types.Avg}, [][]byte{words(math.MinInt64+2, 2)}, 1<<62 + 1},
		{"avg of nothing", types.Agg{Kind: types.Avg}, [][]byte{none}, 0},
		{"parts that are too short", types.Agg{Kind: types.Count}, [][]byte{{1, 2}, nil, words(1)}, 1},
	} {
		if got := merge(tt.agg, tt.cpus); got.Value != uint64(tt.want) {
			t.Errorf("%s: %d, want %d", tt.why, int64(got.Value), tt.want)
		}
	}
	a := merge(types.Agg{Kind: types.Stats, Signed: true}, [][]byte{words(-10, 1), words(-21, 1)})
	if a.Count != 2 || int64(a.Total) != -31 || int64(a.Value) != -15 {
		t.Errorf("stats: %+v", a)
	}
}

func TestMergeBuckets(t *testing.T) {
	agg := types.Agg{Kind: types.LHist, Min: 0, Max: 30, Step: 10}
	a := merge(agg, [][]byte{words(1, 0, 2), words(1, 5, 0, 0, 9)})
	if first, last, largest := a.Used(); first != 0 || last != 4 || largest != 9 || a.Value != 18 || a.Buckets[1] != 5 {
		t.Errorf("%+v", a)
	}
	if first, last, _ := merge(agg, nil).Used(); last >= first {
		t.Errorf("an empty one uses %d to %d", first, last)
	}
}

func TestBounds(t *testing.T) {
	lhist := types.Agg{Kind: types.LHist, Min: 0, Max: 10, Step: 3}
	for _, tt := range []struct {
		agg  types.Agg
		i    int
		want Bounds
	}{
		{types.Agg{Kind: types.Hist}, 0, Bounds{NoMin: true, Max: math.MaxUint64}},
		{types.Agg{Kind: types.Hist}, 1, Bounds{Min: 0, Max: 0}},
		{types.Agg{Kind: types.Hist}, 2, Bounds{Min: 1, Max: 1}},
		{types.Agg{Kind: types.Hist}, 3, Bounds{Min: 2, Max: 3}},
		{types.Agg{Kind: types.Hist}, 64, Bounds{Min: 1 << 62, Max: math.MaxInt64}},
		{types.Agg{Kind: types.Hist, Bits: 2}, 8, Bounds{Min: 7, Max: 7}},
		{types.Agg{Kind: types.Hist, Bits: 2}, 9, Bounds{Min: 8, Max: 9}},
		{types.Agg{Kind: types.Hist, Bits: 2}, 14, Bounds{Min: 20, Max: 23}},
		{lhist, 0, Bounds{NoMin: true, Max: math.MaxUint64}},
		{lhist, 1, Bounds{Min: 0, Max: 2}},
		{lhist, 4, Bounds{NoMax: true, Min: 9}},
	} {
		if got := Bound(tt.agg, tt.i); got != tt.want {
			t.Errorf("%+v, bucket %d: %+v, want %+v", tt.agg, tt.i, got, tt.want)
		}
	}
}

// TestHistBuckets compares the limits with the formula of the language
// reference for all values near powers of two.
func TestHistBuckets(t *testing.T) {
	bucket := func(n uint64, k int) int {
		if n < 1<<k {
			return int(n) + 1
		}
		e := 0
		for n>>e > 1 {
			e++
		}
		return (e-k+1)<<k + int(n>>(e-k)&(1<<k-1)) + 1
	}
	for k := range 6 {
		agg := types.Agg{Kind: types.Hist, Bits: k}
		for e := range 63 {
			for d := uint64(0); d < 40; d++ {
				n := uint64(1)<<e - 1 + d
				if n > math.MaxInt64 {
					continue
				}
				i := bucket(n, k)
				if b := Bound(agg, i); n < b.Min || n > b.Max || i >= agg.NumBuckets() {
					t.Fatalf("%d with k = %d is in bucket %d: %+v", n, k, i, b)
				}
			}
		}
	}
}

// seriesPart encodes what one CPU keeps: cells of epoch, value, count.
func seriesPart(latest int64, cells ...[3]int64) []byte {
	raw := words(latest)
	for _, c := range cells {
		raw = append(raw, words(c[:]...)...)
	}
	return raw
}

func TestMergeSeries(t *testing.T) {
	agg := func(inner types.AggKind) types.Agg {
		return types.Agg{Kind: types.TSeries, Signed: true, Interval: int64(time.Second), Buckets: 4, Inner: inner}
	}
	one := seriesPart(102, [3]int64{100, 5, 1}, [3]int64{97, 9, 1}, [3]int64{102, 6, 2})
	two := seriesPart(100, [3]int64{100, -8, 3}, [3]int64{96, 7, 1})
	for _, tt := range []struct {
		inner types.AggKind
		want  int64 // in epoch 100
	}{
		{types.Count, -8}, // the later stamp
		{types.Sum, -3},
		{types.Min, -8},
		{types.Max, 5},
		{types.Avg, 0}, // -3 / 4
	} {
		a := merge(agg(tt.inner), [][]byte{one, two})
		if len(a.Series) != 3 {
			t.Fatalf("%d: %v", tt.inner, a.Series)
		}
		if p := a.Series[0]; !p.Valid || int64(p.Value) != tt.want || p.Start.Unix() != 100 {
			t.Errorf("%d: %+v, want %d", tt.inner, p, tt.want)
		}
		if a.Series[1].Valid || !a.Series[2].Valid {
			t.Errorf("%d: gap in %+v", tt.inner, a.Series)
		}
	}
	if a := merge(agg(types.Sum), [][]byte{seriesPart(0), nil, words(1 << 40)}); len(a.Series) != 0 {
		t.Errorf("no cells: %+v", a.Series)
	}
	if a := merge(types.Agg{Kind: types.TSeries}, [][]byte{one}); len(a.Series) != 0 {
		t.Errorf("no interval: %+v", a.Series)
	}
}

func TestKeyOrder(t *testing.T) {
	text, buffer := types.String{Cap: 8}, types.Buffer{Cap: 8}
	pair := types.NewTuple(nil, []types.Type{i64, text})
	for _, tt := range []struct {
		key  types.Type
		keys []any // in order
	}{
		{u64, []any{uint64(1) << 63, uint64(math.MaxUint64), 1}},
		{u32, []any{uint64(math.MaxUint32), 1}},
		{types.Bool{}, []any{false, true}},
		{text, []any{"", "Apple", "appl", "apple", "fig"}},
		{buffer, []any{"aab", "ab", "b"}},
		{pair, []any{[]any{1, "a"}, []any{1, "b"}, []any{2, "a"}, []any{10, ""}}},
		{types.Array{Elem: i64, Len: 2}, []any{[]any{-1, 5}, []any{1, 1}, []any{1, 2}}},
		{types.Pointer{Elem: types.Void{}}, []any{uint64(1) << 63, 0, 8}},
		{types.Opaque{Kind: types.MAC}, []any{[]byte{0, 1, 2, 3, 4, 5}, []byte{0, 1, 2, 3, 4, 6}}},
	} {
		s := &Snapshot{Key: tt.key, Value: text}
		for i := range tt.keys {
			x := tt.keys[len(tt.keys)-1-i]
			s.Entries = append(s.Entries, Entry{Key: layouttest.Value(tt.key, x), Value: layouttest.Value(text, "")})
		}
		s.sort()
		for i, e := range s.Entries {
			if want := layouttest.Value(tt.key, tt.keys[i]); string(e.Key.Raw) != string(want.Raw) {
				t.Errorf("%s: place %d holds %v, want %v", tt.key, i, e.Key.Raw, tt.keys[i])
			}
		}
	}
}

func TestValueOrder(t *testing.T) {
	aggs := func(agg types.Agg, parts ...[]byte) *Snapshot {
		s := &Snapshot{Key: i64, Value: agg}
		for i, p := range parts {
			s.Entries = append(s.Entries, Entry{Key: layouttest.Value(i64, i), Agg: merge(agg, [][]byte{p})})
		}
		return s
	}
	ints := func(t types.Type, values ...any) *Snapshot {
		s := &Snapshot{Key: i64, Value: t}
		for i, v := range values {
			s.Entries = append(s.Entries, Entry{Key: layouttest.Value(i64, i), Value: layouttest.Value(t, v)})
		}
		return s
	}
	for _, tt := range []struct {
		why  string
		s    *Snapshot
		want []int64 // keys
	}{
		{"signed", ints(i64, 30, 10, -5), []int64{2, 1, 0}},
		{"unsigned", ints(u64, uint64(math.MaxUint64), 5), []int64{1, 0}},
		{"narrow", ints(types.Int{Bits: 8, Signed: true}, 3, -1), []int64{1, 0}},
		{"bool", ints(types.Bool{}, true, false, true), []int64{1, 0, 2}},
		{"ties by key", ints(i64, 1, 1, 0), []int64{2, 0, 1}},
		{"pointers by key", ints(types.Pointer{Elem: types.Void{}}, 9, 5), []int64{0, 1}},
		{"max as unsigned", aggs(types.Agg{Kind: types.Max, Signed: true}, words(-9, 1), words(9, 1)), []int64{1, 0}},
		{"avg", aggs(types.Agg{Kind: types.Avg, Signed: true}, words(10, 1), words(-4, 4)), []int64{1, 0}},
		{"hist by number of values", aggs(types.Agg{Kind: types.Hist}, words(0, 0, 2), words(1)), []int64{1, 0}},
		{"series by newest interval", aggs(types.Agg{Kind: types.TSeries, Interval: 1, Buckets: 2}, seriesPart(7, [3]int64{7, 1, 1}), seriesPart(5, [3]int64{5, 1, 1})), []int64{1, 0}},
	} {
		tt.s.sort()
		for i, e := range tt.s.Entries {
			if e.Key.Int() != tt.want[i] {
				t.Errorf("%s: place %d holds key %d, want %d", tt.why, i, e.Key.Int(), tt.want[i])
			}
		}
	}
}

func TestTopAndDivide(t *testing.T) {
	s := &Snapshot{Key: i64, Value: i64}
	for i, v := range []int{-107, 55, 399} {
		s.Entries = append(s.Entries, Entry{Key: layouttest.Value(i64, i), Value: layouttest.Value(i64, v)})
	}
	s.Divide(10)
	if got := show(s); got != "0=-10 1=5 2=39" {
		t.Error(got)
	}
	s.Top(2)
	if got := show(s); got != "1=5 2=39" {
		t.Error(got)
	}
	s.Top(10)
	s.Divide(0)
	s.Divide(math.MaxUint64) // as large as no number
	if got := show(s); got != "1=0 2=0" {
		t.Error(got)
	}
	stats := merge(types.Agg{Kind: types.Stats}, [][]byte{words(9, 1)}) // of which the average is divided, as in bpftrace
	stats.divide(2)
	hist := merge(types.Agg{Kind: types.Hist}, [][]byte{words(9, 20)})
	hist.divide(5)
	if stats.Total != 9 || stats.Count != 1 || stats.Value != 4 || hist.Buckets[0] != 1 || hist.Buckets[1] != 4 {
		t.Errorf("%+v %+v", stats, hist)
	}
}

// The counts of hist are divided and all buckets stay that counted something;
// those of lhist are not divided. So has it bpftrace 0.27.
func TestDivideBuckets(t *testing.T) {
	hist := merge(types.Agg{Kind: types.Hist}, [][]byte{words(0, 1, 0, 9, 5, 2)})
	hist.divide(3)
	hist.divide(2)
	if first, last, largest := hist.Used(); first != 1 || last != 5 || largest != 1 || hist.Buckets[4] != 0 {
		t.Errorf("hist: buckets %d to %d, %d at most, %d", first, last, largest, hist.Buckets)
	}
	lhist := merge(types.Agg{Kind: types.LHist, Max: 30, Step: 10}, [][]byte{words(0, 1, 5)})
	lhist.divide(5)
	if first, last, largest := lhist.Used(); first != 1 || last != 2 || largest != 5 {
		t.Errorf("lhist: buckets %d to %d, %d at most", first, last, largest)
	}
}

func TestZeroOfScalar(t *testing.T) {
	for _, value := range []types.Type{i64, types.String{Cap: 4}, types.Agg{Kind: types.Stats}, types.Agg{Kind: types.Hist}} {
		s := &Snapshot{Value: value}
		e := s.Zero()
		if _, agg := value.(types.Agg); agg != (e.Agg != nil) || (!agg && len(e.Value.Raw) != value.Size()) {
			t.Errorf("%v: %+v", value, e)
		}
	}
}
