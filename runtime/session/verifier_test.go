package session

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/source"
)

// The instruction is that of the last line of the form "N: (", the sentence
// what the verifier says behind it.
func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		name, log string
		off       uint32
		sentence  string
	}{
		{"rejection", "0: R1=ctx() R10=fp0\n0: (79) r2 = *(u64 *)(r1 +0)\n1: R2_w=scalar()\n1: (71) r0 = *(u8 *)(r2 +0)\n" +
			"R2 invalid mem access 'scalar'\nprocessed 2 insns (limit 1000000) max_states_per_insn 0", 1, "R2 invalid mem access 'scalar'"},
		{"no instruction", "unknown func bpf_foo#999\nprocessed 0 insns", 0, "unknown func bpf_foo#999"},
		{"empty", "", 0, ""},
		{"number too large", "99999999999: (79) r2 = r1\noops", 0, "99999999999: (79) r2 = r1"},
	} {
		off, sentence := verdict(strings.Split(test.log, "\n"))
		if off != test.off || sentence != test.sentence {
			t.Errorf("%s: verdict = %d, %q, want %d, %q", test.name, off, sentence, test.off, test.sentence)
		}
	}
}

func TestSpanAt(t *testing.T) {
	marks := []object.SourcePos{{Off: 2, Span: source.Span{Start: 1, End: 2}}, {Off: 5, Span: source.Span{Start: 7, End: 9}}}
	for _, test := range []struct{ off, start uint32 }{{0, 0}, {2, 1}, {4, 1}, {5, 7}, {900, 7}} {
		if got := spanAt(marks, test.off); got.Start != test.start {
			t.Errorf("instruction %d belongs to the text at %d, want %d", test.off, got.Start, test.start)
		}
	}
}
