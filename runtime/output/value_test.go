package output

import (
	"errors"
	"testing"
	"time"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/layout/layouttest"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/symbol"
)

// fakeSymbols knows the frames 1, 2, 3, … as f1, f2, f3.
type fakeSymbols struct{}

func (fakeSymbols) AppendKernelStack(dst []byte, mode symbol.Mode, addrs []uint64) []byte {
	return appendFakeFrames(dst, mode, "k", addrs)
}

func (fakeSymbols) AppendUserStack(dst []byte, mode symbol.Mode, proc symbol.Process, addrs []uint64) []byte {
	return appendFakeFrames(dst, mode, "u", addrs)
}

func appendFakeFrames(dst []byte, mode symbol.Mode, prefix string, addrs []uint64) []byte {
	dst = append(dst, '\n')
	for _, a := range addrs {
		dst = append(append(dst, "        "...), prefix...)
		dst = append(appendInt(dst, a, false), "+0\n"...)
	}
	return dst
}

func (fakeSymbols) AppendKernelSymbol(dst []byte, addr uint64) []byte {
	return append(appendInt(append(dst, "k"...), addr, false), "()"...)
}

func (fakeSymbols) AppendUserSymbol(dst []byte, proc symbol.Process, addr uint64) []byte {
	return appendInt(append(appendInt(append(dst, "u"...), addr, false), '@'), uint64(proc.PID), false)
}

// words is memory of 64-bit numbers.
func words(numbers ...uint64) []byte {
	var raw []byte
	for _, n := range numbers {
		raw = append(raw, layout.IntValue(u64, n).Raw...)
	}
	return raw
}

func testFormatter() *Formatter {
	return &Formatter{
		Symbols: fakeSymbols{},
		Stack: func(t types.Stack, hash uint64) []byte {
			if hash != 99 {
				return nil
			}
			return words(1, 2, 3)
		},
		UserName: func(uid uint32) (string, bool) {
			if uid == 0 {
				return "root", true
			}
			return "", false
		},
		CgroupPath: func(id uint64, filter string) (string, error) {
			if filter != "uni*" {
				return "", errors.New("bad filter")
			}
			return "unified:/a b", nil
		},
		Strings: []string{"at %H:%M", "uni*"},
		Trailer: "..",
		Clock:   Clock{Boot: 100 * time.Second, TAI: -37 * time.Second},
	}
}

type values struct {
	why        string
	v          layout.Value
	text, json string
}

func opaque(kind types.OpaqueKind, raw []byte) layout.Value {
	return layouttest.Value(types.Opaque{Kind: kind}, raw)
}

func stackValue(t types.Stack, hash uint64, frames uint64) layout.Value {
	return layouttest.Value(t, words(hash, frames<<32|123))
}

