package uprobe

import (
	"debug/dwarf"
	"encoding/binary"
	"slices"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/internal/elfsym"
	"github.com/gotrace/gotrace/probes/internal/ptregs"
)

// debugInfo is the debug information of a file. The units are found by their
// headers, as stepping over a unit with dwarf.Reader means to parse all of it.
type debugInfo struct {
	*dwarf.Data
	units []dwarf.Offset
}

// dwarf returns the debug information of the binary, from itself or from its
// separate debug file; with lines also its line tables.
func (f *file) dwarf(lines bool) (*debugInfo, bool) {
	for _, from := range []*elfsym.File{f.File, f.debug} {
		if from == nil || from.Section(".debug_info") == nil {
			continue
		}
		if d, err := load(from, lines); err == nil {
			return d, true
		}
	}
	return nil, false
}

// load reads the sections that are needed and no others, as they are often
// compressed: inflating those of the C library takes a tenth of a second.
func load(f *elfsym.File, lines bool) (*debugInfo, error) {
	sections := map[string][]byte{}
	names := []string{"info", "abbrev", "str", "ranges", "addr", "line_str", "str_offsets", "rnglists"}
	if lines {
		names = append(names, "line")
	}
	for _, name := range names {
		s := f.Section(".debug_" + name)
		if s == nil {
			continue
		}
		data, err := s.Data()
		if err != nil {
			return nil, err
		}
		sections[name] = data
	}
	d, err := dwarf.New(sections["abbrev"], nil, nil, sections["info"], sections["line"], nil, sections["ranges"], sections["str"])
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists"} {
		if data, ok := sections[name]; ok {
			if err := d.AddSection(".debug_"+name, data); err != nil {
				return nil, err
			}
		}
	}
	return &debugInfo{d, units(sections["info"], f.ByteOrder)}, nil
}

// units lists where the first entry of each unit lies in .debug_info; the
// headers in front of them are described in section 7.5.1 of the DWARF 5
// standard.
func units(info []byte, order binary.ByteOrder) []dwarf.Offset {
	const minHeader = 4 + 8 + 2 + 1 + 1 + 8 + 8 + 8
	var list []dwarf.Offset
	for at := uint64(0); at+minHeader < uint64(len(info)); {
		b := info[at:]
		length, head, word := uint64(order.Uint32(b)), uint64(4), uint64(4)
		if length == 0xffffffff {
			length, head, word = order.Uint64(b[4:]), 12, 8
		}
		version := order.Uint16(b[head:])
		entry := head + 2 + word + 1
		if version >= 5 {
			entry++
			switch b[head+2] {
			case 2, 6: // type units: signature and offset
				entry += 8 + word
			case 4, 5: // skeleton and split units: id
				entry += 8
			}
		}
		if length > uint64(len(info))-at-head || length == 0 {
			return list
		}
		list = append(list, dwarf.Offset(at+entry))
		at += head + length
	}
	return list
}

// describe gives targets at function entries, by their virtual address, the
// arguments that debug information declares.
func (f *file) describe(entries map[uint64][]*target.Target) {
	if f.kind != target.Uprobe || f.opt.NoArgs || len(entries) == 0 {
		return
	}
	d, ok := f.dwarf(false)
	if !ok {
		return
	}
	forFunctions(d, entries, func(address uint64, params []param) {
		args := place64(params, f.regs)
		for _, t := range entries[address] {
			t.Args = args
		}
	})
}

// param is a parameter of a function.
type param struct {
	name string
	typ  dwarf.Type
}

// forFunctions finds the functions that start at the wanted addresses and calls
// found with their parameters.
func forFunctions[T any](d *debugInfo, wanted map[uint64]T, found func(address uint64, params []param)) {
	r := d.Reader()
	left := len(wanted)
	for _, off := range d.units {
		if left <= 0 {
			return
		}
		r.Seek(off)
		unit, err := r.Next()
		if err == nil && unit != nil && unit.Tag == dwarf.TagCompileUnit && covers(d.Data, unit, wanted) {
			left -= inUnit(d.Data, r, unit, wanted, found)
		}
	}
}

