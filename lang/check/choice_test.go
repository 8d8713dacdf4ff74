package check_test

import (
	"testing"

	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// TestSignOfAggregation has arguments whose type hangs on a map that gets its
// type further down: the sign comes from the type that they have in the end.
func TestSignOfAggregation(t *testing.T) {
	for arg, signed := range map[string]bool{
		"-($l.1 ? tid : 1)":                     false,
		"if ($l.0) { ~($l.0) } else { 1 }":      false,
		"if ($l.0) { (int64)$l.0 } else { -1 }": true,
	} {
		p, list := compile(hosttest.New(), "begin { for ($l : @d) { @e = min("+arg+"); } @d[(uint64)nsecs] = 1; }")
		if list.HasErrors() {
			t.Errorf("%s: %s", arg, list.Error())
			continue
		}
		for _, m := range p.Maps {
			if a, ok := m.Value.(types.Agg); ok && a.Signed != signed {
				t.Errorf("%s: signed: %t, want %t", arg, a.Signed, signed)
			}
		}
	}
}

// TestTypeOfChoice has choices of which one side gets its type further down, or
// from the choice itself.
func TestTypeOfChoice(t *testing.T) {
	for script, want := range map[string]string{
		"begin { @x = (uint64)nsecs; @x *= $1 ? @f : 1; @f = (uint64)nsecs; }":                 "uint64",
		"begin { @x = pid ? @f : 1; @f = (uint64)nsecs; }":                                     "uint64",
		"begin { @x = pid ? @x : 1; }":                                                         "int8",
		"begin { $y = pid ? @f : 1; @x = -$y; @f = (uint16)1; }":                               "uint64",
		"begin { @x = if (pid) { @x } else { if (tid) { @f } else { 300 } }; @f = (uint8)1; }": "uint16",
	} {
		checkResult(t, script, "@x", want)
	}
}
