package progtest

import "testing"

// TestGenerate: every seed gives a script that the model accepts and that ends.
func TestGenerate(t *testing.T) {
	for seed := range uint64(2000) {
		for _, f := range []Features{{}, {BPFLoop: true, ForEachMapElem: true, PerCPULookup: true}} {
			s, _, err := Generate(seed, f, Task{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Clone().Check(); err != nil {
				t.Fatalf("copy: %v", err)
			}
		}
	}
}