// covers reports whether a compilation unit may hold one of the addresses.
func covers[T any](d *dwarf.Data, unit *dwarf.Entry, wanted map[uint64]T) bool {
	ranges, err := d.Ranges(unit)
	if err != nil || len(ranges) == 0 {
		return unit.Children
	}
	for address := range wanted {
		for _, r := range ranges {
			if address >= r[0] && address < r[1] {
				return true
			}
		}
	}
	return false
}

// inUnit walks the functions of one unit, also those in namespaces, and returns
// how many were wanted. The reader stands behind the entry of the unit.
func inUnit[T any](d *dwarf.Data, r *dwarf.Reader, unit *dwarf.Entry, wanted map[uint64]T, found func(uint64, []param)) int {
	if !unit.Children {
		return 0
	}
	hits := 0
	for depth := 1; depth > 0; {
		e, err := r.Next()
		if err != nil || e == nil {
			return hits
		}
		switch e.Tag {
		case 0:
			depth--
		case dwarf.TagNamespace:
			if e.Children {
				depth++
			}
		case dwarf.TagSubprogram:
			low, ok := e.Val(dwarf.AttrLowpc).(uint64)
			if _, want := wanted[low]; ok && want {
				hits++
				found(low, paramsOf(d, r, e))
			} else {
				r.SkipChildren()
			}
		default:
			r.SkipChildren()
		}
	}
	return hits
}

// paramsOf reads the parameters below the entry of a function.
func paramsOf(d *dwarf.Data, r *dwarf.Reader, fn *dwarf.Entry) []param {
	var list []param
	if !fn.Children {
		return nil
	}
	for {
		e, err := r.Next()
		if err != nil || e == nil || e.Tag == 0 {
			return list
		}
		if e.Tag == dwarf.TagFormalParameter {
			list = append(list, paramOf(d, e))
		}
		r.SkipChildren()
	}
}

// maxOrigins bounds the chain of entries that stand for one another.
const maxOrigins = 4

// paramOf reads one parameter; of inlined and out-of-line functions name and
// type stand with the abstract one.
func paramOf(d *dwarf.Data, e *dwarf.Entry) param {
	var p param
	for range maxOrigins {
		if name, ok := e.Val(dwarf.AttrName).(string); ok && p.name == "" {
			p.name = name
		}
		if off, ok := e.Val(dwarf.AttrType).(dwarf.Offset); ok && p.typ == nil {
			if t, err := d.Type(off); err == nil {
				p.typ = t
			}
		}
		origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok || p.name != "" && p.typ != nil {
			return p
		}
		r := d.Reader()
		r.Seek(origin)
		next, err := r.Next()
		if err != nil || next == nil {
			return p
		}
		e = next
	}
	return p
}

// place64 puts parameters into the argument registers as the C calling
// conventions of 64-bit machines do. Numbers with a fraction lie in registers
// that programs can not see; they are left out, and so is everything that
// is passed in memory or behind an aggregate whose place depends on its members.
func place64(params []param, regs *ptregs.Layout) []target.Arg {
	var args []target.Arg
	free := slices.Clone(regs.Args)
	for _, p := range params {
		t := resolve(p.typ)
		switch t.(type) {
		case *dwarf.FloatType:
			continue
		case *dwarf.StructType, *dwarf.ArrayType, *dwarf.ComplexType, nil:
			if t == nil || t.Size() <= 2*ptregs.Word {
				return args
			}
			continue // in memory
		}
		if len(free) == 0 || t.Size() > ptregs.Word {
			return args
		}
		loc := target.Loc{Kind: target.LocCtx, Off: free[0], Size: max(1, int(t.Size()))}
		free = free[1:]
		typ := convert(p.typ, maxNesting)
		switch n := typ.(type) {
		case types.Int:
			loc.Signed = n.Signed
		case *types.Enum:
			loc.Signed = n.Signed
		}
		if p.name != "" {
			args = append(args, target.Arg{Name: p.name, Type: typ, Loc: loc})
		}
	}
	return args
}
