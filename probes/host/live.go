package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// Live returns the running machine. Should the system refuse to tell its release
// or the working directory, they are empty: the kernel's types then decide about
// features, and relative paths start at the root.
func Live() *Host {
	var uts unix.Utsname
	release := ""
	if unix.Uname(&uts) == nil {
		release = unix.ByteSliceToString(uts.Release[:])
	}
	dir, err := os.Getwd()
	if err != nil {
		dir = "/"
	}
	cache := btf.NewCache()
	sys := os.DirFS("/sys")
	return New(Config{
		Arch:    runtime.GOARCH,
		Release: release,
		Root:    os.DirFS("/"),
		Proc:    os.DirFS("/proc"),
		Sys:     sys,
		Tracefs: liveTracefs,
		BTF: func() (*btf.Spec, error) {
			spec, err := cache.Kernel()
			return spec, explainBTF(sys, err)
		},
		RawBTF:    func() ([]byte, error) { return os.ReadFile("/sys/kernel/btf/vmlinux") },
		ModuleBTF: cache.Module,
		BTFCache:  cache,
		Programs:  livePrograms,
		Getenv:    os.Getenv,
		Dir:       dir,
	})
}

// The two places where the tracing file system is found, the newer one first.
const (
	tracefsDir = "/sys/kernel/tracing"
	debugfsDir = "/sys/kernel/debug/tracing"
)

// liveTracefs finds the tracing file system and mounts it where it is missing.
func liveTracefs() (fs.FS, error) {
	for _, dir := range []string{tracefsDir, debugfsDir} {
		if isTracefs(dir) {
			return os.DirFS(dir), nil
		}
	}
	if noSysfs(os.DirFS("/sys")) {
		return nil, errNoSysfs
	}
	if err := unix.Mount("tracefs", tracefsDir, "tracefs", 0, ""); err != nil {
		if errors.Is(err, unix.EPERM) {
			return nil, fmt.Errorf("%s is not mounted and mounting it needs root: %w", tracefsDir, err)
		}
		return nil, fmt.Errorf("%w: %w", errNoTracefs, err)
	}
	return os.DirFS(tracefsDir), nil
}

func isTracefs(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && st.Type == unix.TRACEFS_MAGIC
}

// livePrograms lists the loaded programs; those without type information, which
// can not be traced, and those that vanish meanwhile are left out.
func livePrograms() ([]BPFProgram, error) {
	var list []BPFProgram
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list of BPF programs: %w", err)
		}
		id = next
		if name, err := mainFunc(id); err == nil {
			list = append(list, BPFProgram{ID: uint32(id), Func: name})
		}
	}
}

func mainFunc(id ebpf.ProgramID) (string, error) {
	prog, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return "", err
	}
	defer prog.Close()
	info, err := prog.Info()
	if err != nil {
		return "", err
	}
	funcs, err := info.FuncInfos()
	if err != nil {
		return "", err
	}
	if len(funcs) == 0 {
		return "", os.ErrNotExist
	}
	return funcs[0].Func.Name, nil
}
