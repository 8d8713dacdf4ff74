package symbol

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Limits of what is read of one ELF file. What the file does not hold is not allocated either: all reads grow with the data.
const (
	maxSymbolTable = 1 << 30 // bytes of a symbol or string table
	maxNotes       = 1 << 16 // bytes of a note section
	maxSegments    = 256
)

// elfFile is an opened ELF file, of which only the headers were read.
type elfFile struct {
	*elf.File
}

// openELF reads the headers. debug/elf is not made for hostile files and may panic on one: that is an error here.
func openELF(r io.ReaderAt) (f elfFile, err error) {
	defer recoverELF(&err)
	file, err := elf.NewFile(r)
	return elfFile{file}, err
}

func recoverELF(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("malformed ELF file: %v", r)
	}
}

// segments returns the executable PT_LOAD headers.
func (f elfFile) segments() []segment {
	var out []segment
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_X == 0 || p.Vaddr+p.Filesz < p.Vaddr {
			continue
		}
		out = append(out, segment{offset: p.Off, vaddr: p.Vaddr, size: p.Filesz})
		if len(out) == maxSegments {
			break
		}
	}
	return out
}

// sectionBytes reads a section that is stored as it is. Compressed symbol tables do not exist in practice and are refused, so that a
// small file cannot unpack to a large one.
func sectionBytes(s *elf.Section, limit int64) ([]byte, error) {
	switch {
	case s == nil || s.Type == elf.SHT_NOBITS:
		return nil, errors.New("section has no data")
	case s.Flags&elf.SHF_COMPRESSED != 0 || s.ReaderAt == nil:
		return nil, fmt.Errorf("section %s is compressed", s.Name)
	case s.FileSize > uint64(limit):
		return nil, fmt.Errorf("section %s is too large", s.Name)
	}
	return io.ReadAll(io.NewSectionReader(s.ReaderAt, 0, int64(s.FileSize)))
}

// rawSymbol is an entry of a symbol table in either class.
type rawSymbol struct {
	name    []byte
	info    byte
	section elf.SectionIndex
	value   uint64
	size    uint64
}

func (s *rawSymbol) kind() elf.SymType { return elf.ST_TYPE(s.info) }

// defined reports whether the symbol has a place in this file.
func (s *rawSymbol) defined() bool {
	return s.section != elf.SHN_UNDEF && s.section != elf.SHN_COMMON && len(s.name) > 0
}

// eachSymbol calls yield for the entries of .symtab or .dynsym until it returns false; name is valid during the call. An absent table
// has no entries. Symbols are decoded here as debug/elf makes a string and a large struct of each.
func (f elfFile) eachSymbol(kind elf.SectionType, yield func(*rawSymbol) bool) (err error) {
	defer recoverELF(&err)
	sec := f.SectionByType(kind)
	if sec == nil {
		return nil
	}
	if int64(sec.Link) >= int64(len(f.Sections)) {
		return errors.New("symbol table without string table")
	}
	names, err := sectionBytes(f.Sections[sec.Link], maxSymbolTable)
	if err != nil {
		return err
	}
	data, err := sectionBytes(sec, maxSymbolTable)
	if err != nil {
		return err
	}
	decode, size := f.decodeSymbol64, elf.Sym64Size
	if f.Class == elf.ELFCLASS32 {
		decode, size = f.decodeSymbol32, elf.Sym32Size
	}
	var sym rawSymbol // one for all: yield makes it escape
	var name uint32
	for ; len(data) >= size; data = data[size:] {
		sym, name = decode(data)
		sym.name = cBytes(names, name)
		if !yield(&sym) {
			break
		}
	}
	return nil
}

// Layouts of Elf64_Sym and Elf32_Sym: elf(5).
func (f elfFile) decodeSymbol64(b []byte) (rawSymbol, uint32) {
	o := f.ByteOrder
	return rawSymbol{info: b[4], section: elf.SectionIndex(o.Uint16(b[6:])), value: o.Uint64(b[8:]), size: o.Uint64(b[16:])}, o.Uint32(b)
}

