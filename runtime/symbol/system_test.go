package symbol

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
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
		if got, err := CgroupPath(os.DirFS(tt.root), tt.id, tt.filter); err != nil || got != tt.want {
			t.Errorf("%d with filter %q: %q, %v; want %q", tt.id, tt.filter, got, err, tt.want)
		}
	}
	if _, err := CgroupPath(os.DirFS(v1), 1, "[a"); err != path.ErrBadPattern {
		t.Errorf("malformed pattern: %v", err)
	}
}

// TestCgroupPathInSeveralHierarchies needs equal ids, as the roots of all hierarchies have.
func TestCgroupPathInSeveralHierarchies(t *testing.T) {
	got, err := CgroupPath(os.DirFS("/sys/fs/cgroup"), 1, "")
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

func TestUsers(t *testing.T) {
	u := NewUsers(fstest.MapFS{"etc/passwd": {Data: []byte("root:x:0:0:root:/root:/bin/sh\n# x\n\nada:x:1000:1:::\nsecond:x:1000:1:::\nbad:x:y:1\n")}})
	for uid, want := range map[uint32]string{0: "root", 1000: "ada", 7: "", 1<<32 - 1: ""} {
		if got, ok := u.Name(uid); got != want || ok != (want != "") {
			t.Errorf("user %d is %q, %v", uid, got, ok)
		}
	}
	if got, ok := NewUsers(fstest.MapFS{}).Name(0); ok {
		t.Errorf("without passwd user 0 is %q", got)
	}
}

func ExampleDemangle() {
	fmt.Println(Demangle("_ZNK2ns3Foo3barEv"))
	// Output: ns::Foo::bar() const
}
