// Package elfsym finds functions and static tracepoints in ELF files.
//
// Input are files as a host.Host opens them; their contents are not trusted.
// Output are names with virtual addresses, and file offsets, which is what the
// kernel attaches user probes by.
package elfsym

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/gotrace/gotrace/probes/host"
)

// File is an open ELF file. Close it.
type File struct {
	*elf.File
	// Base is the offset of the ELF file in the file that holds it: not zero for
	// members of an archive.
	Base   uint64
	reader io.ReaderAt
	close  io.Closer
}

// Open opens an ELF file by its path.
func Open(h *host.Host, path string) (*File, error) {
	f, err := h.Open(path)
	if err != nil {
		return nil, err
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s: not a regular file", path), f.Close())
	}
	file, err := read(r, 0)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	file.close = f
	return file, nil
}

func read(r io.ReaderAt, base uint64) (*File, error) {
	e, err := elf.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("not an ELF file: %w", err)
	}
	return &File{File: e, Base: base, reader: r}, nil
}

// Close closes the file.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close.Close()
}

// Symbol is a function or variable of a file.
type Symbol struct {
	Name string
	Addr uint64 // virtual address
	Size uint64 // bytes, 0 when not known
}

// maxSection bounds the bytes of one section that are held in memory.
const maxSection = 1 << 30

// Functions goes over the functions that the file defines, those of .symtab
// first, then those of .dynsym; names occur repeatedly.
func (f *File) Functions() iter.Seq[Symbol] {
	return f.symbols(elf.STT_FUNC, elf.STT_GNU_IFUNC)
}

// Object finds a variable that the file defines by its name.
func (f *File) Object(name string) (Symbol, bool) {
	for s := range f.symbols(elf.STT_OBJECT) {
		if s.Name == name {
			return s, true
		}
	}
	return Symbol{}, false
}

// symbols goes over the symbols of some types.
func (f *File) symbols(types ...elf.SymType) iter.Seq[Symbol] {
	return func(yield func(Symbol) bool) {
		for _, kind := range []elf.SectionType{elf.SHT_SYMTAB, elf.SHT_DYNSYM} {
			for _, s := range f.Sections {
				if s.Type == kind && !f.table(s, types, yield) {
					return
				}
			}
		}
	}
}

// table walks one symbol table; it reports false when yield did. A table that
// can not be read has no symbols.
func (f *File) table(s *elf.Section, types []elf.SymType, yield func(Symbol) bool) bool {
	if int(s.Link) >= len(f.Sections) || s.Size > maxSection || f.Sections[s.Link].Size > maxSection {
		return true
	}
	table, err1 := s.Data()
	names, err2 := f.Sections[s.Link].Data()
	if err1 != nil || err2 != nil {
		return true
	}
	entry := elf.Sym64Size
	if f.Class == elf.ELFCLASS32 {
		entry = elf.Sym32Size
	}
	for ; len(table) >= entry; table = table[entry:] {
		sym, info, shndx, name := decode(f.Class, f.ByteOrder, table)
		if !slices.Contains(types, elf.ST_TYPE(info)) || shndx == elf.SHN_UNDEF || sym.Addr == 0 {
			continue
		}
		if sym.Name = cstring(names, name); sym.Name != "" && !yield(sym) {
			return false
		}
	}
	return true
}

// decode reads the first entry of a symbol table, see elf(5).
func decode(class elf.Class, order binary.ByteOrder, b []byte) (s Symbol, info byte, shndx elf.SectionIndex, name uint32) {
	name = order.Uint32(b)
	if class == elf.ELFCLASS32 {
		s.Addr, s.Size = uint64(order.Uint32(b[4:])), uint64(order.Uint32(b[8:]))
		return s, b[12], elf.SectionIndex(order.Uint16(b[14:])), name
	}
	s.Addr, s.Size = order.Uint64(b[8:]), order.Uint64(b[16:])
	return s, b[4], elf.SectionIndex(order.Uint16(b[6:])), name
}

// cstring reads the text that starts at off and ends with a zero byte.
func cstring(b []byte, off uint32) string {
	if uint64(off) >= uint64(len(b)) {
		return ""
	}
	b = b[off:]
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return ""
}

// Offset turns a virtual address into an offset in the file that holds the ELF
// file. Without exec, any loaded segment will do, as for data.
func (f *File) Offset(addr uint64, exec bool) (uint64, bool) {
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || exec && p.Flags&elf.PF_X == 0 {
			continue
		}
		if addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return f.Base + p.Off + (addr - p.Vaddr), true
		}
	}
	return 0, false
}

// Code reads up to n bytes of code at a virtual address.
func (f *File) Code(addr, n uint64) ([]byte, error) {
	off, ok := f.Offset(addr, true)
	if !ok || n > maxSection {
		return nil, fmt.Errorf("address 0x%x is not in an executable segment", addr)
	}
	b := make([]byte, n)
	got, err := f.reader.ReadAt(b, int64(off-f.Base))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:got], nil
}
