package output

import (
	"strings"
	"testing"
	"time"

	"github.com/gotrace/gotrace/codegen/layout/layouttest"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/maps"
)

// bothForms prints a map as text and as JSON.
func bothForms(t *testing.T, s *maps.Snapshot) (text, json string) {
	t.Helper()
	var a, b strings.Builder
	for _, sink := range []Sink{
		NewText(Options{Out: &a, Format: testFormatter(), Buffering: Unbuffered}),
		NewJSON(Options{Out: &b, Format: testFormatter(), Buffering: Unbuffered}),
	} {
		if err := sink.Map(s); err != nil {
			t.Fatal(err)
		}
	}
	return a.String(), b.String()
}

func check(t *testing.T, why, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", why, got, want)
	}
}

func plain(key, value types.Type, pairs ...any) *maps.Snapshot {
	s := &maps.Snapshot{Name: "@m", Key: key, Value: value}
	if key == nil {
		for _, v := range pairs {
			s.Entries = append(s.Entries, maps.Entry{Value: layouttest.Value(value, v)})
		}
		return s
	}
	for i := 0; i < len(pairs); i += 2 {
		s.Entries = append(s.Entries, maps.Entry{Key: layouttest.Value(key, pairs[i]), Value: layouttest.Value(value, pairs[i+1])})
	}
	return s
}

func aggregate(key types.Type, keyValue any, a *maps.Aggregate) *maps.Snapshot {
	e := maps.Entry{Agg: a}
	if key != nil {
		e.Key = layouttest.Value(key, keyValue)
	}
	return &maps.Snapshot{Name: "@m", Key: key, Value: a.Type, Entries: []maps.Entry{e}}
}

func TestPlainMaps(t *testing.T) {
	pair := types.NewTuple(nil, []types.Type{i64, text})
	nested := types.NewTuple(nil, []types.Type{i64, pair})
	record := types.NewTuple([]string{"x"}, []types.Type{i64})
	stack := types.Stack{User: true, Limit: 2}
	withStack := types.NewTuple(nil, []types.Type{text, stack})
	for _, tt := range []struct {
		why        string
		s          *maps.Snapshot
		text, json string
	}{
		{"scalar", plain(nil, i64, 5), "@m: 5\n", `{"@m": 5}`},
		{"keyed", plain(i64, u64, 1, 10, 2, 20), "@m[1]: 10\n@m[2]: 20\n", `{"@m": {"1": 10, "2": 20}}`},
		{"several keys", plain(pair, i64, []any{1, "two"}, 3), "@m[1, two]: 3\n", `{"@m": {"1,two": 3}}`},
		{"nested tuple key", plain(nested, i64, []any{1, []any{2, "z"}}, 4), "@m[1, (2, z)]: 4\n", `{"@m": {"1,(2,z)": 4}}`},
		{"record key", plain(record, text, []any{1}, "f"), "@m[{ .x = 1 }]: f\n", `{"@m": {"{.x=1}": "f"}}`},
		{"spaces and quotes in a key", plain(text, i64, "with \"quotes\" in", 1), "@m[with \"quotes\" in]: 1\n", `{"@m": {"with\"quotes\"in": 1}}`},
		{"enum", plain(mode, mode, 4, 0), "@m[ON]: OFF\n", `{"@m": {"ON": 0}}`},
		{"tuple value", plain(i64, pair, 1, []any{5, "five"}), "@m[1]: (5, five)\n", `{"@m": {"1": [5,"five"]}}`},
		{"array key", plain(types.Array{Elem: u8, Len: 2}, i64, []any{1, 2}, 1), "@m[[1,2]]: 1\n", `{"@m": {"[1,2]": 1}}`},
		{"empty scalar", plain(nil, text), "@m: \n", `{"@m": ""}`},
		{"empty scalar tuple", plain(nil, pair), "@m: (0, )\n", `{"@m": [0,""]}`},
		{"stack value", plain(nil, stack, words(99, 1<<32)), "@m: \n        u1+0\n\n", `{"@m": "\n        u1+0\n"}`},
		{"stack key", plain(stack, u64, words(99, 2<<32), 5), "@m[\n        u1+0\n        u2+0\n]: 5\n", `{"@m": {"\nu1+0\nu2+0\n": 5}}`},
		{"stack in a key", plain(withStack, u64, []any{"deep", words(99, 1<<32)}, 4), "@m[deep, \n        u1+0\n]: 4\n", `{"@m": {"deep,\nu1+0\n": 4}}`},
	} {
		text, json := bothForms(t, tt.s)
		check(t, tt.why, text, tt.text)
		check(t, tt.why, json, `{"type": "map", "data": `+tt.json+"}\n")
	}
	if text, json := bothForms(t, plain(i64, i64)); text != "" || json != "" {
		t.Errorf("an empty keyed map prints %q and %q", text, json)
	}
}

