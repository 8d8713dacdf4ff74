// Package host is the one door through which facts about a machine reach the
// compiler and the probes.
//
// Input is the running system (Live) or a recorded one (New with a Config, see
// package hosttest); output are the facts as plain values, files behind fs.FS,
// and the kernel's types as *ktypes.Kernel. Nothing is read before it is asked
// for, and each fact is read at most once. A Host is safe for concurrent use.
package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/ktypes"
)

// Config says where a Host takes its facts from.
type Config struct {
	// Arch is the machine in the words of GOARCH, Release the kernel's release
	// (uname -r).
	Arch, Release string
	// Root is the file system with absolute paths less the leading slash; Proc
	// and Sys are /proc and /sys.
	Root, Proc, Sys fs.FS
	// Tracefs opens the tracing file system.
	Tracefs func() (fs.FS, error)
	// BTF loads the kernel's types, ModuleBTF those of one module. RawBTF, which
	// may be nil, reads the kernel's types as the kernel presents them: names
	// are then found without decoding all types.
	BTF       func() (*btf.Spec, error)
	RawBTF    func() ([]byte, error)
	ModuleBTF func(module string) (*btf.Spec, error)
	// BTFCache holds decoded types for the library that loads programs; nil: it
	// decodes them again.
	BTFCache *btf.Cache
	// Programs lists the loaded BPF programs; nil: there are none.
	Programs func() ([]BPFProgram, error)
	// Getenv looks up an environment variable.
	Getenv func(string) string
	// Dir is the working directory.
	Dir string
}

// Host is a machine.
type Host struct {
	cfg      Config
	kernel   *ktypes.Kernel
	tracefs  func() (fs.FS, error)
	cpus     func() (cpus, error)
	modules  func() []string
	features *Features
}

type cpus struct{ possible, online []int }

// New returns a Host for the facts in cfg.
func New(cfg Config) *Host {
	h := &Host{cfg: cfg, kernel: ktypes.New(cfg.BTF), tracefs: sync.OnceValues(cfg.Tracefs)}
	if cfg.RawBTF != nil {
		h.kernel.UseRaw(cfg.RawBTF)
	}
	h.features = &Features{host: h, release: parseRelease(cfg.Release)}
	h.cpus = sync.OnceValues(h.readCPUs)
	h.modules = sync.OnceValue(h.addModules)
	return h
}

// Arch is the machine in the words of GOARCH.
func (h *Host) Arch() string { return h.cfg.Arch }

// Release is the kernel's release, as uname -r prints it.
func (h *Host) Release() string { return h.cfg.Release }

// Kernel gives the kernel's types. They are loaded at the first question.
func (h *Host) Kernel() *ktypes.Kernel { return h.kernel }

// KernelWithModules is Kernel with the types of all loaded modules added.
func (h *Host) KernelWithModules() *ktypes.Kernel {
	h.modules()
	return h.kernel
}

// BTFCache is what loading programs should share with Kernel, so that types are
// decoded once; it may be nil.
func (h *Host) BTFCache() *btf.Cache { return h.cfg.BTFCache }

// BPFProgram is a loaded BPF program that has type information.
type BPFProgram struct {
	ID uint32
	// Func is the name of its main function.
	Func string
}

// Programs lists the loaded BPF programs.
func (h *Host) Programs() ([]BPFProgram, error) {
	if h.cfg.Programs == nil {
		return nil, nil
	}
	return h.cfg.Programs()
}

// Features tells what the kernel can do.
func (h *Host) Features() *Features { return h.features }

// Tracefs is the tracing file system.
func (h *Host) Tracefs() (fs.FS, error) { return h.tracefs() }

// Root is the file system with absolute paths less the leading slash.
func (h *Host) Root() fs.FS { return h.cfg.Root }

// Proc is /proc.
func (h *Host) Proc() fs.FS { return h.cfg.Proc }

// Sys is /sys.
func (h *Host) Sys() fs.FS { return h.cfg.Sys }

// Getenv looks up an environment variable, "" when it is not set.
func (h *Host) Getenv(name string) string {
	if h.cfg.Getenv == nil {
		return ""
	}
	return h.cfg.Getenv(name)
}

// Abs makes a path absolute, relative ones starting at the working directory.
func (h *Host) Abs(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(h.cfg.Dir, path)
	}
	return filepath.Clean(path)
}

// Stat describes a file of the root file system.
func (h *Host) Stat(path string) (fs.FileInfo, error) {
	info, err := fs.Stat(h.cfg.Root, rooted(h.Abs(path)))
	return info, naming(path, err)
}

// ReadDir lists a directory of the root file system.
func (h *Host) ReadDir(path string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(h.cfg.Root, rooted(h.Abs(path)))
	return list, naming(path, err)
}

// naming gives an error about a file the path that was asked for, in place of
// that in the root file system, which begins without a slash.
func naming(path string, err error) error {
	var pe *fs.PathError
	if !errors.As(err, &pe) {
		return err
	}
	return &fs.PathError{Op: pe.Op, Path: path, Err: pe.Err}
}

func rooted(abs string) string {
	if rest := strings.TrimPrefix(abs, "/"); rest != "" {
		return rest
	}
	return "."
}

// NumCPU is the number of processors that may ever be there: the number of
// slots of per-CPU maps.
func (h *Host) NumCPU() (int, error) {
	c, err := h.cpus()
	return len(c.possible), err
}

// OnlineCPUs lists the processors that run, in increasing order.
func (h *Host) OnlineCPUs() ([]int, error) {
	c, err := h.cpus()
	return c.online, err
}

func (h *Host) readCPUs() (c cpus, err error) {
	for _, set := range []struct {
		name string
		to   *[]int
	}{{"possible", &c.possible}, {"online", &c.online}} {
		text, err := fs.ReadFile(h.cfg.Sys, "devices/system/cpu/"+set.name)
		if noSysfs(h.cfg.Sys) {
			return c, fmt.Errorf("number of processors: %w", errNoSysfs)
		}
		if err != nil {
			return c, fmt.Errorf("number of processors: %w", err)
		}
		if *set.to, err = parseCPUs(string(bytes.TrimSpace(text))); err != nil {
			return c, err
		}
	}
	return c, nil
}

// maxCPU bounds the numbers that a processor list may hold; the kernel's limit
// is 8192.
const maxCPU = 1 << 16

// parseCPUs reads a list such as "0-3,5".
func parseCPUs(text string) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || first < 0 || last < first || last >= maxCPU || len(list) > maxCPU {
			return nil, fmt.Errorf("malformed list of processors %q", text)
		}
		for cpu := first; cpu <= last; cpu++ {
			list = append(list, cpu)
		}
	}
	return list, nil
}

// addModules makes the types of the loaded modules known to the kernel's.
func (h *Host) addModules() []string {
	entries, err := fs.ReadDir(h.cfg.Sys, "kernel/btf")
	if err != nil || h.cfg.ModuleBTF == nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if name == "vmlinux" {
			continue
		}
		names = append(names, name)
		h.kernel.AddModule(name, func() (*btf.Spec, error) { return h.cfg.ModuleBTF(name) })
	}
	return names
}
