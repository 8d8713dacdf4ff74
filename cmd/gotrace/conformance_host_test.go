package main_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// hostFeatures tells why the machine lacks what a case requires. Each feature
// is tried once, when the first case asks for it.
type hostFeatures map[string]func() error

func newHostFeatures() hostFeatures {
	h := hostFeatures{}
	for name, try := range hostTrials() {
		h[name] = sync.OnceValue(try)
	}
	return h
}

// assume takes a feature for granted instead of trying it.
func (h hostFeatures) assume(name string) { h[name] = func() error { return nil } }

// lacking says what of the requirements the machine does not have, "" if it has
// all of them.
func (h hostFeatures) lacking(required []string) string {
	var why []string
	for _, name := range required {
		if err := h[name](); err != nil {
			why = append(why, fmt.Sprintf("no %s: %v", name, err))
		}
	}
	return strings.Join(why, "; ")
}

func hostFeatureNames() []string { return slices.Sorted(maps.Keys(hostTrials())) }

func hostTrials() map[string]func() error {
	return map[string]func() error{
		"root":       tryRoot,
		"x86_64":     tryX86,
		"gxx":        func() error { return tryCommand("g++") },
		"dwarf":      func() error { return nil }, // no library or kernel support needed
		"bpf-c":      tryClang,
		"btf":        func() error { return tryFile("/sys/kernel/btf/vmlinux") },
		"percpu-btf": tryPerCPUTypes,
		"kallsyms":   tryKallsyms,
		"kprobe":     func() error { return tryFile("/sys/kernel/tracing/kprobe_events") },
		"fentry":     tryFentry,
		"iter":       tryIter,
		"cgroup2":    tryCgroup2,
		"hardware":   tryHardwareCounter,
		"watchpoint": tryWatchpoint,
		"write-user": func() error { return features.HaveProgramHelper(ebpf.Kprobe, asm.FnProbeWriteUser) },
		"override":   func() error { return features.HaveProgramHelper(ebpf.Kprobe, asm.FnOverrideReturn) },
	}
}

func tryRoot() error {
	if os.Geteuid() != 0 {
		return errors.New("not running as root")
	}
	return nil
}

func tryX86() error {
	if runtime.GOARCH != "amd64" {
		return errors.New("this is " + runtime.GOARCH)
	}
	return nil
}

func tryFile(path string) error {
	_, err := os.Stat(path)
	return err
}

func tryCommand(name string) error {
	_, err := exec.LookPath(name)
	return err
}

// tryClang compiles an empty file for the kernel.
func tryClang() error {
	if err := tryCommand("clang"); err != nil {
		return err
	}
	return exec.Command("clang", "-target", "bpf", "-c", "-x", "c", "/dev/null", "-o", "/dev/null").Run()
}

// tryPerCPUTypes loads a program that names a per-CPU variable which every SMP
// kernel has. The variable must be in BTF, where some versions of pahole leave
// it out, and among the kernel's symbols, where CONFIG_KALLSYMS_ALL puts it.
func tryPerCPUTypes() error {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return err
	}
	var queues *btf.Var
	if err := kernel.TypeByName("runqueues", &queues); err != nil {
		return err
	}
	id, err := kernel.TypeID(queues)
	if err != nil {
		return err
	}
	const pseudoBTFID asm.Register = 3 // BPF_PSEUDO_BTF_ID of linux/bpf.h
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.RawTracepoint, License: "GPL",
		Instructions: asm.Instructions{
			{OpCode: asm.LoadImmOp(asm.DWord), Dst: asm.R1, Src: pseudoBTFID, Constant: int64(id)},
			asm.Mov.Imm(asm.R0, 0),
			asm.Return(),
		},
	})
	if err != nil {
		return err
	}
	return p.Close()
}

// tryKallsyms reads some symbols: without the right to see them, or with
// kptr_restrict, all addresses are zero.
func tryKallsyms() error {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 0; n < 1000 && lines.Scan(); n++ {
		if address, _, _ := strings.Cut(lines.Text(), " "); strings.Trim(address, "0") != "" {
			return nil
		}
	}
	return errors.Join(errors.New("all addresses are hidden"), lines.Err())
}

func tracingProgram(kind ebpf.AttachType, target string) (*ebpf.Program, error) {
	return ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.Tracing, AttachType: kind, AttachTo: target, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
}

func tryFentry() error {
	p, err := tracingProgram(ebpf.AttachTraceFEntry, "do_sys_openat2")
	if err != nil {
		return err
	}
	defer p.Close()
	l, err := link.AttachTracing(link.TracingOptions{Program: p})
	if err != nil {
		return err
	}
	return l.Close()
}

func tryIter() error {
	p, err := tracingProgram(ebpf.AttachTraceIter, "task")
	if err != nil {
		return err
	}
	defer p.Close()
	l, err := link.AttachIter(link.IterOptions{Program: p})
	if err != nil {
		return err
	}
	return l.Close()
}

func tryCgroup2() error {
	var fs unix.Statfs_t
	if err := unix.Statfs("/sys/fs/cgroup", &fs); err != nil {
		return err
	}
	if fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return errors.New("/sys/fs/cgroup is no cgroup2 mount")
	}
	return nil
}

func tryPerfEvent(attr unix.PerfEventAttr) error {
	attr.Size = unix.PERF_ATTR_SIZE_VER1
	attr.Sample = 1_000_000
	attr.Bits = unix.PerfBitDisabled
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func tryHardwareCounter() error {
	return tryPerfEvent(unix.PerfEventAttr{Type: unix.PERF_TYPE_HARDWARE, Config: unix.PERF_COUNT_HW_CPU_CYCLES})
}

// tryWatchpoint sets a debug register to a variable, writes to the variable and
// counts the hits: some hypervisors take the register and never trap.
func tryWatchpoint() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const onWrite, length = 2, 8 // HW_BREAKPOINT_W, HW_BREAKPOINT_LEN_8
	watched := new(atomic.Uint64)
	fd, err := unix.PerfEventOpen(&unix.PerfEventAttr{
		Type: unix.PERF_TYPE_BREAKPOINT, Size: unix.PERF_ATTR_SIZE_VER1, Sample: 1,
		Bp_type: onWrite, Ext1: uint64(uintptr(unsafe.Pointer(watched))), Ext2: length,
	}, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	watched.Store(1)
	var hits [8]byte
	if _, err := unix.Read(fd, hits[:]); err != nil {
		return err
	}
	if binary.NativeEndian.Uint64(hits[:]) == 0 {
		return errors.New("a debug register was set and did not trap")
	}
	return nil
}
