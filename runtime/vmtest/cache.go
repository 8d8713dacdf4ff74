package vmtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/debian"
)

// busyboxSuite and qemuSuite are where the guest's shell and QEMU come from.
// QEMU is taken from forky, as bookworm's 7.2 crashes guests under load.
const (
	busyboxSuite = "bookworm"
	qemuSuite    = "forky"
)

// cache is the directory of fetched things and the way to fetch more. It holds
// a lock, so that processes that run at the same time fetch nothing twice.
type cache struct {
	dir  string
	lock *os.File
	log  func(format string, args ...any)
	repo *debian.Repository
}

// openCache waits until no other process uses the cache.
func openCache(log func(format string, args ...any)) (*cache, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	dir := filepath.Join(base, "gotrace", "vmtest")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		lock.Close()
		return nil, fmt.Errorf("vmtest: lock the cache: %w", err)
	}
	return &cache{dir: dir, lock: lock, log: log}, nil
}

// Close lets other processes in.
func (c *cache) Close() { c.lock.Close() }

// repository finds the mirror when something has to be fetched.
func (c *cache) repository() (*debian.Repository, error) {
	if c.repo == nil {
		base, err := debian.FindMirror(os.DirFS("/etc/apt"))
		if err != nil {
			return nil, err
		}
		c.repo = &debian.Repository{Base: base, Client: &http.Client{Timeout: 15 * time.Minute}, Log: c.log}
	}
	return c.repo, nil
}

// unpack fetches a package of a suite with all its dependencies, if wanted,
// into a directory of the cache unless that exists.
func (c *cache) unpack(ctx context.Context, suite, name string, dependencies bool) (dir string, err error) {
	dir = filepath.Join(c.dir, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	repo, err := c.repository()
	if err != nil {
		return "", err
	}
	index, err := repo.Index(ctx, suite)
	if err != nil {
		return "", err
	}
	var packages []debian.Package
	if dependencies {
		packages, err = index.Closure(name)
	} else if p, ok := index.Lookup(name); ok {
		packages = []debian.Package{p}
	} else {
		err = fmt.Errorf("no package %s in %s", name, suite)
	}
	if err != nil {
		return "", err
	}
	return dir, repo.Unpack(ctx, packages, dir)
}

// busybox returns the path of a statically linked busybox.
func (c *cache) busybox(ctx context.Context) (string, error) {
	dir, err := c.unpack(ctx, busyboxSuite, "busybox-static", false)
	if err != nil {
		return "", fmt.Errorf("vmtest: busybox: %w", err)
	}
	return firstFile(filepath.Join(dir, "bin/busybox"), filepath.Join(dir, "usr/bin/busybox"))
}

// firstFile returns the first of the paths that exists.
func firstFile(paths ...string) (string, error) {
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("vmtest: none of %q exists", paths)
}
