package main

import (
	"testing"

	"github.com/cilium/ebpf"
)

func TestMedian(t *testing.T) {
	if m := median([]float64{9, 1, 4}); m != 4 {
		t.Errorf("of three: %v", m)
	}
	if m := median([]float64{9, 1, 4, 6}); m != 5 {
		t.Errorf("of four: %v", m)
	}
}

func TestGeomean(t *testing.T) {
	if m := geomean([]cost{{insns: 2}, {insns: 8}}, func(c cost) float64 { return c.insns }); m < 3.999 || m > 4.001 {
		t.Errorf("of 2 and 8: %v", m)
	}
}

// Only programs that are new and ran at the load count.
func TestHot(t *testing.T) {
	before := map[ebpf.ProgramID]program{1: {100, 1e6, 1000}}
	after := map[ebpf.ProgramID]program{
		1: {100, 2e6, 2000}, // somebody else's
		2: {30, 5000, 100},
		3: {7, 9, 1}, // a begin probe
		4: {40, 2000, 100},
	}
	if c, err := hot(before, after, 50); err != nil || c != (cost{70, 70}) {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := hot(after, after, 50); err == nil {
		t.Errorf("no program ran, but the cost is %+v", c)
	}
}
