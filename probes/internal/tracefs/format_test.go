package tracefs

import "testing"

const forkFormat = `name: fork
ID: 366
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:__data_loc char[] comm;	offset:8;	size:4;	signed:0;
	field:__rel_loc u8[] blob;	offset:12;	size:4;	signed:0;
	field:const char *const * argv;	offset:16;	size:8;	signed:0;
	field:unsigned long args[6];	offset:24;	size:48;	signed:0;
	field:char name[NAME_LEN];	offset:72;	size:16;	signed:0;
	field:pid_t pid;	offset:88;	size:4;	signed:1;

print fmt: "field:int x;"
`

func TestParseFormat(t *testing.T) {
	f, err := ParseFormat(forkFormat)
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "fork" || f.ID != 366 || len(f.Common) != 1 {
		t.Errorf("name %q, ID %d, %d common fields", f.Name, f.ID, len(f.Common))
	}
	want := []Field{
		{"comm", "char", 0, DataLoc, 8, 4, false},
		{"blob", "u8", 0, RelLoc, 12, 4, false},
		{"argv", "const char *const *", -1, InPlace, 16, 8, false},
		{"args", "unsigned long", 6, InPlace, 24, 48, false},
		{"name", "char", 0, InPlace, 72, 16, false},
		{"pid", "pid_t", -1, InPlace, 88, 4, true},
	}
	if len(f.Fields) != len(want) {
		t.Fatalf("%d fields, want %d: %+v", len(f.Fields), len(want), f.Fields)
	}
	for i, w := range want {
		if f.Fields[i] != w {
			t.Errorf("field %d is %+v, want %+v", i, f.Fields[i], w)
		}
	}
	if d := f.Fields[0].Decl(); d != "__data_loc char[]" {
		t.Errorf("declaration %q", d)
	}
	if n := f.Fields[3].DeclName(); n != "args[6]" {
		t.Errorf("declared name %q", n)
	}
}

func TestMalformedFormatsAreErrors(t *testing.T) {
	for _, text := range []string{
		"ID: x", "field:int a; offset:0; size:4;", "field:int a; offset:-1; size:4; signed:1;",
		"field:int a; offset:0; size:99999999999; signed:1;", "field:; offset:0; size:4; signed:0;", "field:int",
	} {
		if f, err := ParseFormat(text); err == nil {
			t.Errorf("%q is accepted: %+v", text, f)
		}
	}
}

func FuzzFormat(f *testing.F) {
	f.Add(forkFormat)
	f.Add("field:int a[;offset:0;size:1;signed:1")
	f.Fuzz(func(t *testing.T, text string) {
		format, err := ParseFormat(text)
		if err != nil {
			return
		}
		for _, field := range append(format.Fields, format.Common...) {
			if field.Name == "" || field.Type == "" || field.Offset < 0 || field.Size < 0 || field.Size > maxField || field.Elems < -1 {
				t.Errorf("accepted field %+v", field)
			}
		}
	})
}
