package diag

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name       string
		candidates []string
		want       string
	}{
		{"prinft", []string{"print", "printf", "printk"}, "printf"}, // a swap, at the same length
		{"prinft", []string{"printf", "print"}, "printf"},           // in any order
		{"cuont", []string{"count", "comm"}, "count"},
		{"xyz", []string{"count"}, ""}, // too far
		{"ab", []string{"ac", "aa"}, "aa"},
	} {
		if got := Nearest(c.name, slices.Values(c.candidates)); got != c.want {
			t.Errorf("Nearest(%q, %q) = %q, want %q", c.name, c.candidates, got, c.want)
		}
	}
}
