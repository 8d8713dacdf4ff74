package elfsym

import (
	"iter"
)

// Note types, see elf(5) and SystemTap's sys/sdt.h.
const (
	noteBuildID = 3
	noteSDT     = 3
)

// maxNotes bounds the bytes of a section of notes.
const maxNotes = 64 << 20

type note struct {
	name string
	kind uint32
	desc []byte
}

// notes goes over the notes in a section; malformed ones end it.
func (f *File) notes(section string) iter.Seq[note] {
	return func(yield func(note) bool) {
		s := f.Section(section)
		if s == nil || s.Size > maxNotes {
			return
		}
		data, err := s.Data()
		if err != nil {
			return
		}
		for len(data) >= 12 {
			nameSize := uint64(f.ByteOrder.Uint32(data))
			descSize := uint64(f.ByteOrder.Uint32(data[4:]))
			kind := f.ByteOrder.Uint32(data[8:])
			data = data[12:]
			desc := align4(nameSize)
			end := desc + align4(descSize)
			if end > uint64(len(data)) {
				return
			}
			name := data[:nameSize]
			for len(name) > 0 && name[len(name)-1] == 0 {
				name = name[:len(name)-1]
			}
			if !yield(note{string(name), kind, data[desc : desc+descSize]}) {
				return
			}
			data = data[end:]
		}
	}
}

func align4(n uint64) uint64 { return (n + 3) &^ 3 }
