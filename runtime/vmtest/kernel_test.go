package vmtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/debian"
)

func TestIsVersion(t *testing.T) {
	for text, want := range map[string]bool{
		"6.1": true, "6.12.94": true, "7": false, "": false, "6.": false, ".1": false, "6.1-rc1": false, "../6.1": false, "6.x": false,
	} {
		if got := isVersion(text); got != want {
			t.Errorf("isVersion(%q) = %v", text, got)
		}
	}
}

func TestIsReleaseOf(t *testing.T) {
	for _, release := range []string{"6.1", "6.1.0-50-cloud-amd64", "6.1-cloud-amd64", "6.1+deb12-amd64"} {
		if !isReleaseOf(release, "6.1") {
			t.Errorf("%s does not belong to 6.1", release)
		}
	}
	for _, release := range []string{"", "6", "6.12.94+deb13-cloud-amd64", "16.1.0", "6.10"} {
		if isReleaseOf(release, "6.1") {
			t.Errorf("%s belongs to 6.1", release)
		}
	}
}

// kernelIndex makes an index of packages, given as "name version".
func kernelIndex(t *testing.T, packages ...string) *debian.Index {
	t.Helper()
	var text strings.Builder
	for _, p := range packages {
		name, version, _ := strings.Cut(p, " ")
		text.WriteString("Package: " + name + "\nVersion: " + version + "\nFilename: pool/x.deb\nSize: 1\nSHA256: " +
			strings.Repeat("0", 64) + "\nDepends: kmod, linux-binary-7.2.12+deb14-cloud-amd64 (= 1) | fantasy\n\n")
	}
	index, err := debian.ParseIndex(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestNewestKernel(t *testing.T) {
	tests := []struct {
		name, version, want string
		packages            []string
	}{
		{"highest version", "6.1", "6.1.0-50-cloud-amd64", []string{
			"linux-image-6.1.0-9-cloud-amd64 6.1.9-1", "linux-image-6.1.0-50-cloud-amd64 6.1.176-1",
			"linux-image-6.12.1+deb13-cloud-amd64 6.12.1-1"}},
		{"cloud before generic", "6.1", "6.1.0-9-cloud-amd64", []string{
			"linux-image-6.1.0-10-amd64 6.1.10-1", "linux-image-6.1.0-9-cloud-amd64 6.1.9-1"}},
		{"generic, not real-time", "6.1", "6.1.0-9-amd64", []string{
			"linux-image-6.1.0-9-rt-amd64 6.1.9-2", "linux-image-6.1.0-9-amd64 6.1.9-1"}},
		{"unsigned and debug images are none", "6.1", "", []string{
			"linux-image-6.1.0-9-cloud-amd64-unsigned 6.1.9-1", "linux-image-6.1.0-9-cloud-amd64-dbg 6.1.9-1",
			"linux-headers-6.1.0-9-cloud-amd64 6.1.9-1"}},
	}
	for _, tt := range tests {
		_, release, ok := newestKernel(kernelIndex(t, tt.packages...), tt.version)
		if release != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, release, ok, tt.want)
		}
	}
}

func TestSplitKernelPackage(t *testing.T) {
	index := kernelIndex(t, "linux-image-7.2.12+deb14-cloud-amd64 1", "linux-binary-7.2.12+deb14-cloud-amd64 1", "kmod 1")
	image, release, _ := newestKernel(index, "7.2")
	var names []string
	for _, p := range kernelPackages(index, image, release) {
		names = append(names, p.Name)
	}
	want := "linux-image-7.2.12+deb14-cloud-amd64 linux-binary-7.2.12+deb14-cloud-amd64"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("packages %q, want %q", got, want)
	}
}

func TestKernelAt(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/boot/vmlinuz-6.1.0", "a/lib/modules/6.1.0/x", "b/usr/lib/modules/7.2.1/vmlinuz", "c/boot/vmlinuz-6.1.0", "c/bzImage"} {
		writeFile(t, filepath.Join(dir, name))
	}
	for image, want := range map[string]Kernel{
		"a/boot/vmlinuz-6.1.0":            {Release: "6.1.0", Modules: "a/lib/modules/6.1.0", Config: "a/boot/config-6.1.0"},
		"b/usr/lib/modules/7.2.1/vmlinuz": {Release: "7.2.1", Modules: "b/usr/lib/modules/7.2.1", Config: "b/usr/lib/modules/7.2.1/config"},
	} {
		got, err := kernelAt(filepath.Join(dir, image))
		want.Image, want.Modules, want.Config = filepath.Join(dir, image), filepath.Join(dir, want.Modules), filepath.Join(dir, want.Config)
		if err != nil || *got != want {
			t.Errorf("%s: %+v, %v", image, got, err)
		}
	}
	for _, image := range []string{"c/boot/vmlinuz-6.1.0", "c/bzImage", "absent/vmlinuz"} {
		if got, err := kernelAt(filepath.Join(dir, image)); err == nil {
			t.Errorf("%s: accepted as %+v", image, got)
		}
	}
}

func writeFile(t *testing.T, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
}
