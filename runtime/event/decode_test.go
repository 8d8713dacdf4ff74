package event

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/layout/layouttest"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/types"
)

var (
	u64  = types.Int{Bits: 64}
	i64  = types.Int{Bits: 64, Signed: true}
	u8   = types.Int{Bits: 8}
	comm = types.String{Cap: 16}
	join = types.Array{Elem: u8, Len: layout.JoinSize}
)

// testObject has one record of each action.
func testObject() *object.Object {
	record := func(a types.Action, format string, args ...types.Type) *object.Record {
		return &object.Record{Action: a, Format: format, Layout: layout.Record(args), Map: "@m"}
	}
	return &object.Object{Records: []*object.Record{
		types.ActPrintf:    record(types.ActPrintf, "%s %d\n", comm, u8),
		types.ActErrorf:    record(types.ActErrorf, "%d", u64),
		types.ActWarnf:     record(types.ActWarnf, "none"),
		types.ActPrint:     record(types.ActPrint, "", comm),
		types.ActPrintMap:  record(types.ActPrintMap, ""),
		types.ActClear:     record(types.ActClear, ""),
		types.ActZero:      record(types.ActZero, ""),
		types.ActExit:      record(types.ActExit, "", i64),
		types.ActTime:      record(types.ActTime, "%H"),
		types.ActJoin:      record(types.ActJoin, "+", join),
		types.ActCat:       record(types.ActCat, "/proc/%d", u64),
		types.ActSystem:    record(types.ActSystem, "ls"),
		types.ActWarning:   record(types.ActWarning, "divided by zero"),
		types.ActHelper:    record(types.ActHelper, "probe_read_user", i64),
		types.ActStackLost: record(types.ActStackLost, "", i64),
		types.ActUnwatch:   record(types.ActUnwatch, "", u64),
	}}
}

func newTestDecoder(t testing.TB) *Decoder {
	t.Helper()
	d, err := NewDecoder(testObject())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decodeAs[E Event](t *testing.T, d *Decoder, action types.Action, args ...layout.Value) E {
	t.Helper()
	ev, err := d.Decode(layouttest.Record(uint32(action), args...))
	if err != nil {
		t.Fatalf("action %d: %v", action, err)
	}
	e, ok := ev.(E)
	if !ok {
		t.Fatalf("action %d: %T", action, ev)
	}
	return e
}

func TestDecodeEachAction(t *testing.T) {
	d := newTestDecoder(t)
	if e := decodeAs[*Printf](t, d, types.ActPrintf, layouttest.Value(comm, "bash"), layouttest.Value(u8, 7)); string(e.Args[0].Text()) != "bash" || e.Args[1].Uint() != 7 {
		t.Errorf("printf: %q %d", e.Args[0].Text(), e.Args[1].Uint())
	}
	if e := decodeAs[*Message](t, d, types.ActErrorf, layouttest.Value(u64, 5)); e.Severity.String() != "ERROR" || e.Args[0].Uint() != 5 {
		t.Errorf("errorf: %+v", e)
	}
	if e := decodeAs[*Message](t, d, types.ActWarnf); e.Severity.String() != "WARNING" {
		t.Errorf("warnf: %+v", e)
	}
	if e := decodeAs[*Print](t, d, types.ActPrint, layouttest.Value(comm, "x")); string(e.Value.Text()) != "x" {
		t.Errorf("print: %+v", e)
	}
	if e := decodeAs[*PrintMap](t, d, types.ActPrintMap); e.Map != "@m" {
		t.Errorf("print of a map: %+v", e)
	}
	if e := decodeAs[*Clear](t, d, types.ActClear); e.Map != "@m" {
		t.Errorf("clear: %+v", e)
	}
	if e := decodeAs[*Zero](t, d, types.ActZero); e.Map != "@m" {
		t.Errorf("zero: %+v", e)
	}
	if e := decodeAs[*Exit](t, d, types.ActExit, layouttest.Value(i64, -3)); e.Code != -3 {
		t.Errorf("exit: %+v", e)
	}
	if e := decodeAs[*Time](t, d, types.ActTime); e.Format != "%H" {
		t.Errorf("time: %+v", e)
	}
	if e := decodeAs[*Cat](t, d, types.ActCat, layouttest.Value(u64, 1)); e.Args[0].Uint() != 1 {
		t.Errorf("cat: %+v", e)
	}
	decodeAs[*System](t, d, types.ActSystem)
	if e := decodeAs[*Warning](t, d, types.ActWarning); e.Msg != "divided by zero" {
		t.Errorf("warning: %+v", e)
	}
	if e := decodeAs[*StackLost](t, d, types.ActStackLost, layouttest.Value(i64, -7)); e.Code != -7 {
		t.Errorf("stack lost: %+v", e)
	}
	if e := decodeAs[*HelperError](t, d, types.ActHelper, layouttest.Value(i64, -14)); e.Code != -14 || e.Helper != "probe_read_user" {
		t.Errorf("helper: %+v", e)
	}
	if e := decodeAs[*Unwatch](t, d, types.ActUnwatch, layouttest.Value(u64, 0x1000)); e.Address != 0x1000 {
		t.Errorf("unwatch: %+v", e)
	}
}

// joinArg makes the argument of join; count may lie.
func joinArg(count uint64, words ...string) layout.Value {
	raw := make([]byte, layout.JoinSize)
	binary.NativeEndian.PutUint64(raw, count)
	for i, w := range words {
		copy(raw[layout.JoinData+i*types.JoinCap:], w)
	}
	return layouttest.Value(join, raw)
}

func TestDecodeJoin(t *testing.T) {
	d := newTestDecoder(t)
	e := decodeAs[*Join](t, d, types.ActJoin, joinArg(2, "echo", "two words"))
	if e.Separator != "+" || len(e.Words) != 2 || string(e.Words[1]) != "two words" {
		t.Errorf("join: %q", e.Words)
	}
	full := string(bytes.Repeat([]byte{'x'}, types.JoinCap))
	if e := decodeAs[*Join](t, d, types.ActJoin, joinArg(1, full)); len(e.Words[0]) != types.JoinCap {
		t.Errorf("a word without zero byte has %d bytes", len(e.Words[0]))
	}
	if _, err := d.Decode(layouttest.Record(uint32(types.ActJoin), joinArg(types.JoinMax+1))); !errors.Is(err, ErrMalformed) {
		t.Errorf("17 words: %v", err)
	}
}

func TestDecodeMalformed(t *testing.T) {
	d := newTestDecoder(t)
	good := layouttest.Record(uint32(types.ActPrintf), layouttest.Value(comm, "bash"), layouttest.Value(u8, 7))
	for _, raw := range [][]byte{nil, good[:4], good[:layout.HeaderSize], good[:24], {255, 255, 255, 255, 0, 0, 0, 0}} {
		if e, err := d.Decode(raw); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v, %v", len(raw), e, err)
		}
	}
	if _, err := d.Decode(good); err != nil {
		t.Errorf("the whole record: %v", err)
	}
}

