package syscalls

import "testing"

func TestNumberKnowsTheNamesOfEvents(t *testing.T) {
	for _, test := range []struct {
		arch, event string
		want        int
	}{
		{"amd64", "read", 0}, {"amd64", "newfstat", 5}, {"amd64", "dup3", 292}, {"amd64", "umount", 166},
		{"arm64", "dup3", 24}, {"arm64", "newuname", 160}, {"arm64", "fadvise64_64", 223}, {"arm64", "getppid", 173},
	} {
		if got, ok := Number(test.arch, test.event); !ok || got != test.want {
			t.Errorf("Number(%s, %s) = %d, %t; want %d", test.arch, test.event, got, ok, test.want)
		}
	}
	for _, event := range []string{"no_such_call", "", "ead", "0 read"} {
		if n, ok := Number("amd64", event); ok {
			t.Errorf("Number(%q) = %d, want none", event, n)
		}
	}
	if _, ok := Number("mips", "read"); ok {
		t.Error("a machine without a table has system calls")
	}
}
