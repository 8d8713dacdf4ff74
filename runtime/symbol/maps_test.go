package symbol

import (
	"reflect"
	"strings"
	"testing"
)

const mapsText = `55d0c0a00000-55d0c0a01000 r--p 00000000 fe:01 1234                       /opt/my app/tool
55d0c0a01000-55d0c0a02000 r-xp 00001000 fe:01 1234                       /opt/my app/tool
7f0000000000-7f0000001000 rwxp 00000000 00:00 0
7f0000002000-7f0000003000 r-xp 00002000 fe:01 99                         /lib/gone.so (deleted)
7f0000004000-7f0000005000 r-xp 00000000 fe:01 100                        /lib/odd\012name
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`

func TestParseMaps(t *testing.T) {
	got, err := parseMaps(strings.NewReader(mapsText))
	if err != nil {
		t.Fatal(err)
	}
	want := []mapping{
		{start: 0x55d0c0a01000, end: 0x55d0c0a02000, offset: 0x1000, inode: 1234, path: "/opt/my app/tool"},
		{start: 0x7f0000000000, end: 0x7f0000001000, offset: 0, inode: 0, path: ""},
		{start: 0x7f0000002000, end: 0x7f0000003000, offset: 0x2000, inode: 99, path: "/lib/gone.so"},
		{start: 0x7f0000004000, end: 0x7f0000005000, offset: 0, inode: 100, path: "/lib/odd\nname"},
		{start: 0x7ffd00000000, end: 0x7ffd00002000, offset: 0, inode: 0, path: "[vdso]"},
		{start: 0xffffffffff600000, end: 0xffffffffff601000, offset: 0, inode: 0, path: "[vsyscall]"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestFindMapping(t *testing.T) {
	maps, err := parseMaps(strings.NewReader(mapsText))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[uint64]string{
		0x55d0c0a01000: "/opt/my app/tool",
		0x55d0c0a01fff: "/opt/my app/tool",
		0x55d0c0a02000: "none", // the end is exclusive
		0x55d0c0a00000: "none", // not executable
		0x7f0000001fff: "none", // a gap
		0x7ffd00000001: "[vdso]",
		1<<64 - 1:      "none",
		0:              "none",
	} {
		got := "none"
		if m := findMapping(maps, addr); m != nil {
			got = m.path
		}
		if got != want {
			t.Errorf("%#x lies in %q, want %q", addr, got, want)
		}
	}
}

func FuzzMaps(f *testing.F) {
	f.Add(mapsText, uint64(0x55d0c0a01000))
	f.Add("0-1 r-xp 0 0:0 0", uint64(0))
	f.Add("2-1 r-xp 0 0:0 0\n", uint64(1))
	f.Fuzz(func(t *testing.T, text string, addr uint64) {
		maps, err := parseMaps(strings.NewReader(text))
		if err != nil {
			return
		}
		if m := findMapping(maps, addr); m != nil && (addr < m.start || addr >= m.end) {
			t.Errorf("%#x does not lie in %+v", addr, m)
		}
	})
}
