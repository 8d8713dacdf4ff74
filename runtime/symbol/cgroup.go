package symbol

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The bounds of Cgroups: how many groups are remembered, how long it is remembered that there is none, and how much of that time may
// be spent on searches in vain. One takes 1 ms where there are 400 groups.
const (
	maxCgroups  = 1 << 16
	missingTime = time.Second
	maxInVain   = missingTime / 10
)

// Cgroups names control groups by their ids, the inode numbers of their directories. Paths are remembered; all groups are looked at
// again for an id that is not known, as groups come and go.
type Cgroups struct {
	fsys fs.FS
	now  func() time.Time

	mu    sync.Mutex
	known map[uint64][]cgroupPlace
	// missing are the ids that were searched for in vain since a time, which took inVain.
	missing map[uint64]bool
	since   time.Time
	inVain  time.Duration
}

// cgroupPlace is the path of a group in one of the hierarchies.
type cgroupPlace struct{ hierarchy, path string }

// NewCgroups returns Cgroups that reads fsys, /sys/fs/cgroup, usually os.DirFS("/sys/fs/cgroup"), at the first lookup.
func NewCgroups(fsys fs.FS) *Cgroups {
	return &Cgroups{fsys: fsys, now: time.Now, known: map[uint64][]cgroupPlace{}, missing: map[uint64]bool{}}
}

// Path returns the path of a control group in every hierarchy where the id exists, "unified:/a/b,memory:/c": the unified hierarchy
// first, then those of cgroup v1 by name. filter is a pattern of path.Match for the names of hierarchies, "" for all. A group that was
// seen keeps its path when it is gone. The result is empty when no hierarchy has the id, and for up to missingTime when searches in
// vain have taken maxInVain. The error tells what could not be read, once for an id and missingTime, or that the pattern is malformed.
func (c *Cgroups) Path(id uint64, filter string) (string, error) {
	if _, err := path.Match(filter, ""); err != nil {
		return "", err
	}
	places, err := c.places(id)
	if err != nil {
		return "", err
	}
	var found []string
	for _, p := range places {
		if match, _ := path.Match(filter, p.hierarchy); match || filter == "" {
			found = append(found, p.hierarchy+":"+p.path)
		}
	}
	return strings.Join(found, ","), nil
}

// places looks an id up, and searches for it if it is not known.
func (c *Cgroups) places(id uint64) ([]cgroupPlace, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if places, ok := c.known[id]; ok {
		return places, nil
	}
	start := c.now()
	if start.Sub(c.since) >= missingTime {
		clear(c.missing)
		c.since, c.inVain = start, 0
	}
	if c.missing[id] || c.inVain >= maxInVain {
		return nil, nil
	}
	all, err := walkCgroups(c.fsys)
	c.remember(all)
	if places, ok := all[id]; ok {
		c.known[id] = places // also of more groups than there is room for
		return places, nil
	}
	c.missing[id] = true
	c.inVain += c.now().Sub(start)
	return nil, err
}

// remember adds groups to the known ones, of which it forgets all where there is no room.
func (c *Cgroups) remember(all map[uint64][]cgroupPlace) {
	if len(c.known)+len(all) > maxCgroups {
		clear(c.known)
	}
	for id, places := range all {
		if len(c.known) == maxCgroups {
			return
		}
		c.known[id] = places
	}
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

// cgroupWalk gathers the groups of all hierarchies by id.
type cgroupWalk struct {
	fsys fs.FS
	all  map[uint64][]cgroupPlace
	err  error // the first
}

// walkCgroups returns all groups by id, the places of each in the order of cgroupRoots. The error tells what could not be read.
func walkCgroups(fsys fs.FS) (map[uint64][]cgroupPlace, error) {
	roots, err := cgroupRoots(fsys)
	w := &cgroupWalk{fsys: fsys, all: map[uint64][]cgroupPlace{}, err: err}
	for _, root := range roots {
		info, err := fs.Stat(fsys, root.dir)
		if err != nil {
			w.fail(err)
			continue
		}
		w.visit(root, root.dir, info)
	}
	return w.all, w.err
}

// leafLinks is the number of links of a directory without others: its own name and the dot in it.
const leafLinks = 2

// visit adds the group of a directory and those below. Most groups have none below, and dozens of files, which are not listed.
func (w *cgroupWalk) visit(root cgroupRoot, dir string, info fs.FileInfo) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	w.all[st.Ino] = append(w.all[st.Ino], cgroupPlace{root.name, hierarchyPath(root.dir, dir)})
	if st.Nlink == leafLinks {
		return
	}
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		w.fail(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if info, err := e.Info(); err == nil {
			w.visit(root, path.Join(dir, e.Name()), info)
		} else {
			w.fail(err)
		}
	}
}

// fail keeps the first error. That a group is gone is none: groups come and go during the walk.
func (w *cgroupWalk) fail(err error) {
	if w.err == nil && !errors.Is(err, fs.ErrNotExist) {
		w.err = err
	}
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
