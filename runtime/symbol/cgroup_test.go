package symbol

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// makeDirs makes directories below a temporary one and returns it, and a function giving the inode numbers.
func makeDirs(t *testing.T, dirs ...string) (root string, inode func(dir string) uint64) {
	t.Helper()
	root = t.TempDir()
	for _, d := range dirs {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root, func(dir string) uint64 {
		info, err := os.Stat(filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
}

func touch(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCgroupPath(t *testing.T) {
	v1, inode := makeDirs(t, "memory/user/a", "unified/system", "cpu")
	touch(t, filepath.Join(v1, "unified", "cgroup.controllers"))
	v2, inode2 := makeDirs(t, ".hidden/b")
	touch(t, filepath.Join(v2, "cgroup.controllers"))
	for _, tt := range []struct {
		root   string
		id     uint64
		filter string
		want   string
	}{
		{v1, inode("memory/user/a"), "", "memory:/user/a"},
		{v1, inode("memory"), "", "memory:/"},
		{v1, inode("unified/system"), "", "unified:/system"},
		{v1, inode("unified/system"), "uni*", "unified:/system"},
		{v1, inode("unified/system"), "mem*", ""},
		{v1, 0, "", ""},
		{v2, inode2(".hidden/b"), "", "unified:/.hidden/b"},
		{v2, inode2("."), "", "unified:/"},
	} {
		if got, err := NewCgroups(os.DirFS(tt.root)).Path(tt.id, tt.filter); err != nil || got != tt.want {
			t.Errorf("%d with filter %q: %q, %v; want %q", tt.id, tt.filter, got, err, tt.want)
		}
	}
	if _, err := NewCgroups(os.DirFS(v1)).Path(1, "[a"); err != path.ErrBadPattern {
		t.Errorf("malformed pattern: %v", err)
	}
}

// TestCgroupPathInSeveralHierarchies needs equal ids, as the roots of all hierarchies have.
func TestCgroupPathInSeveralHierarchies(t *testing.T) {
	got, err := NewCgroups(os.DirFS("/sys/fs/cgroup")).Path(1, "")
	if err != nil {
		t.Skip(err)
	}
	if got == "" {
		t.Skip("no root of a hierarchy has the id 1")
	}
	names := strings.Split(got, ",")
	for i, n := range names {
		if !strings.HasSuffix(n, ":/") || (i > 0 && n == "unified:/") || (i > 1 && n < names[i-1]) {
			t.Errorf("bad order or path: %s", got)
		}
	}
}

// listingFS counts what is opened.
type listingFS struct {
	fs.FS
	opened map[string]int
}

func (c *listingFS) Open(name string) (fs.File, error) {
	c.opened[name]++
	return c.FS.Open(name)
}

// testCgroups are groups in temporary directories: each search looks once for the file that tells the layout. cost is what
// each look at the clock takes.
type testCgroups struct {
	*Cgroups
	t     *testing.T
	root  string
	files *listingFS
	clock time.Time
	cost  time.Duration
}

func newTestCgroups(t *testing.T, dirs ...string) (c *testCgroups, inode func(dir string) uint64) {
	root, inode := makeDirs(t, dirs...)
	touch(t, filepath.Join(root, "cgroup.controllers"))
	files := &listingFS{os.DirFS(root), map[string]int{}}
	c = &testCgroups{Cgroups: NewCgroups(files), t: t, root: root, files: files, clock: time.Now()}
	c.now = func() time.Time { c.clock = c.clock.Add(c.cost); return c.clock }
	return c, inode
}

func (c *testCgroups) searches() int { return c.files.opened["cgroup.controllers"] }

func (c *testCgroups) want(id uint64, want string) {
	c.t.Helper()
	if got, err := c.Path(id, ""); err != nil || got != want {
		c.t.Errorf("group %d: %q, %v; want %q", id, got, err, want)
	}
}

// TestCgroupsRemembered wants one search for all groups, and another for one that is new. What is gone keeps its name.
func TestCgroupsRemembered(t *testing.T) {
	c, inode := newTestCgroups(t, "a/b", "c")
	dead := inode("c")
	for range 10 {
		c.want(inode("a/b"), "unified:/a/b")
		c.want(dead, "unified:/c")
	}
	if n := c.searches(); n != 1 {
		t.Errorf("%d searches for the first groups", n)
	}
	if err := os.Mkdir(filepath.Join(c.root, "new"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(c.root, "c")); err != nil {
		t.Fatal(err)
	}
	c.want(inode("new"), "unified:/new")
	c.want(dead, "unified:/c")
	if n := c.searches(); n != 2 {
		t.Errorf("%d searches with the new group", n)
	}
}

// TestCgroupLeavesNotListed wants directories without others left alone, as they have many files.
func TestCgroupLeavesNotListed(t *testing.T) {
	c, inode := newTestCgroups(t, "a/b")
	c.want(inode("a/b"), "unified:/a/b")
	if info, err := os.Stat(filepath.Join(c.root, "a/b")); err != nil || info.Sys().(*syscall.Stat_t).Nlink != leafLinks {
		t.Skip("the file system does not count directories as links: ", err)
	}
	if c.files.opened["a"] != 1 || c.files.opened["a/b"] != 0 {
		t.Errorf("opened: %v", c.files.opened)
	}
}

// TestCgroupsMissing wants an id that is not there searched for once in a while, and many of them for a bounded time only, without
// keeping new groups from being found, but for a while after many.
func TestCgroupsMissing(t *testing.T) {
	c, inode := newTestCgroups(t, "a")
	const none = 1 << 60
	for range 100 {
		c.want(none, "")
	}
	c.want(inode("a"), "unified:/a")
	if n := c.searches(); n != 1 {
		t.Errorf("%d searches for one id", n)
	}
	c.clock = c.clock.Add(missingTime)
	c.want(none, "")
	if n := c.searches(); n != 2 {
		t.Errorf("%d searches for one id after a while", n)
	}
	const times = 10
	c.cost = maxInVain / times
	for i := range uint64(5 * times) {
		c.want(none+1+i, "")
	}
	if n := c.searches(); n != 2+times {
		t.Errorf("%d searches for many ids, want %d", n-2, times)
	}
	if err := os.Mkdir(filepath.Join(c.root, "new"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(missingTime)
	c.want(inode("new"), "unified:/new")
}

// TestCgroupsBounded has more groups than are remembered.
func TestCgroupsBounded(t *testing.T) {
	c := NewCgroups(os.DirFS(t.TempDir()))
	c.known[1<<40] = nil
	all := map[uint64][]cgroupPlace{}
	for id := range uint64(maxCgroups + 10) {
		all[id] = nil
	}
	c.remember(all)
	if n := len(c.known); n != maxCgroups {
		t.Errorf("%d are known, want %d", n, maxCgroups)
	}
}
