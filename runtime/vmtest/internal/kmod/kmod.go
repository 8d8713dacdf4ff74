// Package kmod finds the kernel modules that a guest needs.
//
// Input is a module tree, the content of /lib/modules/RELEASE as a package
// ships it: without modules.dep, which depmod writes only at installation.
// Dependencies are therefore read from the modules themselves. Output is a list
// of modules, uncompressed, in an order in which they can be loaded. A tree is
// not trusted: sizes are bounded, cycles and missing modules are errors.
//
// The "depends" entry of the section .modinfo is written by the kernel's
// scripts/mod/modpost.c; modules.builtin is described in
// Documentation/kbuild/kbuild.rst.
package kmod

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/ulikunitz/xz"
)

// maxModule bounds a module's uncompressed size in bytes; the largest in
// Debian's kernels, with its BTF, has about 20 MB.
const maxModule = 64 << 20

// maxNesting bounds chains of dependencies; real ones are shorter than 10.
const maxNesting = 64

// Module is one kernel module.
type Module struct {
	Name  string // with "_" for "-", as in /proc/modules
	Image []byte // the uncompressed ELF file
}

// Tree is an opened module tree. It is immutable.
type Tree struct {
	fsys    fs.FS
	files   map[string]string // module name -> path
	builtin map[string]bool
	limit   int64 // bytes of an uncompressed module
}

// Open indexes the module tree at the root of fsys.
func Open(fsys fs.FS) (*Tree, error) {
	tree := &Tree{fsys: fsys, files: map[string]string{}, builtin: map[string]bool{}, limit: maxModule}
	if err := tree.readBuiltin(); err != nil {
		return nil, err
	}
	err := fs.WalkDir(fsys, "kernel", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name, ok := moduleName(file); ok && entry.Type().IsRegular() {
			tree.files[name] = file
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("module tree: %w", err)
	}
	return tree, nil
}

func (t *Tree) readBuiltin() error {
	file, err := t.fsys.Open("modules.builtin")
	if err != nil {
		return fmt.Errorf("module tree: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, ok := moduleName(lines.Text()); ok {
			t.builtin[name] = true
		}
	}
	return lines.Err()
}

// moduleName derives a module's name from its file: "a/virtio-rng.ko.xz" holds
// virtio_rng.
func moduleName(file string) (string, bool) {
	base, ok := path.Base(file), false
	for _, ext := range []string{".xz", ".gz", ".zst"} {
		base = strings.TrimSuffix(base, ext)
	}
	base, ok = strings.CutSuffix(base, ".ko")
	return canonical(base), ok && base != ""
}

func canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Closure returns the named modules with all that they depend on, in load
// order. Modules that are built into the kernel are left out; a name that is
// neither a module nor built in is an error.
func (t *Tree) Closure(names ...string) ([]Module, error) {
	c := closure{tree: t, state: map[string]visit{}}
	for _, name := range names {
		if err := c.add(canonical(name), 0); err != nil {
			return nil, err
		}
	}
	return c.order, nil
}

type visit int

const (
	unseen visit = iota
	open         // its dependencies are being added
	done
)

type closure struct {
	tree  *Tree
	state map[string]visit
	order []Module
}

func (c *closure) add(name string, depth int) error {
	switch {
	case c.state[name] == done || c.tree.builtin[name]:
		return nil
	case c.state[name] == open || depth > maxNesting:
		return fmt.Errorf("module %s: dependencies form a cycle", name)
	}
	file, ok := c.tree.files[name]
	if !ok {
		return fmt.Errorf("module %s: neither in the module tree nor built in", name)
	}
	c.state[name] = open
	image, err := c.tree.image(file)
	if err != nil {
		return fmt.Errorf("module %s: %w", name, err)
	}
	depends, err := dependencies(image)
	if err != nil {
		return fmt.Errorf("module %s: %w", name, err)
	}
	for _, dependency := range depends {
		if err := c.add(dependency, depth+1); err != nil {
			return fmt.Errorf("module %s needs %w", name, err)
		}
	}
	c.state[name] = done
	c.order = append(c.order, Module{Name: name, Image: image})
	return nil
}

// image reads a module and uncompresses it. Debian has used no compression and
// xz; gzip costs nothing. Other formats are refused by name.
func (t *Tree) image(file string) ([]byte, error) {
	packed, err := t.fsys.Open(file)
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	var plain io.Reader = packed
	switch ext := path.Ext(file); ext {
	case ".ko":
	case ".xz":
		plain, err = xz.NewReader(bufio.NewReader(packed))
	case ".gz":
		plain, err = gzip.NewReader(packed)
	default:
		return nil, fmt.Errorf("compression %s is not supported", ext)
	}
	if err != nil {
		return nil, err
	}
	image, err := io.ReadAll(io.LimitReader(plain, t.limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(image)) > t.limit {
		return nil, fmt.Errorf("larger than %d bytes", t.limit)
	}
	return image, nil
}

// dependencies reads the "depends" entry of a module's .modinfo section.
func dependencies(image []byte) ([]string, error) {
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, errors.New("no section .modinfo")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	var names []string
	for entry := range bytes.SplitSeq(info, []byte{0}) {
		list, ok := strings.CutPrefix(string(entry), "depends=")
		if !ok {
			continue
		}
		for name := range strings.SplitSeq(list, ",") {
			if name != "" {
				names = append(names, canonical(name))
			}
		}
	}
	return names, nil
}