// testValues has a value of each type, with its two forms.
func testValues() []values {
	tuple, record := types.NewTuple, types.NewTuple
	pair := tuple(nil, []types.Type{i64, text})
	cut := types.String{Cap: 6, Trunc: true}
	point := record([]string{"x", "y"}, []types.Type{i32, text})
	return []values{
		{"int8", layouttest.Value(i8, -128), "-128", "-128"},
		{"uint8", layouttest.Value(u8, 200), "200", "200"},
		{"large uint64", val(uint64(18446744073709551615)), "18446744073709551615", `"18446744073709551615"`},
		{"large but exact as double", val(uint64(1) << 63), "9223372036854775808", "9223372036854775808"},
		{"2^53+1", val(9007199254740993), "9007199254740993", `"9007199254740993"`},
		{"-(2^53+1)", val(-9007199254740993), "-9007199254740993", `"-9007199254740993"`},
		{"least int64", val(-9223372036854775808), "-9223372036854775808", "-9223372036854775808"},
		{"bool", val(true), "true", "true"},
		{"string", val("q\" b\\\t\n\r"), "q\" b\\\t\n\r", `"q\" b\\\t\n\r"`},
		{"control characters", val("\x01\x1f\x7f/"), "\x01\x1f\x7f/", "\"\\u0001\\u001f\x7f/\""},
		{"UTF-8", val("grün ☃"), "grün ☃", `"grün ☃"`},
		{"no UTF-8", val("a\xff"), "a\xff", "\"a\ufffd\""},
		{"truncated string", layouttest.Value(cut, "world"), "world..", `"world.."`},
		{"string that is not", layouttest.Value(cut, "worl"), "worl", `"worl"`},
		{"buffer", layouttest.Value(buf, "a\"b\\\x7f\xff"), `a"b\\x7f\xff`, "[97,34,98,92,127,-1]"},
		{"pointer", layouttest.Value(ptr, 4096), "0x1000", "4096"},
		{"null", layouttest.Value(ptr, 0), "0x0", "0"},
		{"enum", layouttest.Value(mode, 4), "ON", "4"},
		{"enum without name", layouttest.Value(mode, 77), "77", "77"},
		{"array", layouttest.Value(types.Array{Elem: u8, Len: 3}, []any{1, 2, 3}), "[1,2,3]", "[1,2,3]"},
		{"tuple", layouttest.Value(pair, []any{1, "a b"}), "(1, a b)", `[1,"a b"]`},
		{"nested", layouttest.Value(tuple(nil, []types.Type{i64, pair}), []any{1, []any{2, "b"}}), "(1, (2, b))", `[1,[2,"b"]]`},
		{"one element", layouttest.Value(tuple(nil, []types.Type{i64}), []any{1}), "(1)", "[1]"},
		{"empty tuple", layouttest.Value(tuple(nil, nil), []any{}), "()", "[]"},
		{"record", layouttest.Value(point, []any{1, "a"}), "{ .x = 1, .y = a }", `{"x": 1, "y": "a"}`},
		{"empty record", layouttest.Value(record([]string{}, nil), []any{}), "{}", "{}"},
		{"array of records", layouttest.Value(types.Array{Elem: record([]string{"x"}, []types.Type{i32}), Len: 2}, []any{[]any{1}, []any{2}}), "[{ .x = 1 },{ .x = 2 }]", `[{"x": 1},{"x": 2}]`},
		{"IPv4", opaque(types.Inet, append(words(2), 127, 0, 0, 1)), "127.0.0.1", `"127.0.0.1"`},
		{"IPv6", opaque(types.Inet, append(words(10), 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1)), "2001:db8:0:1::1", `"2001:db8:0:1::1"`},
		{"mapped IPv4", opaque(types.Inet, append(words(10), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4)), "::ffff:1.2.3.4", `"::ffff:1.2.3.4"`},
		{"compatible IPv4", opaque(types.Inet, append(words(10), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4)), "::1.2.3.4", `"::1.2.3.4"`},
		{"loopback", opaque(types.Inet, append(words(10), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)), "::1", `"::1"`},
		{"no address family", opaque(types.Inet, words(77)), "", `""`},
		{"MAC", opaque(types.MAC, []byte{0, 0x41, 0x7f, 0x80, 0xff, 0x5c}), "00:41:7F:80:FF:5C", `"00:41:7F:80:FF:5C"`},
		{"boot stamp", opaque(types.Timestamp, words(20e9, 0)), "at 00:02", `"at 00:02"`},
		{"TAI stamp", opaque(types.Timestamp, words(3637e9, 1)), "at 01:00", `"at 01:00"`},
		{"stamp without format", opaque(types.Timestamp, words(0, 9<<32)), "", `""`},
		{"user", opaque(types.Username, words(0)), "root", `"root"`},
		{"unknown user", opaque(types.Username, words(5)), "", `""`},
		{"cgroup", opaque(types.CgroupPath, words(7, 1)), "unified:/a b", `"unified:/a b"`},
		{"bad cgroup filter", opaque(types.CgroupPath, words(7, 0)), "", `""`},
		{"ksym", opaque(types.KSym, words(5)), "k5()", `"k5()"`},
		{"usym", opaque(types.USym, words(5, 42)), "u5@42", `"u5@42"`},
		{"user stack", stackValue(types.Stack{User: true, Limit: 127}, 99, 2), "\n        u1+0\n        u2+0\n", `"\n        u1+0\n        u2+0\n"`},
		{"kernel stack", stackValue(types.Stack{Limit: 127}, 99, 1000), "\n        k1+0\n        k2+0\n        k3+0\n", `"\n        k1+0\n        k2+0\n        k3+0\n"`},
		{"no stack", stackValue(types.Stack{}, 0, 5), "\n", `"\n"`},
		{"lost stack", stackValue(types.Stack{}, 98, 5), "\n        <stack lost>\n", `"\n        <stack lost>\n"`},
		{"lost, perf", stackValue(types.Stack{Mode: types.StackPerf}, 98, 5), "\n\t<stack lost>\n", `"\n\t<stack lost>\n"`},
		{"lost, raw", stackValue(types.Stack{Mode: types.StackRaw}, 98, 5), "\n<stack lost>\n", `"\n<stack lost>\n"`},
	}
}

func TestValues(t *testing.T) {
	f := testFormatter()
	for _, tt := range testValues() {
		if got := string(f.AppendValue(nil, tt.v)); got != tt.text {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.text)
		}
		if got := string(f.AppendJSON(nil, tt.v)); got != tt.json {
			t.Errorf("%s: JSON %s, want %s", tt.why, got, tt.json)
		}
	}
}

// TestShortValues cuts the bytes of every value, also where there is nothing to name things with. Without any a value shows as of
// zeros; a MAC address alone has as many bytes as there are.
func TestShortValues(t *testing.T) {
	show := func(f *Formatter, of types.Type, raw []byte) string {
		v := layout.Value{Type: of, Raw: raw}
		return string(f.AppendValue(nil, v)) + " " + string(f.AppendJSON(nil, v))
	}
	for _, f := range []*Formatter{testFormatter(), {}} {
		for _, tt := range testValues() {
			want := show(f, tt.v.Type, make([]byte, len(tt.v.Raw)))
			if tt.why == "MAC" {
				want = ` ""`
			}
			if got := show(f, tt.v.Type, nil); got != want {
				t.Errorf("%s without bytes: %s, want %s", tt.why, got, want)
			}
			for n := range tt.v.Raw {
				show(f, tt.v.Type, tt.v.Raw[:n:n]) // must not read beyond
			}
		}
	}
}

