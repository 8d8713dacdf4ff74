// Package cpio writes cpio archives in the "newc" format, the one the Linux
// kernel unpacks as an initramfs.
//
// Input are names, permission bits and contents; output is a byte stream that
// ends with the trailer once Close has been called. Parent directories are
// written before their first entry, so the order of calls is free. Names are
// cleaned and can not leave the archive's root.
//
// The format is described in the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst.
package cpio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"strings"
)

const (
	magic       = "070701"
	trailer     = "TRAILER!!!"
	headerSize  = 110
	alignment   = 4
	blockSize   = 512  // some loaders want whole blocks
	maxNameSize = 4096 // PATH_MAX of the kernel, with the final NUL

	typeDir     = 0o040000
	typeFile    = 0o100000
	typeSymlink = 0o120000
)

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("cpio: archive is closed")

// Writer writes one archive. Its methods must not be called concurrently.
// The first write error is kept and returned by all later calls.
type Writer struct {
	out     io.Writer
	offset  int64
	entries map[string]bool // name -> is a directory
	err     error
}

// NewWriter returns a Writer that appends to out.
func NewWriter(out io.Writer) *Writer {
	return &Writer{out: out, entries: map[string]bool{"": true}}
}

// Dir writes the directory name with mode 0755 and its missing parents.
// Writing a directory twice is no error.
func (w *Writer) Dir(name string) error {
	name, err := clean(name)
	if err != nil {
		return err
	}
	return w.dir(name)
}

func (w *Writer) dir(name string) error {
	if isDir, seen := w.entries[name]; seen {
		if !isDir {
			return fmt.Errorf("cpio: %s is not a directory", name)
		}
		return w.err
	}
	if err := w.parent(name); err != nil {
		return err
	}
	w.entries[name] = true
	return w.entry(name, typeDir|0o755, nil, 0)
}

// File writes a regular file of exactly size bytes taken from content. Only
// the permission bits of mode are kept.
func (w *Writer) File(name string, mode fs.FileMode, content io.Reader, size int64) error {
	name, err := w.claim(name)
	if err != nil {
		return err
	}
	return w.entry(name, typeFile|uint32(mode.Perm()), content, size)
}

// Bytes writes a regular file with the given content.
func (w *Writer) Bytes(name string, mode fs.FileMode, content []byte) error {
	return w.File(name, mode, bytes.NewReader(content), int64(len(content)))
}

// Symlink writes a symbolic link that points to target, which is not checked.
func (w *Writer) Symlink(name, target string) error {
	name, err := w.claim(name)
	if err != nil {
		return err
	}
	return w.entry(name, typeSymlink|0o777, strings.NewReader(target), int64(len(target)))
}

// Close writes the trailer. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if err := w.entry(trailer, 0, nil, 0); err != nil {
		return err
	}
	if err := w.pad(blockSize); err != nil {
		return err
	}
	w.err = ErrClosed
	return nil
}

// claim reserves the name of a new entry that is not a directory.
func (w *Writer) claim(name string) (string, error) {
	name, err := clean(name)
	if err != nil {
		return "", err
	}
	if _, seen := w.entries[name]; seen {
		return "", fmt.Errorf("cpio: %s is written twice", name)
	}
	if err := w.parent(name); err != nil {
		return "", err
	}
	w.entries[name] = false
	return name, nil
}

func (w *Writer) parent(name string) error {
	dir := path.Dir(name)
	if dir == "." {
		dir = ""
	}
	return w.dir(dir)
}

func (w *Writer) entry(name string, mode uint32, content io.Reader, size int64) error {
	if w.err != nil {
		return w.err
	}
	if size < 0 || size > math.MaxUint32 {
		return fmt.Errorf("cpio: %s: size %d does not fit the format", name, size)
	}
	const links = 1
	fields := [...]uint32{0, mode, 0, 0, links, 0, uint32(size), 0, 0, 0, 0, uint32(len(name) + 1), 0}
	head := make([]byte, 0, headerSize+len(name)+1)
	head = append(head, magic...)
	for _, f := range fields {
		head = fmt.Appendf(head, "%08x", f)
	}
	head = append(head, name...)
	head = append(head, 0)
	if err := w.write(head); err != nil {
		return err
	}
	if err := w.pad(alignment); err != nil {
		return err
	}
	if size > 0 {
		n, err := io.CopyN(w.out, content, size)
		w.offset += n
		if err != nil {
			w.err = fmt.Errorf("cpio: %s: %d of %d bytes: %w", name, n, size, err)
			return w.err
		}
	}
	return w.pad(alignment)
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.offset += int64(n)
	if err != nil {
		w.err = fmt.Errorf("cpio: %w", err)
	}
	return w.err
}

func (w *Writer) pad(unit int64) error {
	if rest := w.offset % unit; rest != 0 {
		return w.write(make([]byte, unit-rest))
	}
	return w.err
}

// clean turns an absolute or relative path into the form of the archive.
func clean(name string) (string, error) {
	if strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("cpio: name %q holds a NUL", name)
	}
	cleaned := strings.TrimPrefix(path.Clean("/"+name), "/")
	if len(cleaned) >= maxNameSize {
		return "", fmt.Errorf("cpio: name of %d bytes is too long", len(cleaned))
	}
	if cleaned == trailer {
		return "", fmt.Errorf("cpio: %q is the format's end mark", trailer)
	}
	return cleaned, nil
}
