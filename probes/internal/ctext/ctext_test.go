package ctext

import (
	"testing"

	"github.com/cilium/ebpf/btf"
)

func member(name string, t btf.Type, bitOffset, bitfield int) btf.Member {
	return btf.Member{Name: name, Type: t, Offset: btf.Bits(bitOffset), BitfieldSize: btf.Bits(bitfield)}
}

// Definitions as bpftrace, that is libbpf, writes them: with unnamed members
// where a compiler would not leave the gaps of the type by itself.
func TestDefinitions(t *testing.T) {
	char := &btf.Int{Name: "char", Size: 1}
	integer := &btf.Int{Name: "int", Size: 4}
	long := &btf.Int{Name: "long", Size: 8}
	pointer := &btf.Pointer{Target: &btf.Void{}}
	for _, test := range []struct {
		typ  btf.Type
		want string
	}{
		{
			&btf.Struct{Name: "plain", Size: 16, Members: []btf.Member{member("c", char, 0, 0), member("l", long, 64, 0)}},
			"struct plain {\n\tchar c;\n\tlong l;\n};\n",
		},
		{
			&btf.Struct{Name: "aligned", Size: 64, Members: []btf.Member{member("l", long, 0, 0), member("m", long, 256, 0)}},
			"struct aligned {\n\tlong l;\n\tlong: 64;\n\tlong: 64;\n\tlong: 64;\n\tlong m;\n\tlong: 64;\n\tlong: 64;\n\tlong: 64;\n};\n",
		},
		{
			&btf.Struct{Name: "bits", Size: 8, Members: []btf.Member{member("a", integer, 0, 4), member("b", integer, 32, 3)}},
			"struct bits {\n\tint a: 4;\n\tint: 28;\n\tint b: 3;\n};\n",
		},
		{
			&btf.Struct{Name: "tight", Size: 9, Members: []btf.Member{member("c", char, 0, 0), member("l", long, 8, 0)}},
			"struct tight {\n\tchar c;\n\tlong l;\n} __attribute__((packed));\n",
		},
		{
			&btf.Struct{Name: "marked", Size: 8, Members: []btf.Member{member("c", char, 0, 0), member("d", char, 32, 0)}},
			"struct marked {\n\tchar c;\n\tint: 0;\n\tchar d;\n\tlong: 0;\n};\n",
		},
		{&btf.Struct{Name: "empty"}, "struct empty {};\n"},
		{
			&btf.Union{Name: "u", Size: 8, Members: []btf.Member{member("p", &btf.Const{Type: pointer}, 0, 0), member("c", char, 0, 0)}},
			"union u {\n\tvoid * const p;\n\tchar c;\n};\n",
		},
		{
			&btf.Enum{Name: "e", Size: 1, Values: []btf.EnumValue{{Name: "A", Value: 1}}},
			"enum e {\n\tA = 1,\n} __attribute__((mode(byte)));\n",
		},
		{
			&btf.Enum{Name: "wide", Size: 8, Values: []btf.EnumValue{{Name: "A", Value: 1 << 40}}},
			"enum wide {\n\tA = 1099511627776,\n};\n",
		},
	} {
		if got := Definition(test.typ); got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
}

// Types that contain themselves, and gaps of gigabytes, come to an end.
func TestMalformedTypesEnd(t *testing.T) {
	s := &btf.Struct{Name: "s", Size: 1 << 31}
	for range 8 {
		s.Members = append(s.Members, member("", s, 0, 0))
	}
	s.Members = append(s.Members, member("far", &btf.Int{Size: 1}, 1<<31, 0))
	if text := Definition(s); len(text) > 1000 {
		t.Errorf("%d bytes", len(text))
	}
}
