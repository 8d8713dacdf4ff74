package ir

import "testing"

// TestPointersAreAddedTo: the pointer of a sum is what the number is added to,
// never the other way round.
func TestPointersAreAddedTo(t *testing.T) {
	f := NewFunc("f", Ptr, I64)
	b := NewBuilder(f)
	p, n := f.Blocks[0].Params[0], f.Blocks[0].Params[1]
	if c := b.Value(OpAdd, p, n).Constraint(); c != Tied {
		t.Errorf("constraint of a pointer's sum is %d, want Tied", c)
	}
	if c := b.Value(OpAdd, n, n).Constraint(); c != TiedCommutes {
		t.Errorf("constraint of a number's sum is %d, want TiedCommutes", c)
	}
}
