package symbol

import (
	"cmp"
	"slices"
	"sort"
)

// maxTableNames bounds the names kept for one file, in bytes.
const maxTableNames = 1 << 29

// maxNesting is how many symbols at lower addresses are tried when the nearest one does not cover an address: symbols may be nested
// in longer ones.
const maxNesting = 32

// tableSymbol is 16 bytes; large programs have millions of functions.
type tableSymbol struct {
	addr uint64
	size uint32 // longer ones are cut to 4 GiB
	name uint32 // into table.names, up to the zero byte
}

// table holds the functions of one file, sorted by address, one symbol for each address.
type table struct {
	syms  []tableSymbol
	names []byte
	// segments translate file offsets to the addresses of syms; a perf map has none.
	segments []segment
}

// segment is an executable PT_LOAD program header.
type segment struct{ offset, vaddr, size uint64 }

// vaddr returns the address that the file offset is linked at. Position independent and fixed executables are treated alike: the
// program headers say what the difference is.
func (t *table) vaddr(offset uint64) (uint64, bool) {
	for _, s := range t.segments {
		if offset >= s.offset && offset-s.offset < s.size {
			return offset - s.offset + s.vaddr, true
		}
	}
	return 0, false
}

// at returns the innermost symbol that covers the address.
func (t *table) at(addr uint64) (name string, offset uint64, ok bool) {
	i := sort.Search(len(t.syms), func(i int) bool { return t.syms[i].addr > addr }) - 1
	for tries := 0; i >= 0 && tries < maxNesting; i, tries = i-1, tries+1 {
		if s := t.syms[i]; addr-s.addr < uint64(s.size) {
			return cString(t.names, s.name), addr - s.addr, true
		}
	}
	return "", 0, false
}

// fileSymbol returns the innermost symbol that covers a file offset. A nil table has none.
func (t *table) fileSymbol(fileOffset uint64) (name string, offset uint64, ok bool) {
	if t == nil {
		return "", 0, false
	}
	vaddr, ok := t.vaddr(fileOffset)
	if !ok {
		return "", 0, false
	}
	return t.at(vaddr)
}

// candidate is a symbol while a table is built.
type candidate struct {
	tableSymbol
	order uint32 // of symbols at one address, the lowest is kept
}

// tableBuilder collects the symbols of one file and of its debug file.
type tableBuilder struct {
	cands []candidate
	names []byte
}

// add takes a symbol; it reports false when the table is full.
func (b *tableBuilder) add(name []byte, addr, size uint64, order uint32) bool {
	if len(b.names)+len(name) >= maxTableNames {
		return false
	}
	at := uint32(len(b.names))
	b.names = append(append(b.names, name...), 0)
	b.cands = append(b.cands, candidate{tableSymbol{addr, uint32(min(size, 1<<32-1)), at}, order})
	return true
}

// build keeps one symbol for each address, that of the lowest order; of equals the one that was added first.
func (b *tableBuilder) build(t *table) {
	slices.SortFunc(b.cands, func(x, y candidate) int {
		if x.addr != y.addr {
			return cmp.Compare(x.addr, y.addr)
		}
		return cmp.Or(cmp.Compare(x.order, y.order), cmp.Compare(x.name, y.name))
	})
	b.cands = slices.CompactFunc(b.cands, func(x, y candidate) bool { return x.addr == y.addr })
	t.syms = make([]tableSymbol, len(b.cands))
	for i, c := range b.cands {
		t.syms[i] = c.tableSymbol
	}
	t.names = slices.Clip(b.names)
	t.fillSizes()
}

// fillSizes lets a symbol without size, usual for hand-written assembly, reach to the next symbol or to the end of its segment. Inside of
// a symbol with a size it is a label, not a function: it stays without and is never found.
func (t *table) fillSizes() {
	covered := uint64(0) // the end of the symbols with a size so far
	for i := range t.syms {
		s := &t.syms[i]
		if s.size != 0 {
			covered = max(covered, s.addr+uint64(s.size))
			continue
		}
		end := t.segmentEnd(s.addr)
		if i+1 < len(t.syms) {
			end = min(end, t.syms[i+1].addr)
		}
		if s.addr >= covered && end > s.addr {
			s.size = uint32(min(end-s.addr, 1<<32-1))
		}
	}
}

// segmentEnd returns the end of the executable segment around the address, 0 outside of all.
func (t *table) segmentEnd(vaddr uint64) uint64 {
	for _, s := range t.segments {
		if vaddr >= s.vaddr && vaddr-s.vaddr < s.size {
			return s.vaddr + s.size
		}
	}
	return 0
}
