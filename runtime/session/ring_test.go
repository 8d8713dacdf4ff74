package session

import (
	"testing"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/types"
)

// Long strings make records that the usual buffer has no room for: they would
// all be lost.
func TestRingHoldsLargestRecord(t *testing.T) {
	for _, size := range []int{64, 1 << 20, 20 << 20} {
		record := &object.Record{Action: types.ActPrintf, Layout: layout.Struct{Size: size}}
		s := &Session{obj: &object.Object{Records: []*object.Record{{}, record}}}
		if got := s.ringBytes(); int(got) < 4*size || got < minRing || got&(got-1) != 0 {
			t.Errorf("a buffer of %d bytes for records of %d", got, size)
		}
	}
}
