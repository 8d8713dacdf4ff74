package layout_test

import (
	"testing"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/layout/layouttest"
	"github.com/gotrace/gotrace/lang/types"
)

// With max_strlen = 5 a truncated string has a capacity of six bytes.
func TestTruncated(t *testing.T) {
	read := types.String{Cap: 6, Trunc: true}
	for _, tt := range []struct {
		text string
		typ  types.String
		want bool
	}{
		{"worl", read, false},
		{"world", read, true}, // an exact fit counts as cut
		{"", read, false},
		{"world", types.String{Cap: 6}, false},
		{"world", types.String{Cap: 7, Trunc: true}, false}, // in a variable that may hold more
	} {
		if got := layouttest.Value(tt.typ, tt.text).Truncated(); got != tt.want {
			t.Errorf("%q in %v: %v", tt.text, tt.typ, got)
		}
	}
	if (layout.Value{Type: read, Raw: []byte("wor")}).Truncated() {
		t.Error("too few bytes count as truncated text")
	}
}

func TestIntValue(t *testing.T) {
	for _, bits := range []int{8, 16, 32, 64} {
		for _, signed := range []bool{false, true} {
			typ := types.Int{Bits: bits, Signed: signed}
			if got := layout.IntValue(typ, 100).Int(); got != 100 {
				t.Errorf("100 as %s is %d", typ, got)
			}
			if got := layout.IntValue(typ, ^uint64(0)).Int(); signed && got != -1 {
				t.Errorf("-1 as %s is %d", typ, got)
			}
		}
	}
	if got := layout.IntValue(types.Int{Bits: 8}, 0x1ff).Uint(); got != 0xff {
		t.Errorf("0x1ff as uint8 is %#x", got)
	}
}

func TestBitFields(t *testing.T) {
	i32 := types.Int{Bits: 32, Signed: true}
	v := layouttest.Value(types.NewTuple(nil, []types.Type{i32}), []any{0xb5}) // 101 10101
	low := types.Field{Type: i32, BitSize: 5}
	high := types.Field{Type: types.Int{Bits: 32}, BitOffset: 5, BitSize: 3}
	if got := v.Field(low).Int(); got != -11 {
		t.Errorf("signed low bits are %d", got)
	}
	if got := v.Field(high).Int(); got != 5 {
		t.Errorf("unsigned high bits are %d", got)
	}
}