// TestCutValues wants numbers that are not all there to be 0, of text what is there, and the rest as it is.
func TestCutValues(t *testing.T) {
	cuts := map[string][]struct {
		n          int
		text, json string
	}{
		"2^53+1":           {{7, "0", "0"}, {8, "9007199254740993", `"9007199254740993"`}},
		"bool":             {{0, "false", "false"}},
		"string":           {{1, "q", `"q"`}, {4, `q" b`, `"q\" b"`}},
		"UTF-8":            {{3, "gr\xc3", "\"gr\ufffd\""}},
		"truncated string": {{4, "worl", `"worl"`}, {5, "world..", `"world.."`}},
		"buffer":           {{3, "", "[]"}, {6, `a"`, "[97,34]"}},
		"pointer":          {{7, "0x0", "0"}},
		"enum":             {{3, "OFF", "0"}},
		"array":            {{2, "[1,2,0]", "[1,2,0]"}},
		"nested":           {{15, "(1, (0, ))", `[1,[0,""]]`}, {17, "(1, (2, b))", `[1,[2,"b"]]`}},
		"record":           {{3, "{ .x = 0, .y =  }", `{"x": 0, "y": ""}`}, {4, "{ .x = 1, .y =  }", `{"x": 1, "y": ""}`}},
		"array of records": {{4, "[{ .x = 1 },{ .x = 0 }]", `[{"x": 1},{"x": 0}]`}},
		"IPv4":             {{11, "", `""`}, {12, "127.0.0.1", `"127.0.0.1"`}},
		"IPv6":             {{12, "", `""`}, {23, "", `""`}},
		"MAC":              {{2, "00:41", `"00:41"`}},
		"TAI stamp":        {{11, "at 01:02", `"at 01:02"`}, {12, "at 01:00", `"at 01:00"`}},
		"unknown user":     {{7, "root", `"root"`}},
		"usym":             {{8, "u5@0", `"u5@0"`}, {12, "u5@42", `"u5@42"`}},
		"user stack":       {{15, "\n", `"\n"`}},
		"lost stack":       {{8, "\n        <stack lost>\n", `"\n        <stack lost>\n"`}},
	}
	f := testFormatter()
	for _, tt := range testValues() {
		for _, cut := range cuts[tt.why] {
			v := layout.Value{Type: tt.v.Type, Raw: tt.v.Raw[:cut.n:cut.n]}
			text, json := string(f.AppendValue(nil, v)), string(f.AppendJSON(nil, v))
			if text != cut.text || json != cut.json {
				t.Errorf("%s, %d bytes: %q and %s, want %q and %s", tt.why, cut.n, text, json, cut.text, cut.json)
			}
		}
		delete(cuts, tt.why)
	}
	for why := range cuts {
		t.Errorf("there is no value %q", why)
	}
}

// TestCStruct has anonymous members and bit-fields, as bpftrace 0.27 shows them.
func TestCStruct(t *testing.T) {
	fields := func(f ...types.Field) func() []types.Field { return func() []types.Field { return f } }
	union := types.NewStruct(types.CUnion, "", 4, 4, fields(
		types.Field{Name: "x", Type: i32}, types.Field{Name: "y", Type: u8}))
	s := types.NewStruct(types.CStruct, "a", 12, 4, fields(
		types.Field{Type: union},
		types.Field{Name: "a", Type: i32, Offset: 4, BitSize: 3},
		types.Field{Name: "b", Type: i32, Offset: 4, BitOffset: 3, BitSize: 5},
		types.Field{Name: "s", Type: types.String{Cap: 4}, Offset: 8}))
	v := layouttest.Value(s, []byte{5, 1, 0, 0, 0x13, 0, 0, 0, 'h', 'i', 0, 0})
	f := new(Formatter)
	if got := string(f.AppendValue(nil, v)); got != "{ .x = 261, .y = 5, .a = 3, .b = 2, .s = hi }" {
		t.Error(got)
	}
	if got := string(f.AppendJSON(nil, v)); got != `{"x": 261, "y": 5, "a": 3, "b": 2, "s": "hi"}` {
		t.Error(got)
	}
}

func TestBuildIDStack(t *testing.T) {
	entry := make([]byte, layout.StackEntry(types.StackBuildID))
	entry[0] = 1
	entry[4], entry[24] = 0xab, 0x10
	f := &Formatter{Stack: func(types.Stack, uint64) []byte { return entry }}
	got := string(f.AppendValue(nil, stackValue(types.Stack{User: true, Mode: types.StackBuildID}, 1, 1)))
	if want := "\nab00000000000000000000000000000000000000 0x10\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