func TestNumberAggregations(t *testing.T) {
	count := types.Agg{Kind: types.Count}
	for _, tt := range []struct {
		why        string
		s          *maps.Snapshot
		text, json string
	}{
		{"count", aggregate(text, "a", &maps.Aggregate{Type: count, Value: 2}), "@m[a]: 2\n", `{"type": "map", "data": {"@m": {"a": 2}}}`},
		{"signed sum", aggregate(nil, nil, &maps.Aggregate{Type: types.Agg{Kind: types.Sum, Signed: true}, Value: ^uint64(6)}), "@m: -7\n", `{"type": "map", "data": {"@m": -7}}`},
		{"unsigned sum", aggregate(nil, nil, &maps.Aggregate{Type: types.Agg{Kind: types.Sum}, Value: ^uint64(0)}), "@m: 18446744073709551615\n", `{"type": "map", "data": {"@m": "18446744073709551615"}}`},
		{"avg", aggregate(nil, nil, &maps.Aggregate{Type: types.Agg{Kind: types.Avg}, Value: 3, Count: 2, Total: 7}), "@m: 3\n", `{"type": "stats", "data": {"@m": 3}}`},
		{"stats", aggregate(text, "x", &maps.Aggregate{Type: types.Agg{Kind: types.Stats, Signed: true}, Value: ^uint64(14), Count: 2, Total: ^uint64(30)}),
			"@m[x]: { .count = 2, .average = -15, .total = -31 }\n", `{"type": "stats", "data": {"@m": {"x": {"count": 2, "average": -15, "total": -31}}}}`},
		{"empty scalar", &maps.Snapshot{Name: "@m", Value: types.Agg{Kind: types.Stats}},
			"@m: { .count = 0, .average = 0, .total = 0 }\n", `{"type": "stats", "data": {"@m": {"count": 0, "average": 0, "total": 0}}}`},
	} {
		text, json := bothForms(t, tt.s)
		check(t, tt.why, text, tt.text)
		check(t, tt.why, json, tt.json+"\n")
	}
}

// buckets makes a histogram from counts by bucket.
func buckets(agg types.Agg, counts map[int]uint64) *maps.Aggregate {
	a := &maps.Aggregate{Type: agg, Buckets: make([]uint64, agg.NumBuckets())}
	for i, n := range counts {
		a.Buckets[i] = n
	}
	return a
}

var fullBar = strings.Repeat("@", barColumns)