func TestNewDecoderRefuses(t *testing.T) {
	for why, r := range map[string]*object.Record{
		"format without argument":  {Action: types.ActPrintf, Format: "%d", Layout: layout.Record(nil)},
		"argument without format":  {Action: types.ActPrintf, Format: "x", Layout: layout.Record([]types.Type{u8})},
		"bad conversion":           {Action: types.ActPrintf, Format: "%f", Layout: layout.Record([]types.Type{u8})},
		"print of nothing":         {Action: types.ActPrint, Layout: layout.Record(nil)},
		"unknown action":           {Action: 200, Layout: layout.Record(nil)},
		"field in the header":      {Action: types.ActPrint, Layout: layout.Struct{Size: 8, Fields: []layout.Field{{Off: 0, Size: 8, Type: u64}}}},
		"field below its size":     {Action: types.ActPrint, Layout: layout.Struct{Size: 16, Fields: []layout.Field{{Off: 8, Size: 1, Type: u64}}}},
		"arguments of an argless":  {Action: types.ActClear, Layout: layout.Record([]types.Type{u8})},
		"exit with two arguments":  {Action: types.ActExit, Layout: layout.Record([]types.Type{i64, i64})},
		"field without a type":     {Action: types.ActPrint, Layout: layout.Struct{Size: 16, Fields: []layout.Field{{Off: 8, Size: 8}}}},
		"warning with an argument": {Action: types.ActWarning, Layout: layout.Record([]types.Type{i64})},
	} {
		if _, err := NewDecoder(&object.Object{Records: []*object.Record{r}}); err == nil {
			t.Errorf("%s: no error", why)
		}
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	d := newTestDecoder(t)
	raw := layouttest.Record(uint32(types.ActPrintf), layouttest.Value(comm, "bash"), layouttest.Value(u8, 7))
	if n := testing.AllocsPerRun(100, func() {
		if _, err := d.Decode(raw); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCounters(t *testing.T) {
	var raw []byte
	for _, n := range []uint64{9, 1, 2, 3, 4} {
		raw = binary.NativeEndian.AppendUint64(raw, n)
	}
	c := decodeCounters(raw, 2)
	if c.Lost != 9 || c.Warnings[1] != 2 || c.LostOf[0] != 3 {
		t.Errorf("%+v", c)
	}
	if c := decodeCounters(raw[:12], 2); c.Lost != 9 || c.Warnings[0] != 0 || len(c.LostOf) != 2 {
		t.Errorf("too short: %+v", c)
	}
}

// FuzzDecode gives arbitrary records to every action: there must be no panic,
// and what the arguments show must be what the bytes say.
func FuzzDecode(f *testing.F) {
	f.Add(layouttest.Record(0, layouttest.Value(comm, "bash"), layouttest.Value(u8, 7)))
	f.Add(layouttest.Record(uint32(types.ActJoin), joinArg(3, "a", "b", "c")))
	f.Add([]byte{15, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255})
	d := newTestDecoder(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		ev, err := d.Decode(raw)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		e, ok := ev.(*Printf)
		if !ok {
			return
		}
		again := layouttest.Record(binary.NativeEndian.Uint32(raw), e.Args...)
		ev, err = d.Decode(again)
		if err != nil {
			t.Fatalf("encoded again: %v", err)
		}
		if e2 := ev.(*Printf); !bytes.Equal(e2.Args[0].Raw, raw[8:24]) || e2.Args[1].Raw[0] != raw[24] {
			t.Errorf("encoded again: %v", e2.Args)
		}
	})
}