func (f elfFile) decodeSymbol32(b []byte) (rawSymbol, uint32) {
	o := f.ByteOrder
	return rawSymbol{info: b[12], section: elf.SectionIndex(o.Uint16(b[14:])), value: uint64(o.Uint32(b[4:])),
		size: uint64(o.Uint32(b[8:]))}, o.Uint32(b)
}

// buildID returns the build id in hexadecimal, "" when the file has none.
func (f elfFile) buildID() string {
	for _, s := range f.Sections {
		if s.Type != elf.SHT_NOTE {
			continue
		}
		data, err := sectionBytes(s, maxNotes)
		if err != nil {
			continue
		}
		if id := f.gnuBuildID(data); id != "" {
			return id
		}
	}
	return ""
}

// gnuBuildID finds the NT_GNU_BUILD_ID note: name size, descriptor size, type, then name and descriptor, each padded to four bytes.
func (f elfFile) gnuBuildID(notes []byte) string {
	const header, typeBuildID = 12, 3
	for len(notes) >= header {
		nameSize, descSize := uint64(f.ByteOrder.Uint32(notes)), uint64(f.ByteOrder.Uint32(notes[4:]))
		kind := f.ByteOrder.Uint32(notes[8:])
		descAt := header + (nameSize+3)&^3
		next := descAt + (descSize+3)&^3
		if descAt+descSize > uint64(len(notes)) {
			return ""
		}
		if kind == typeBuildID && bytes.Equal(notes[header:header+nameSize], []byte("GNU\x00")) {
			return hex.EncodeToString(notes[descAt : descAt+descSize])
		}
		notes = notes[min(next, uint64(len(notes))):]
	}
	return ""
}

// debugLink returns the file name and the CRC-32 of .gnu_debuglink: a name, padded with zero bytes to four, then the checksum.
func (f elfFile) debugLink() (name string, crc uint32, ok bool) {
	data, err := sectionBytes(f.Section(".gnu_debuglink"), maxNotes)
	if err != nil {
		return "", 0, false
	}
	end := bytes.IndexByte(data, 0)
	if end <= 0 || len(data) < (end+4)&^3+4 {
		return "", 0, false
	}
	return string(data[:end]), f.ByteOrder.Uint32(data[(end+4)&^3:]), true
}

// Ranks of symbols that share an address.
const (
	rankGlobal = iota
	rankWeak
	rankLocal
	rankLabel
	rankNone // worse than every symbol
)

func rankOf(info byte) uint8 {
	switch elf.ST_BIND(info) {
	case elf.STB_LOCAL:
		return rankLocal
	case elf.STB_WEAK:
		return rankWeak
	}
	return rankGlobal
}

// addFunctions adds the functions of one symbol table, and global labels without a type, which assembly leaves that way. Data has no
// place in executable mappings; local labels mark places inside of functions.
func (b *tableBuilder) addFunctions(f elfFile, kind elf.SectionType) error {
	return f.eachSymbol(kind, func(s *rawSymbol) bool {
		rank := rankOf(s.info)
		switch s.kind() {
		case elf.STT_FUNC, elf.STT_GNU_IFUNC:
		case elf.STT_NOTYPE:
			if rank == rankLocal {
				return true
			}
			rank = rankLabel
		default:
			return true
		}
		return !s.defined() || b.add(unversioned(s.name), s.value, s.size, elfOrder(s, rank))
	})
}

// unversioned takes the version off a name such as read@GLIBC_2.2.5, which is the linker's business.
func unversioned(name []byte) []byte {
	if i := bytes.IndexByte(name, '@'); i > 0 {
		return name[:i]
	}
	return name
}

// elfOrder puts symbols with a size before those without, then goes by rank, then by the number of leading underscores.
func elfOrder(s *rawSymbol, rank uint8) uint32 {
	const maxUnderscores = 15
	order := uint32(rank) << 4
	for _, c := range s.name[:min(len(s.name), maxUnderscores)] {
		if c != '_' {
			break
		}
		order++
	}
	if s.size == 0 {
		order += 1 << 16
	}
	return order
}
