package vmtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/cpio"
	"github.com/gotrace/gotrace/runtime/vmtest/internal/kmod"
	"github.com/gotrace/gotrace/runtime/vmtest/internal/wire"
)

const agentPackage = "github.com/gotrace/gotrace/runtime/vmtest/internal/agent"

// bootModules lead to the host. Some kernels have them built in.
func bootModules() []string { return []string{"virtio_pci", "virtio_console"} }

// Image is a guest that is ready to boot: everything has been fetched, built
// and packed. It can be booted any number of times.
type Image struct {
	Kernel *Kernel

	options  Options
	emulator emulator
	dir      string // temporary, holds the initramfs
}

// Prepare makes the image of a guest. It can take minutes when QEMU or the
// kernel have to be fetched first. The caller must Close it.
func Prepare(ctx context.Context, o Options) (*Image, error) {
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.CPUs == 0 {
		o.CPUs = DefaultCPUs
	}
	if o.BootTimeout == 0 {
		o.BootTimeout = DefaultBootTimeout
	}
	image := &Image{options: o}
	busybox, err := image.fetch(ctx)
	if err != nil {
		return nil, err
	}
	if image.dir, err = os.MkdirTemp("", "vmtest-"); err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	if err := image.pack(ctx, busybox); err != nil {
		return nil, errors.Join(err, image.Close())
	}
	return image, nil
}

// Close removes the image's files.
func (i *Image) Close() error { return os.RemoveAll(i.dir) }

func (i *Image) initramfs() string { return filepath.Join(i.dir, "initramfs") }

// fetch finds or fetches the parts that do not depend on the test.
func (i *Image) fetch(ctx context.Context) (busybox string, err error) {
	cache, err := openCache(i.options.Log)
	if err != nil {
		return "", err
	}
	defer cache.Close()
	if i.emulator, err = cache.emulator(ctx); err != nil {
		return "", err
	}
	if i.Kernel, err = cache.kernel(ctx, i.options.Kernel); err != nil {
		return "", err
	}
	return cache.busybox(ctx)
}

func (i *Image) pack(ctx context.Context, busybox string) error {
	agent := filepath.Join(i.dir, "agent")
	if err := Build(ctx, agentPackage, agent); err != nil {
		return err
	}
	modules, err := i.Kernel.modules(slices.Concat(bootModules(), i.options.Modules))
	if err != nil {
		return err
	}
	file, err := os.Create(i.initramfs())
	if err != nil {
		return fmt.Errorf("vmtest: %w", err)
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	files := map[string]string{agent: "/init", busybox: "/bin/busybox", i.Kernel.Config: "/boot/config-" + i.Kernel.Release}
	err = errors.Join(
		writeInitramfs(cpio.NewWriter(buffered), modules, files, i.options.Files),
		buffered.Flush())
	if err != nil {
		return fmt.Errorf("vmtest: initramfs: %w", err)
	}
	return nil
}

func writeInitramfs(w *cpio.Writer, modules []kmod.Module, fileSets ...map[string]string) error {
	var config wire.Config
	for _, module := range modules {
		name := "/.vmtest/modules/" + module.Name + ".ko"
		if err := w.Bytes(name, 0o644, module.Image); err != nil {
			return err
		}
		config.Modules = append(config.Modules, name)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	if err := w.Bytes(wire.ConfigPath, 0o644, text); err != nil {
		return err
	}
	for _, dir := range []string{"/proc", "/sys", "/dev", "/etc", "/var/tmp"} {
		if err := w.Dir(dir); err != nil {
			return err
		}
	}
	for _, files := range fileSets {
		for host, guest := range files {
			if err := addTree(w, host, guest); err != nil {
				return err
			}
		}
	}
	return w.Close()
}

// addTree adds a file or directory of the host.
func addTree(w *cpio.Writer, host, guest string) error {
	if !path.IsAbs(guest) {
		return fmt.Errorf("path %q in the guest is not absolute", guest)
	}
	host, err := filepath.EvalSymlinks(host)
	if err != nil {
		return err
	}
	return filepath.WalkDir(host, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(host, file)
		if err != nil {
			return err
		}
		return addEntry(w, file, path.Join(guest, filepath.ToSlash(below)), entry)
	})
}

func addEntry(w *cpio.Writer, file, name string, entry fs.DirEntry) error {
	switch entry.Type() {
	case fs.ModeDir:
		return w.Dir(name)
	case fs.ModeSymlink:
		target, err := os.Readlink(file)
		if err != nil {
			return err
		}
		return w.Symlink(name, target)
	case 0:
		content, err := os.Open(file)
		if err != nil {
			return err
		}
		defer content.Close()
		info, err := content.Stat()
		if err != nil {
			return err
		}
		return w.File(name, info.Mode(), content, info.Size())
	default:
		return fmt.Errorf("%s is neither a file, a directory nor a symbolic link", file)
	}
}