func TestHist(t *testing.T) {
	hist := types.Agg{Kind: types.Hist}
	got, json := bothForms(t, aggregate(nil, nil, buckets(hist, map[int]uint64{0: 2, 2: 1, 11: 1, 12: 0})))
	check(t, "hist", got, `@m:
(..., 0)               2 |`+fullBar+`|
[0]                    0 |                                                    |
[1]                    1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |
[2, 4)                 0 |                                                    |
[4, 8)                 0 |                                                    |
[8, 16)                0 |                                                    |
[16, 32)               0 |                                                    |
[32, 64)               0 |                                                    |
[64, 128)              0 |                                                    |
[128, 256)             0 |                                                    |
[256, 512)             0 |                                                    |
[512, 1K)              1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |

`)
	if !strings.HasPrefix(json, `{"type": "hist", "data": {"@m": [{"max": -1, "count": 2},{"min": 0, "max": 0, "count": 0},{"min": 1, "max": 1, "count": 1},{"min": 2, "max": 3, "count": 0},`) || !strings.HasSuffix(json, `{"min": 512, "max": 1023, "count": 1}]}}`+"\n") {
		t.Error(json)
	}

	got, json = bothForms(t, aggregate(text, "a b", buckets(hist, map[int]uint64{64: 12345})))
	check(t, "keyed", got, "@m[a b]:\n[4E, 8E)           12345 |"+fullBar+"|\n\n")
	check(t, "keyed", json, `{"type": "hist", "data": {"@m": {"ab": [{"min": 4611686018427387904, "max": "9223372036854775807", "count": 12345}]}}}`+"\n")

	got, _ = bothForms(t, aggregate(nil, nil, buckets(types.Agg{Kind: types.Hist, Bits: 2}, map[int]uint64{8: 1, 9: 2, 37: 1, 38: 1})))
	for _, want := range []string{"[7]                    1 |@@@@@@@@@@@@@@@@@@@@@@@@@@   ", "\n[8, 10)                2 |" + fullBar, "\n[1024, 1280)           1 |", "\n[1280, 1536)           1 |"} {
		if !strings.Contains(got, want) {
			t.Errorf("with bits: no %q in\n%s", want, got)
		}
	}
}

// TestHistUnits has bounds of bpftrace 0.27: the unit is at most the width.
func TestHistUnits(t *testing.T) {
	for _, tt := range []struct {
		agg  types.Agg
		i    int
		want string
	}{
		{types.Agg{Kind: types.Hist}, 0, "(..., 0)"},
		{types.Agg{Kind: types.Hist}, 11, "[512, 1K)"},
		{types.Agg{Kind: types.Hist, Bits: 1}, 20, "[768, 1024)"},
		{types.Agg{Kind: types.Hist, Bits: 1}, 21, "[1024, 1536)"},
		{types.Agg{Kind: types.Hist, Bits: 1}, 22, "[1536, 2K)"},
		{types.Agg{Kind: types.Hist, Bits: 1}, 23, "[2K, 3K)"},
		{types.Agg{Kind: types.Hist, Bits: 2}, 77, "[1024K, 1280K)"},
		{types.Agg{Kind: types.Hist, Bits: 3}, 88, "[7680, 8K)"},
		{types.Agg{Kind: types.Hist, Bits: 1}, 81, "[1024G, 1536G)"},
		{types.Agg{Kind: types.Hist, Bits: 1}, 84, "[3T, 4T)"},
		{types.Agg{Kind: types.Hist, Bits: 5}, 1888, "[8064P, 8192P)"},
		{types.Agg{Kind: types.LHist, Min: 0, Max: 1 << 20, Step: 1 << 19}, 2, "[512K, 1M)"},
		{types.Agg{Kind: types.LHist, Min: 0, Max: 1 << 20, Step: 1 << 19}, 3, "[1M, ...)"},
		{types.Agg{Kind: types.LHist, Min: 0, Max: 2048, Step: 512}, 3, "[1024, 1536)"},
	} {
		if got := string(appendInterval(nil, tt.agg, tt.i)); got != tt.want {
			t.Errorf("%+v, bucket %d: %s, want %s", tt.agg, tt.i, got, tt.want)
		}
	}
}

