package symbol

import (
	"strings"
	"testing"
)

func TestPerfMap(t *testing.T) {
	tab, err := parsePerfMap(strings.NewReader("1000 20 first\n1000 20 __again\n2000 10 name with spaces \n0x3000 0x8 prefixed\n" +
		"broken\n4000 zz name\n5000 10\n6000 0 empty\n7000 10 no line end"))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[uint64]string{
		0x1000: "__again", 0x101f: "__again", 0x1020: "", 0x2005: "name with spaces ", 0x3007: "prefixed", 0x4000: "", 0x5000: "",
		0x6000: "", 0x7000: "no line end",
	} {
		if got, _, _ := tab.at(addr); got != want {
			t.Errorf("%#x is %q, want %q", addr, got, want)
		}
	}
}

func FuzzPerfMap(f *testing.F) {
	f.Add("1000 20 first\n1000 20 again\n", uint64(0x1010))
	f.Add("ffffffffffffffff ffffffff x\n", uint64(0))
	f.Fuzz(func(t *testing.T, text string, addr uint64) {
		tab, err := parsePerfMap(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if name, offset, ok := tab.at(addr); ok && (name == "" || !strings.Contains(text, name) || offset > addr) {
			t.Errorf("%#x is %q+%d", addr, name, offset)
		}
	})
}
