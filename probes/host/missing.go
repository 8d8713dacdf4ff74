package host

import (
	"errors"
	"io/fs"
)

// Errors about file systems of the kernel that are not there.
var (
	errNoBTF     = errors.New("there is no /sys/kernel/btf/vmlinux, which only kernels built with CONFIG_DEBUG_INFO_BTF have")
	errNoSysfs   = errors.New("sysfs is not mounted on /sys (mount -t sysfs sysfs /sys)")
	errNoTracefs = errors.New("no tracing file system: /sys/kernel/tracing and /sys/kernel/debug/tracing are missing and mounting it failed")
)

// noSysfs reports whether sysfs is missing; some of its directories are on any
// kernel.
func noSysfs(sys fs.FS) bool {
	_, err := fs.Stat(sys, "devices")
	return errors.Is(err, fs.ErrNotExist)
}

// explainBTF says why the types of the kernel could not be loaded, as far as
// /sys tells.
func explainBTF(sys fs.FS, err error) error {
	if err == nil {
		return nil
	}
	if noSysfs(sys) {
		return errNoSysfs
	}
	if _, missing := fs.Stat(sys, "kernel/btf/vmlinux"); errors.Is(missing, fs.ErrNotExist) {
		return errNoBTF
	}
	return err
}
