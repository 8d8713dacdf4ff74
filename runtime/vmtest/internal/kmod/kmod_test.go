package kmod

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ulikunitz/xz"
)

// module builds the smallest ELF object that has a .modinfo section.
func module(modinfo string) []byte {
	const headerSize, sectionSize = 64, 64
	names := "\x00.modinfo\x00.shstrtab\x00"
	sections := []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: headerSize, Size: uint64(len(modinfo))},
		{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: uint64(headerSize + len(modinfo)), Size: uint64(len(names))},
	}
	header := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Shoff: uint64(headerSize + len(modinfo) + len(names)), Ehsize: headerSize,
		Shentsize: sectionSize, Shnum: uint16(len(sections)), Shstrndx: 2,
	}
	var image bytes.Buffer
	_ = binary.Write(&image, binary.LittleEndian, header)
	image.WriteString(modinfo + names)
	_ = binary.Write(&image, binary.LittleEndian, sections)
	return image.Bytes()
}

// testLimit replaces maxModule, so that a bomb need not be large.
const testLimit = 1 << 16

func depends(on string) []byte { return module("license=GPL\x00depends=" + on + "\x00retpoline=Y\x00") }

func packXZ(t *testing.T, plain []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := xz.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// tree makes a module tree; "rng" is built in.
func tree(files map[string][]byte) fstest.MapFS {
	fsys := fstest.MapFS{
		"modules.builtin": {Data: []byte("kernel/drivers/char/hw-rng.ko\nnonsense\n")},
		"kernel/README":   {Data: []byte("no module")},
	}
	for name, image := range files {
		fsys["kernel/drivers/"+name] = &fstest.MapFile{Data: image}
	}
	return fsys
}

func load(t *testing.T, files map[string][]byte, names ...string) (string, error) {
	t.Helper()
	tr, err := Open(tree(files))
	if err != nil {
		t.Fatal(err)
	}
	tr.limit = testLimit
	modules, err := tr.Closure(names...)
	var order []string
	for _, m := range modules {
		if !bytes.HasPrefix(m.Image, []byte(elf.ELFMAG)) {
			t.Errorf("module %s is no ELF file: %.8q", m.Name, m.Image)
		}
		order = append(order, m.Name)
	}
	return strings.Join(order, " "), err
}

func TestClosureInLoadOrder(t *testing.T) {
	files := map[string][]byte{
		"virtio-console.ko.xz": packXZ(t, depends("virtio_ring,virtio")),
		"virtio_ring.ko":       depends(""),
		"virtio.ko":            depends("virtio-ring,hw_rng"),
		"unrelated.ko":         depends("absent"),
	}
	got, err := load(t, files, "virtio_console", "hw-rng", "virtio")
	if want := "virtio_ring virtio virtio_console"; err != nil || got != want {
		t.Errorf("load order %q, %v; want %q", got, err, want)
	}
}

func TestHostileModules(t *testing.T) {
	chain := map[string][]byte{}
	for i := range maxNesting + 2 {
		chain[fmt.Sprintf("m%d.ko", i)] = depends(fmt.Sprintf("m%d", i+1))
	}
	bomb := packXZ(t, make([]byte, testLimit+1))
	tests := []struct {
		name, says string
		files      map[string][]byte
	}{
		{"not there", "neither", map[string][]byte{}},
		{"dependency not there", "module m0 needs module x", map[string][]byte{"m0.ko": depends("x")}},
		{"needs itself", "cycle", map[string][]byte{"m0.ko": depends("m0")}},
		{"cycle of two", "cycle", map[string][]byte{"m0.ko": depends("m1"), "m1.ko": depends("m0")}},
		{"endless chain", "cycle", chain},
		{"no ELF file", "bad magic", map[string][]byte{"m0.ko": []byte("#!/bin/sh\necho this is no module of the kernel\n")}},
		{"empty", "", map[string][]byte{"m0.ko": nil}},
		{"cut off", "", map[string][]byte{"m0.ko": depends("")[:100]}},
		{"no xz stream", "", map[string][]byte{"m0.ko.xz": depends("")}},
		{"xz bomb", "larger than", map[string][]byte{"m0.ko.xz": bomb}},
		{"unknown compression", ".zst", map[string][]byte{"m0.ko.zst": depends("")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := load(t, tt.files, "m0")
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("modules %q, error %v; want one with %q", got, err, tt.says)
			}
		})
	}
}

func TestOpenNeedsAModuleTree(t *testing.T) {
	if _, err := Open(fstest.MapFS{}); err == nil {
		t.Error("an empty directory is no module tree")
	}
}

// FuzzDependencies looks for module images that make the reader panic.
func FuzzDependencies(f *testing.F) {
	f.Add(depends("a,b"))
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, image []byte) { _, _ = dependencies(image) })
}
