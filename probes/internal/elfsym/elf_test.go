package elfsym

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/gotrace/gotrace/probes/host"
)

func TestFunctionsOfThisProgramsShell(t *testing.T) {
	const path = "/bin/sh"
	if _, err := os.Stat(path); err != nil {
		t.Skip(err)
	}
	f, err := Open(host.Live(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if off, ok := f.Offset(f.Entry, true); !ok {
		t.Errorf("entry 0x%x at file offset 0x%x, %t", f.Entry, off, ok)
	}
	if code, err := f.Code(f.Entry, 16); err != nil || len(code) != 16 {
		t.Errorf("%d bytes of code, %v", len(code), err)
	}
	if _, ok := f.Offset(1<<62, true); ok {
		t.Error("an address outside of the file has an offset")
	}
}

func TestOnlyELFFilesOpen(t *testing.T) {
	name := t.TempDir() + "/text"
	if err := os.WriteFile(name, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	if f, err := Open(host.Live(), name); err == nil {
		f.Close()
		t.Error("a text file opens as a program")
	}
}

// smallELF is a file header, one section of notes and the names of sections.
func smallELF(notes []byte) []byte {
	var b bytes.Buffer
	const header, section = 64, 64
	names := []byte("\x00.note.stapsdt\x00.shstrtab\x00")
	put := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	b.WriteString("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	put([]uint16{3, 62})
	put(uint32(1))
	put([]uint64{0, 0, header})
	put(uint32(0))
	put([]uint16{header, 56, 0, section, 3, 2})
	row := func(name, kind uint32, off, size uint64) {
		put([]uint32{name, kind})
		put([]uint64{0, 0, off, size})
		put([]uint32{0, 0})
		put([]uint64{1, 0})
	}
	data := uint64(header + 3*section)
	row(0, 0, 0, 0)
	row(1, 7, data, uint64(len(notes)))
	row(15, 3, data+uint64(len(notes)), uint64(len(names)))
	b.Write(notes)
	b.Write(names)
	return b.Bytes()
}

func sdtNote(desc string) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, []uint32{8, uint32(24 + len(desc)), 3})
	b.WriteString("stapsdt\x00")
	binary.Write(&b, binary.LittleEndian, []uint64{0x1000, 0, 0x4000})
	b.WriteString(desc)
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
	return b.Bytes()
}

func TestMarkers(t *testing.T) {
	notes := append(sdtNote("app\x00begin\x008@%rax\x00"), sdtNote("app\x00end\x00\x00")...)
	f, err := read(bytes.NewReader(smallELF(notes)), 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []Marker
	for m := range f.Markers() {
		got = append(got, m)
	}
	want := []Marker{{"app", "begin", 0x1000, 0x4000, "8@%rax"}, {"app", "end", 0x1000, 0x4000, ""}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("markers %+v, want %+v", got, want)
	}
}

func FuzzMarkers(f *testing.F) {
	f.Add(sdtNote("app\x00begin\x008@%rax\x00"))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, notes []byte) {
		file, err := read(bytes.NewReader(smallELF(notes)), 0)
		if err != nil {
			t.Fatal(err)
		}
		for m := range file.Markers() {
			if m.Provider == "" || m.Name == "" {
				t.Errorf("a marker without a name: %+v", m)
			}
		}
		for range file.Functions() {
			t.Error("a file without symbols has functions")
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(smallELF(sdtNote("a\x00b\x00\x00")))
	f.Fuzz(func(_ *testing.T, data []byte) {
		file, err := read(bytes.NewReader(data), 0)
		if err != nil {
			return
		}
		for range file.Functions() {
		}
		for range file.Markers() {
		}
		file.Offset(0x1000, true)
		debugPaths(file, "/bin/x", nil)
	})
}
