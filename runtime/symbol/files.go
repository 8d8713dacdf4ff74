package symbol

import (
	"debug/elf"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// maxFiles is how many symbol tables are kept. The oldest goes first.
const maxFiles = 1024

// fileID names a file independent of its path: containers see one file under many paths. Where the file system does not
// tell device and inode it is the path. Size and time tell a file from a later one that reuses its inode.
type fileID struct {
	dev, ino   uint64
	size, time int64
	path       string
}

// identify tells files apart. name counts only when the file system has no inodes.
func identify(info fs.FileInfo, name string) fileID {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fileID{dev: uint64(st.Dev), ino: st.Ino, size: st.Size, time: info.ModTime().UnixNano()}
	}
	return fileID{path: name}
}

// fileCache keeps symbol tables by file. A file that cannot be read has an empty table, so that it is tried once.
type fileCache struct {
	tables map[fileID]*table
	order  []fileID
}

func (c *fileCache) put(id fileID, t *table) {
	if c.tables == nil {
		c.tables = make(map[fileID]*table)
	}
	if _, known := c.tables[id]; !known {
		if len(c.order) == maxFiles {
			delete(c.tables, c.order[0])
			c.order = c.order[1:]
		}
		c.order = append(c.order, id)
	}
	c.tables[id] = t
}

// errNotRegular is what opening a directory, device or FIFO gives: reading one could block.
var errNotRegular = errors.New("not a regular file")

// openRegular opens a file for random access.
func openRegular(fsys fs.FS, name string) (fs.File, io.ReaderAt, error) {
	if !fs.ValidPath(name) {
		return nil, nil, fmt.Errorf("%q: %w", name, fs.ErrInvalid)
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s: %w", name, errNotRegular)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, nil, err
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		f.Close()
		return nil, nil, fmt.Errorf("%s: no random access", name)
	}
	return f, r, nil
}

// below makes an absolute path one of a file system that stands for dir: "." or "PID/root".
func below(dir, abs string) string {
	return path.Join(dir, strings.TrimPrefix(path.Clean("/"+abs), "/"))
}

// debugSearch is where to look for separate debug files, in this order: as the process sees the file system, then as the tracer does.
type debugSearch struct {
	places []debugPlace
	dirs   []string // of debug files, absolute
	path   string   // of the file itself, absolute
}

type debugPlace struct {
	fsys fs.FS
	dir  string // stands for "/"
}

// buildTable reads the functions of an ELF file. A file without .symtab is completed from its debug file.
func buildTable(r io.ReaderAt, search debugSearch) (*table, error) {
	f, err := openELF(r)
	if err != nil {
		return nil, err
	}
	t := &table{segments: f.segments()}
	var b tableBuilder
	err = b.addFunctions(f, elf.SHT_SYMTAB)
	if f.SectionByType(elf.SHT_SYMTAB) == nil {
		err = errors.Join(err, f.withDebugFile(f.buildID(), search, func(d elfFile) error { return b.addFunctions(d, elf.SHT_SYMTAB) }))
	}
	err = errors.Join(err, b.addFunctions(f, elf.SHT_DYNSYM))
	b.build(t)
	return t, err
}

// withDebugFile calls use with the first separate debug file that belongs to f; none is no error.
func (f elfFile) withDebugFile(buildID string, search debugSearch, use func(elfFile) error) error {
	link, crc, hasLink := f.debugLink()
	for _, place := range search.places {
		if len(buildID) > 2 {
			for _, dir := range search.dirs {
				name := path.Join(dir, ".build-id", buildID[:2], buildID[2:]+".debug")
				if done, err := place.tryDebugFile(name, use, func(d elfFile, _ io.Reader) bool { return d.buildID() == buildID }); done {
					return err
				}
			}
		}
		if !hasLink {
			continue
		}
		for _, name := range search.linkPaths(link) {
			if done, err := place.tryDebugFile(name, use, func(d elfFile, r io.Reader) bool { return sameFile(d, r, buildID, crc) }); done {
				return err
			}
		}
	}
	return nil
}

// linkPaths lists where a file of .gnu_debuglink may lie: the search order of GDB.
func (s *debugSearch) linkPaths(link string) []string {
	link, dir := path.Base(link), path.Dir(s.path)
	out := []string{path.Join(dir, link), path.Join(dir, ".debug", link)}
	for _, d := range s.dirs {
		out = append(out, path.Join(d, dir, link))
	}
	return out
}

// sameFile decides by build id, or by the checksum where there is none.
func sameFile(d elfFile, content io.Reader, buildID string, crc uint32) bool {
	if id := d.buildID(); id != "" && buildID != "" {
		return id == buildID
	}
	sum := crc32.NewIEEE()
	_, err := io.Copy(sum, io.LimitReader(content, maxSymbolTable))
	return err == nil && sum.Sum32() == crc
}

// tryDebugFile calls use if the file exists, belongs to the program and has symbols; done says whether it did.
func (p debugPlace) tryDebugFile(name string, use func(elfFile) error, belongs func(elfFile, io.Reader) bool) (done bool, err error) {
	file, r, err := openRegular(p.fsys, below(p.dir, name))
	if err != nil {
		return false, nil
	}
	defer file.Close()
	d, err := openELF(r)
	if err != nil || !belongs(d, file) || d.SectionByType(elf.SHT_SYMTAB) == nil {
		return false, nil
	}
	return true, use(d)
}
