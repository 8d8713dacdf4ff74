package elfsym

import (
	"bytes"
	"debug/elf"
	"iter"
)

// Marker is a statically defined tracepoint at one address.
type Marker struct {
	Provider, Name string
	// Addr is its virtual address; Semaphore that of its counter, 0: none.
	Addr, Semaphore uint64
	// Args are the specifications of its arguments, such as "-4@%edi",
	// separated by blanks.
	Args string
}

// Markers goes over the markers of a file in the order of its notes. The format
// is that of SystemTap, section .note.stapsdt: three addresses, then three
// strings. Addresses move with the section .stapsdt.base when the file was
// prelinked.
func (f *File) Markers() iter.Seq[Marker] {
	return func(yield func(Marker) bool) {
		base := uint64(0)
		if s := f.Section(".stapsdt.base"); s != nil {
			base = s.Addr
		}
		for n := range f.notes(".note.stapsdt") {
			if n.name != "stapsdt" || n.kind != noteSDT {
				continue
			}
			m, ok := f.marker(n.desc, base)
			if ok && !yield(m) {
				return
			}
		}
	}
}

func (f *File) marker(desc []byte, base uint64) (m Marker, ok bool) {
	word := func() uint64 {
		if f.Class == elf.ELFCLASS32 {
			v := f.ByteOrder.Uint32(desc)
			desc = desc[4:]
			return uint64(v)
		}
		v := f.ByteOrder.Uint64(desc)
		desc = desc[8:]
		return v
	}
	size := 24
	if f.Class == elf.ELFCLASS32 {
		size = 12
	}
	if len(desc) < size {
		return m, false
	}
	addr, linkBase, semaphore := word(), word(), word()
	moved := uint64(0)
	if base != 0 {
		moved = base - linkBase
	}
	m.Addr = addr + moved
	if semaphore != 0 {
		m.Semaphore = semaphore + moved
	}
	texts := bytes.SplitN(desc, []byte{0}, 4)
	if len(texts) < 3 {
		return m, false
	}
	m.Provider, m.Name, m.Args = string(texts[0]), string(texts[1]), string(texts[2])
	return m, m.Provider != "" && m.Name != ""
}
