package symbol

import (
	"debug/elf"
	"fmt"
	"io/fs"
)

// ELFSymbol is a named symbol of an ELF file.
type ELFSymbol struct {
	Name string
	// Addr is the address the symbol is linked at.
	Addr uint64
	// Size is in bytes; 0 when the file does not tell.
	Size uint64
	// Data tells variables from functions.
	Data bool
}

// FindELFSymbol looks a function or variable up by its name in the symbol table, mangled where the compiler mangles. A global symbol
// comes before a weak and a weak one before a local. path is absolute or relative to the root of fsys. The error wraps ErrNotFound,
// fs.ErrNotExist, or tells what is wrong with the file. debugDirs are those of UserOptions.
func FindELFSymbol(fsys fs.FS, path, name string, debugDirs []string) (ELFSymbol, error) {
	file, r, err := openRegular(fsys, below(".", path))
	if err != nil {
		return ELFSymbol{}, err
	}
	defer file.Close()
	f, err := openELF(r)
	if err != nil {
		return ELFSymbol{}, fmt.Errorf("%s: %w", path, err)
	}
	q := symbolQuery{name: name, rank: rankNone}
	if err := q.search(f, debugSearch{places: []debugPlace{{fsys, "."}}, dirs: withDefaultDir(debugDirs), path: path}); err != nil {
		return ELFSymbol{}, fmt.Errorf("%s: %w", path, err)
	}
	if q.rank == rankNone {
		return ELFSymbol{}, fmt.Errorf("%s: %q: %w", path, name, ErrNotFound)
	}
	return q.found, nil
}

// symbolQuery keeps the best symbol of a name.
type symbolQuery struct {
	name  string
	found ELFSymbol
	rank  uint8
}

func (q *symbolQuery) search(f elfFile, where debugSearch) error {
	if err := f.eachSymbol(elf.SHT_SYMTAB, q.visit); err != nil {
		return err
	}
	if err := f.eachSymbol(elf.SHT_DYNSYM, q.visit); err != nil || q.rank != rankNone || f.SectionByType(elf.SHT_SYMTAB) != nil {
		return err
	}
	return f.withDebugFile(f.buildID(), where, func(d elfFile) error { return d.eachSymbol(elf.SHT_SYMTAB, q.visit) })
}

func (q *symbolQuery) visit(s *rawSymbol) bool {
	k := s.kind()
	data := k == elf.STT_OBJECT
	if string(s.name) != q.name || !s.defined() || (!data && k != elf.STT_FUNC && k != elf.STT_GNU_IFUNC && k != elf.STT_NOTYPE) {
		return true
	}
	if r := rankOf(s.info); r < q.rank {
		q.rank = r
		q.found = ELFSymbol{Name: q.name, Addr: s.value, Size: s.size, Data: data}
	}
	return q.rank != rankGlobal
}
