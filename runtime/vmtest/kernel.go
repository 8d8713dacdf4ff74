package vmtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/debian"
	"github.com/gotrace/gotrace/runtime/vmtest/internal/kmod"
)

// Kernel is an unpacked kernel package.
type Kernel struct {
	Release string // as `uname -r`
	Image   string // path of vmlinuz
	Modules string // path of the module tree
	Config  string // path of the build configuration
}

// kernelSuites are searched in this order for a version that is not cached:
// the stable suites, one kernel version each, then those with many.
func kernelSuites() []string {
	return []string{"bookworm", "trixie", "bullseye", "forky", "trixie-backports", "bookworm-backports", "sid"}
}

// flavours are the kinds of kernel packages, in order of preference. Cloud
// kernels lack only drivers for hardware that QEMU does not emulate either.
func flavours() []string { return []string{"-cloud-amd64", "-amd64"} }

// kernel finds a kernel by its path or version.
func (c *cache) kernel(ctx context.Context, spec string) (*Kernel, error) {
	if strings.ContainsRune(spec, '/') {
		return kernelAt(spec)
	}
	if !isVersion(spec) {
		return nil, fmt.Errorf("vmtest: kernel %q is neither a version nor a path", spec)
	}
	release, err := c.cachedRelease(spec)
	if err != nil {
		return nil, err
	}
	if release == "" {
		if release, err = c.fetchKernel(ctx, spec); err != nil {
			return nil, fmt.Errorf("vmtest: kernel %s: %w", spec, err)
		}
	}
	dir := filepath.Join(c.dir, "kernels", release)
	image, err := firstFile(filepath.Join(dir, "boot/vmlinuz-"+release),
		filepath.Join(dir, "usr/lib/modules", release, "vmlinuz"))
	if err != nil {
		return nil, err
	}
	return kernelAt(image)
}

// kernelAt describes the kernel package around a vmlinuz, which stands in
// /boot, or beside its modules since Linux 7.
func kernelAt(image string) (*Kernel, error) {
	image, err := filepath.Abs(image)
	if err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	if _, err := os.Stat(image); err != nil {
		return nil, fmt.Errorf("vmtest: kernel: %w", err)
	}
	dir := filepath.Dir(image)
	if filepath.Base(image) == "vmlinuz" {
		return &Kernel{Release: filepath.Base(dir), Image: image, Modules: dir, Config: filepath.Join(dir, "config")}, nil
	}
	release, ok := strings.CutPrefix(filepath.Base(image), "vmlinuz-")
	if !ok {
		return nil, fmt.Errorf("vmtest: kernel %s: the name must be vmlinuz or vmlinuz-RELEASE", image)
	}
	root := filepath.Dir(dir)
	modules, err := firstFile(filepath.Join(root, "usr/lib/modules", release), filepath.Join(root, "lib/modules", release))
	if err != nil {
		return nil, err
	}
	return &Kernel{Release: release, Image: image, Modules: modules, Config: filepath.Join(dir, "config-"+release)}, nil
}

// cachedRelease returns the newest cached release of a version, or "".
func (c *cache) cachedRelease(version string) (string, error) {
	entries, err := os.ReadDir(filepath.Join(c.dir, "kernels"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("vmtest: %w", err)
	}
	newest := ""
	for _, entry := range entries {
		if name := entry.Name(); isReleaseOf(name, version) && debian.CompareVersions(name, newest) > 0 {
			newest = name
		}
	}
	return newest, nil
}

// fetchKernel unpacks the newest package of a version into the cache.
func (c *cache) fetchKernel(ctx context.Context, version string) (release string, err error) {
	repo, err := c.repository()
	if err != nil {
		return "", err
	}
	for _, suite := range kernelSuites() {
		index, err := repo.Index(ctx, suite)
		if err != nil {
			return "", err
		}
		if image, release, ok := newestKernel(index, version); ok {
			packages := kernelPackages(index, image, release)
			return release, repo.Unpack(ctx, packages, filepath.Join(c.dir, "kernels", release))
		}
	}
	return "", fmt.Errorf("no package in Debian's suites %s", strings.Join(kernelSuites(), ", "))
}

func newestKernel(index *debian.Index, version string) (image debian.Package, release string, ok bool) {
	for _, flavour := range flavours() {
		image, ok = index.Newest(func(name string) bool {
			release, isImage := strings.CutPrefix(name, "linux-image-")
			plain, isFlavour := strings.CutSuffix(release, flavour)
			return isImage && isFlavour && isReleaseOf(release, version) &&
				!strings.HasSuffix(plain, "-rt") && !strings.HasSuffix(plain, "-cloud")
		})
		if ok {
			return image, strings.TrimPrefix(image.Name, "linux-image-"), true
		}
	}
	return image, "", false
}

// kernelPackages adds the parts into which kernels are split since Linux 7.
func kernelPackages(index *debian.Index, image debian.Package, release string) []debian.Package {
	packages := []debian.Package{image}
	for _, alternatives := range image.Depends {
		for _, name := range alternatives {
			if p, ok := index.Lookup(name); ok && strings.HasSuffix(name, "-"+release) {
				packages = append(packages, p)
			}
		}
	}
	return packages
}

// isVersion accepts "6.1" or "6.12.94".
func isVersion(s string) bool {
	parts := strings.Split(s, ".")
	return len(parts) >= 2 && !slices.ContainsFunc(parts, func(part string) bool {
		return part == "" || strings.Trim(part, "0123456789") != ""
	})
}

// isReleaseOf tells whether a release such as "6.1.0-50-cloud-amd64" belongs to
// a version such as "6.1".
func isReleaseOf(release, version string) bool {
	rest, ok := strings.CutPrefix(release, version)
	return ok && (rest == "" || strings.IndexByte(".+-", rest[0]) >= 0)
}

// modules returns the kernel's modules of these names in load order.
func (k *Kernel) modules(names []string) ([]kmod.Module, error) {
	tree, err := kmod.Open(os.DirFS(k.Modules))
	if err != nil {
		return nil, fmt.Errorf("vmtest: kernel %s: %w", k.Release, err)
	}
	modules, err := tree.Closure(names...)
	if err != nil {
		return nil, fmt.Errorf("vmtest: kernel %s: %w", k.Release, err)
	}
	return modules, nil
}
