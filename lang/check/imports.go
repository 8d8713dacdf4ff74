package check

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
)

// Bounds of what imports can reach. Imports are followed one within another, so
// maxImports bounds their depth as well.
const (
	maxImports    = 1000
	maxImportSize = 8 << 20 // bytes in all
)

// importer follows the imports of a script.
type importer struct {
	c    *checker
	done map[string]bool
	// files and size are what has been read.
	files, size int
	full        bool // tooMuch has been reported
	// scripts in the order in which their probes come: what is imported before
	// what imports it.
	scripts []*ast.Script
}

// loadImports reads what the script imports and returns all scripts, its own
// last.
func (c *checker) loadImports(s *ast.Script) []*ast.Script {
	im := &importer{c: c, done: map[string]bool{}}
	im.follow(s)
	return im.scripts
}

func (im *importer) follow(s *ast.Script) {
	for _, i := range s.Imports {
		im.load(i, s.File.Dir)
	}
	im.scripts = append(im.scripts, s)
}

func (im *importer) load(i *ast.Import, dir string) {
	path := i.Path.Value
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	path = filepath.Clean(path)
	if entries, err := im.c.env.ReadDir(path); err == nil {
		if im.anybodyWrites(i, path) {
			return
		}
		for _, e := range entries {
			if supportedImport(e.Name()) && !e.IsDir() {
				im.file(i, filepath.Join(path, e.Name()))
			}
		}
		return
	}
	im.file(i, path)
}

func supportedImport(name string) bool {
	return strings.HasSuffix(name, ".bt") || strings.HasSuffix(name, ".gt") || strings.HasSuffix(name, ".h")
}

// anybodyWrites reports a file or directory that every user may write to:
// what another user put there would run with this one's privilege.
func (im *importer) anybodyWrites(i *ast.Import, path string) bool {
	if w := im.c.env.WorldWritable; w == nil || !w(path) {
		return false
	}
	im.c.diags.Errorf(diag.BadImport, i.Pos(), "unable to import %s: permission: everybody may write to it", path)
	return true
}

// file imports one file.
func (im *importer) file(i *ast.Import, path string) {
	if im.done[path] {
		return
	}
	im.done[path] = true
	if !im.admits(i, path) {
		return
	}
	text, ok := im.read(i, path)
	switch {
	case !ok:
	case strings.HasSuffix(path, ".h"):
		im.c.headers = append(im.c.headers, path)
	default:
		im.script(path, text)
	}
}

// admits reports files that are none to import.
func (im *importer) admits(i *ast.Import, path string) bool {
	switch {
	case strings.HasSuffix(path, ".c"), strings.HasSuffix(path, ".o"):
		im.c.diags.Errorf(diag.BadImport, i.Pos(), "can not import %s: gotrace has no C compiler and links no object files", path)
	case !supportedImport(path):
		im.c.diags.Errorf(diag.BadImport, i.Pos(), "unable to import %s: unknown kind of file", path).
			Hint("imports end in .bt, .gt or .h, or name a directory")
	default:
		return true
	}
	return false
}

// read returns the text of a file that may be imported, within the limits.
func (im *importer) read(i *ast.Import, path string) (text []byte, ok bool) {
	if im.files++; im.files > maxImports || im.size > maxImportSize {
		im.tooMuch(i)
		return nil, false
	}
	text, err := im.c.env.ReadFile(path)
	if err != nil {
		im.c.diags.Errorf(diag.BadImport, i.Pos(), "unable to import %s: %s", path, reason(err))
		return nil, false
	}
	if im.anybodyWrites(i, path) {
		return nil, false
	}
	if im.size += len(text); im.size > maxImportSize {
		im.tooMuch(i)
		return nil, false
	}
	return text, true
}

// reason is the text of an error of a file, without its name.
func reason(err error) string {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or directory"
	case errors.As(err, &pe):
		return pe.Err.Error()
	}
	return err.Error()
}

// script adds a script and what it imports itself.
func (im *importer) script(path string, text []byte) {
	c := im.c
	f := c.env.Files.Add(path, filepath.Dir(path), string(text))
	s, list := c.env.Parse(c.env.Files, f)
	c.diags.Diags = append(c.diags.Diags, list.Diags...)
	if list.HasErrors() {
		return
	}
	if s.Config != nil {
		c.diags.Errorf(diag.BadImport, s.Config.Pos(), "an imported script may not have a config block")
	}
	im.follow(s)
}

// tooMuch reports, once, that the limits of imports are exceeded.
func (im *importer) tooMuch(i *ast.Import) {
	if im.full {
		return
	}
	im.full = true
	im.c.diags.Errorf(diag.BadImport, i.Pos(), "the imports are more than %d files or %d MiB together", maxImports, maxImportSize>>20)
}

// importStmt is an import inside a block.
func (c *checker) importStmt(s *ast.ImportStmt) {
	if !c.unstable("import_statement", s.Pos()) {
		return
	}
	c.diags.Errorf(diag.Unsupported, s.Pos(), "gotrace does not support imports inside blocks").
		Hint("import it at the top of the script")
}
