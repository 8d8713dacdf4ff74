package vmtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/wire"
)

const (
	qemuName = "qemu-system-x86_64"

	// minQEMU is the oldest major version accepted from PATH.
	minQEMU = 8

	// agentFD is the number of the file descriptor, in QEMU, that leads to the
	// host: the first behind the standard ones.
	agentFD = 3
)

// emulator is how to call QEMU: the words of the command before its options.
type emulator []string

// emulator finds QEMU: in the cache, where the comparison tools have put one,
// on PATH if it is new enough; else it fetches one.
func (c *cache) emulator(ctx context.Context) (emulator, error) {
	dir := filepath.Join(c.dir, "qemu-system-x86")
	if _, err := os.Stat(dir); err == nil {
		return unpackedQEMU(dir)
	}
	peer := filepath.Join(filepath.Dir(c.dir), "peers", "bin", qemuName)
	for _, candidate := range []string{peer, qemuName} {
		path, err := exec.LookPath(candidate)
		if err != nil {
			continue
		}
		version, err := qemuVersion(ctx, path)
		if err == nil && version >= minQEMU {
			return emulator{path}, nil
		}
		if c.log != nil {
			c.log("passing over %s: version %d, error %v", path, version, err)
		}
	}
	dir, err := c.unpack(ctx, qemuSuite, "qemu-system-x86", true)
	if err != nil {
		return nil, fmt.Errorf("vmtest: QEMU: %w", err)
	}
	return unpackedQEMU(dir)
}

// unpackedQEMU calls the QEMU of an unpacked tree with the tree's own dynamic
// linker and libraries, so that it does not depend on this machine's.
func unpackedQEMU(dir string) (emulator, error) {
	library := filepath.Join(dir, "usr/lib/x86_64-linux-gnu")
	linker, err := firstFile(filepath.Join(library, "ld-linux-x86-64.so.2"),
		filepath.Join(dir, "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"))
	if err != nil {
		return nil, err
	}
	program, err := firstFile(filepath.Join(dir, "usr/bin", qemuName))
	if err != nil {
		return nil, err
	}
	return emulator{
		linker, "--library-path", library + ":" + filepath.Join(dir, "lib/x86_64-linux-gnu"), program,
		"-L", filepath.Join(dir, "usr/share/qemu"), "-L", filepath.Join(dir, "usr/share/seabios"),
	}, nil
}

// qemuVersion asks a QEMU for its major version.
func qemuVersion(ctx context.Context, path string) (int, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return 0, err
	}
	return parseQEMUVersion(string(out))
}

func parseQEMUVersion(text string) (int, error) {
	_, rest, ok := strings.Cut(text, "version ")
	major, _, dot := strings.Cut(rest, ".")
	if !ok || !dot {
		return 0, errors.New("no version in the answer of QEMU")
	}
	return strconv.Atoi(major)
}

// kernelArgs is the guest kernel's command line. Software emulation is slow and
// its clocks drift, hence: no mitigations, trust in the TSC, no crypto self
// tests, and no waiting for RCU's normal grace periods.
const kernelArgs = "console=ttyS0 loglevel=4 panic=-1 oops=panic mitigations=off no5lvl tsc=reliable no_timer_check " +
	"random.trust_cpu=on rcupdate.rcu_expedited=1 cryptomgr.notests audit=0"

// command assembles QEMU's command line. All virtual processors share one host
// thread: with a thread each, kernels from 7 on die while they patch their own
// code. The console goes to QEMU's standard output.
func (e emulator) command(ctx context.Context, kernel *Kernel, initramfs string, memory, cpus int) *exec.Cmd {
	args := append(e[1:len(e):len(e)],
		"-accel", "tcg,thread=single,tb-size=512", "-cpu", "max",
		"-smp", strconv.Itoa(cpus), "-m", strconv.Itoa(memory)+"M",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-rtc", "base=utc",
		"-kernel", kernel.Image, "-initrd", initramfs, "-append", kernelArgs,
		"-chardev", "file,id=console,path=/dev/stdout", "-serial", "chardev:console",
		"-device", "virtio-serial-pci",
		"-chardev", fmt.Sprintf("socket,id=agent,fd=%d", agentFD),
		"-device", "virtserialport,chardev=agent,name="+wire.Port,
	)
	return exec.CommandContext(ctx, e[0], args...)
}