// TestHistBars has the bar lengths of bpftrace 0.27.
func TestHistBars(t *testing.T) {
	for _, tt := range []struct {
		counts []uint64
		bars   []int
	}{
		{[]uint64{52, 26, 13, 1}, []int{52, 26, 13, 1}},
		{[]uint64{7, 3, 5, 1}, []int{52, 22, 37, 7}},
		{[]uint64{12345, 1}, []int{52, 0}},
	} {
		a := &maps.Aggregate{Type: types.Agg{Kind: types.Hist}, Buckets: append([]uint64{0, 0}, tt.counts...)}
		for i, line := range strings.Split(strings.TrimSpace(string(appendHist(nil, a))), "\n") {
			if got := strings.Count(line, "@"); got != tt.bars[i] {
				t.Errorf("%v: line %d has %d, want %d", tt.counts, i, got, tt.bars[i])
			}
		}
	}
}

func TestEmptyHist(t *testing.T) {
	zeroed := buckets(types.Agg{Kind: types.Hist}, nil)
	got, json := bothForms(t, aggregate(nil, nil, zeroed))
	check(t, "zeroed", got, "@m:\n\n")
	check(t, "zeroed", json, `{"type": "hist", "data": {"@m": []}}`+"\n")
	if got, json := bothForms(t, &maps.Snapshot{Name: "@m", Value: zeroed.Type}); got != "" || json != "" {
		t.Errorf("cleared: %q, %q", got, json)
	}
}

func TestLHist(t *testing.T) {
	interval := func(agg types.Agg, i int) string { return string(appendInterval(nil, agg, i)) }
	tens := types.Agg{Kind: types.LHist, Max: 100, Step: 10}
	ones := types.Agg{Kind: types.LHist, Max: 5, Step: 1}
	uneven := types.Agg{Kind: types.LHist, Max: 10, Step: 3}
	kilos := types.Agg{Kind: types.LHist, Max: 10240, Step: 1024}
	shifted := types.Agg{Kind: types.LHist, Min: 100, Max: 10240, Step: 1024}
	megas := types.Agg{Kind: types.LHist, Max: 3145728, Step: 1048576}
	for _, tt := range []struct {
		agg  types.Agg
		i    int
		want string
	}{
		{tens, 0, "(..., 0)"}, {tens, 1, "[0, 10)"}, {tens, 10, "[90, 100)"}, {tens, 11, "[100, ...)"},
		{ones, 1, "[0]"}, {ones, 5, "[4]"}, {ones, 6, "[5, ...)"},
		{uneven, 3, "[6, 9)"}, {uneven, 4, "[9, ...)"},
		{kilos, 1, "[0, 1K)"}, {kilos, 5, "[4K, 5K)"}, {kilos, 11, "[10K, ...)"},
		{shifted, 1, "[100, 1124)"}, {shifted, 10, "[9316, ...)"},
		{megas, 2, "[1M, 2M)"},
		{types.Agg{Kind: types.LHist, Min: 10, Max: 100, Step: 10}, 0, "(..., 10)"},
	} {
		if got := interval(tt.agg, tt.i); got != tt.want {
			t.Errorf("%+v, bucket %d: %s, want %s", tt.agg, tt.i, got, tt.want)
		}
	}
	_, json := bothForms(t, aggregate(i64, 7, buckets(uneven, map[int]uint64{0: 1, 4: 2})))
	check(t, "JSON", json, `{"type": "hist", "data": {"@m": {"7": [{"max": -1, "count": 1},{"min": 0, "max": 2, "count": 0},{"min": 3, "max": 5, "count": 0},{"min": 6, "max": 8, "count": 0},{"min": 9, "count": 2}]}}}`+"\n")
}

// series makes a tseries with one point each interval; nil is no value.
func series(agg types.Agg, points ...any) *maps.Aggregate {
	agg.Kind = types.TSeries
	a := &maps.Aggregate{Type: agg}
	for i, p := range points {
		start := time.Date(2026, 11, 26, 10, 0, 0, int(100*time.Millisecond), time.UTC).Add(time.Duration(i) * time.Duration(agg.Interval))
		point := maps.Point{Start: start}
		if n, ok := p.(int); ok {
			point.Value, point.Valid = uint64(n), true
		}
		a.Series = append(a.Series, point)
	}
	return a
}

