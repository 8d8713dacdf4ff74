package symbol

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
)

// CgroupPath returns the path of a control group in every hierarchy where the id exists, "unified:/a/b,memory:/c": the unified hierarchy
// first, then those of cgroup v1 by name. The id of a group is the inode number of its directory. fsys is /sys/fs/cgroup, usually
// os.DirFS("/sys/fs/cgroup"). filter is a pattern of path.Match for the names of hierarchies, "" for all. The result is empty when no
// hierarchy has the id. The error tells which part could not be read or that the pattern is malformed.
func CgroupPath(fsys fs.FS, id uint64, filter string) (string, error) {
	roots, err := cgroupRoots(fsys)
	if err != nil {
		return "", err
	}
	var found []string
	for _, root := range roots {
		if filter != "" {
			if match, err := path.Match(filter, root.name); err != nil {
				return "", err
			} else if !match {
				continue
			}
		}
		where, ok, err := findInode(fsys, root.dir, id)
		if err != nil {
			return "", err
		}
		if ok {
			found = append(found, root.name+":"+where)
		}
	}
	return strings.Join(found, ","), nil
}

const unified = "unified"

// cgroupRoot is the root directory of a hierarchy.
type cgroupRoot struct{ name, dir string }

// cgroupRoots tells the layouts apart: a unified hierarchy alone is mounted at the top; otherwise every directory at the top is a
// hierarchy of its own, and symbolic links are other names of such.
func cgroupRoots(fsys fs.FS) ([]cgroupRoot, error) {
	if _, err := fs.Stat(fsys, "cgroup.controllers"); err == nil {
		return []cgroupRoot{{unified, "."}}, nil
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var roots []cgroupRoot
	for _, e := range entries {
		if e.IsDir() {
			roots = append(roots, cgroupRoot{cgroupName(fsys, e.Name()), e.Name()})
		}
	}
	slices.SortFunc(roots, func(a, b cgroupRoot) int {
		return cmp.Or(-compareBool(a.name == unified, b.name == unified), cmp.Compare(a.name, b.name))
	})
	return roots, nil
}

// cgroupName calls the hierarchy of cgroup v2 unified wherever it is mounted.
func cgroupName(fsys fs.FS, dir string) string {
	if _, err := fs.Stat(fsys, dir+"/cgroup.controllers"); err == nil {
		return unified
	}
	return dir
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// findInode returns the path below root of the directory with the inode number, "/" for root itself.
func findInode(fsys fs.FS, root string, inode uint64) (where string, ok bool, err error) {
	err = fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		// Groups come and go during the walk.
		if errors.Is(err, fs.ErrNotExist) && name != root {
			return nil
		}
		if err != nil || !d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		if st, isStat := info.Sys().(*syscall.Stat_t); isStat && st.Ino == inode {
			where, ok = hierarchyPath(root, name), true
			return fs.SkipAll
		}
		return nil
	})
	return where, ok, err
}

// hierarchyPath makes a name below root the path that the kernel shows.
func hierarchyPath(root, name string) string {
	switch {
	case name == root:
		return "/"
	case root == ".":
		return "/" + name
	}
	return strings.TrimPrefix(name, root)
}
