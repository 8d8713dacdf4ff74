package uprobe

import (
	"debug/dwarf"
	"errors"
	"io"
	"strings"

	"github.com/gotrace/gotrace/lang/target"
)

// atPosition resolves a source position: the first statement of the line.
func (f *file) atPosition(at place) ([]*target.Target, error) {
	d, ok := f.dwarf(true)
	if !ok {
		return nil, target.Errorf(target.Missing, "%s has no debug information", f.path)
	}
	address, known, ok := findLine(d, at)
	switch {
	case !known:
		return nil, target.Errorf(target.Missing, "no source file %s in the debug information of %s", at.file, f.path)
	case !ok:
		return nil, target.Errorf(target.Missing, "no code for line %d of %s in %s", at.line, at.file, f.path)
	}
	return f.atAddress(address)
}

// findLine searches the line tables of all units. known tells that the file is
// the source of one of them.
func findLine(d *debugInfo, at place) (address uint64, known, ok bool) {
	r := d.Reader()
	for _, off := range d.units {
		r.Seek(off)
		unit, err := r.Next()
		if err != nil || unit == nil {
			continue
		}
		lines, err := d.LineReader(unit)
		if err != nil || lines == nil {
			continue
		}
		address, here, ok := lineIn(lines, at)
		known = known || here
		if ok {
			return address, true, true
		}
	}
	return 0, known, false
}

func lineIn(lines *dwarf.LineReader, at place) (address uint64, known, ok bool) {
	var e dwarf.LineEntry
	for {
		err := lines.Next(&e)
		if errors.Is(err, io.EOF) || err != nil {
			return 0, known, false
		}
		if e.File == nil || !isFile(e.File.Name, at.file) {
			continue
		}
		known = true
		if e.IsStmt && !e.EndSequence && uint64(e.Line) == at.line && (at.column == 0 || uint64(e.Column) == at.column) {
			return e.Address, true, true
		}
	}
}

// isFile compares by trailing components of the path.
func isFile(path, want string) bool {
	return path == want || strings.HasSuffix(path, "/"+want)
}