func TestSeries(t *testing.T) {
	const head = "hh:mm:ss.ms  |___________________________________________________|\n"
	tenths := types.Agg{Signed: true, Interval: int64(100 * time.Millisecond), Buckets: 9}
	got, json := bothForms(t, aggregate(nil, nil, series(tenths, -2, -1, nil, 3)))
	check(t, "four intervals", got, `@m:
             -2                                                  3
`+head+`10:00:00.100 *                    .                              | -2
10:00:00.200 |         *          .                              | -1
10:00:00.300 |                    .                              | -
10:00:00.400 |                    .                              * 3
             v___________________________________________________v
             -2                                                  3

`)
	check(t, "four intervals", json, `{"type": "tseries", "data": {"@m": [{"interval_start":"2026-11-26 10:00:00.100000000","value":-2},{"interval_start":"2026-11-26 10:00:00.200000000","value":-1},{"interval_start":"2026-11-26 10:00:00.400000000","value":3}]}}`+"\n")

	got, _ = bothForms(t, aggregate(text, "a", series(tenths, -11)))
	check(t, "one interval", got, `@m[a]:
                   -12                                               -10
hh:mm:ss.ns        |___________________________________________________|
10:00:00.100000000 |                         *                         | -11
                   v___________________________________________________v
                   -12                                               -10

`)
	got, _ = bothForms(t, aggregate(nil, nil, series(types.Agg{Interval: 1}, -1)))
	if !strings.Contains(got, "|                                                   * 18446744073709551615\n") || !strings.Contains(got, "                   18446744073709551614             18446744073709551615\n") {
		t.Errorf("the largest number:\n%s", got)
	}
	got, json = bothForms(t, aggregate(nil, nil, series(tenths)))
	check(t, "no data", got, "@m:\n<no data>\n")
	check(t, "no data", json, `{"type": "tseries", "data": {"@m": []}}`+"\n")
}

func TestSeriesScale(t *testing.T) {
	line := func(agg types.Agg, n int, points ...any) string {
		return strings.Split(string(new(Formatter).appendSeries(nil, series(agg, points...))), "\n")[n]
	}
	second := types.Agg{Signed: true, Interval: int64(time.Second)}
	for _, tt := range []struct {
		interval time.Duration
		want     string
	}{
		{time.Second, "hh:mm:ss |"},
		{time.Millisecond, "hh:mm:ss.ms  |"},
		{time.Microsecond, "hh:mm:ss.μs    |"},
		{time.Nanosecond, "hh:mm:ss.ns        |"},
	} {
		if got := line(types.Agg{Interval: int64(tt.interval)}, 1, 1, 2); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%v: %q", tt.interval, got)
		}
	}
	for _, tt := range []struct {
		min, max int
		zero     int // column of the zero line, from the left edge
	}{{-2, 3, 21}, {-3, 2, 31}, {-10, 33, 12}, {-7, 100, 3}, {-100, 7, 49}, {-9, 90, 4}, {-100, 1, 52}, {-1, 100, -1}, {0, 5, -1}, {-5, 0, -1}} {
		graph := line(second, 3, tt.min, nil, tt.max)[len("10:00:01 "):]
		if got := strings.IndexByte(graph, '.'); got != tt.zero {
			t.Errorf("from %d to %d: zero line in column %d, want %d", tt.min, tt.max, got, tt.zero)
		}
	}
	for value, column := range map[int]int{-1: 0, 26: 8, 71: 23, 134: 43, 159: 52} {
		graph := line(second, 3, -1, value, 159)[len("10:00:01 "):]
		if got := strings.IndexByte(graph, '*'); got != column {
			t.Errorf("%d in column %d, want %d", value, got, column)
		}
	}
}
