package main

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

type mount struct{ kind, target, options string }

// earlyMounts are needed to reach the host at all.
func earlyMounts() []mount {
	return []mount{
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"devtmpfs", "/dev", ""},
	}
}

func lateMounts() []mount {
	return []mount{
		{"devpts", "/dev/pts", "ptmxmode=666"},
		{"tmpfs", "/dev/shm", ""},
		{"tmpfs", "/tmp", ""},
		{"tmpfs", "/run", ""},
		{"tracefs", "/sys/kernel/tracing", ""},
		{"debugfs", "/sys/kernel/debug", ""},
		{"bpf", "/sys/fs/bpf", ""},
		{"cgroup2", "/sys/fs/cgroup", ""},
	}
}

func mountAll(mounts []mount) error {
	for _, m := range mounts {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.target, m.kind, 0, m.options); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.target, err)
		}
	}
	return nil
}

// setup lists what makes a booted guest fit for tracing. The steps do not
// depend on each other's success.
func setup() []func() error {
	return []func() error{
		func() error { return mountAll(lateMounts()) },
		func() error { return setting("/proc/sys/kernel/kptr_restrict", "0") },
		func() error { return setting("/proc/sys/kernel/perf_event_paranoid", "-1") },
		func() error { return setting("/proc/sys/kernel/hostname", "vmtest") },
		standardLinks,
		environment,
		loopbackUp,
		installShell,
	}
}

func setting(file, value string) error { return os.WriteFile(file, []byte(value), 0o644) }

// standardLinks makes the links that programs expect in /dev.
func standardLinks() error {
	for _, link := range [][2]string{
		{"/proc/self/fd", "/dev/fd"},
		{"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"},
		{"/proc/self/fd/2", "/dev/stderr"},
	} {
		if err := os.Symlink(link[0], link[1]); err != nil {
			return err
		}
	}
	return nil
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	return nil
}

// installShell gives the guest busybox's programs under their own names.
func installShell() error {
	if out, err := exec.Command("/bin/busybox", "--install", "-s", "/bin").CombinedOutput(); err != nil {
		return fmt.Errorf("busybox --install: %w: %s", err, out)
	}
	return nil
}

// environment replaces the kernel's for process 1, which all commands inherit.
func environment() error {
	os.Clearenv()
	for _, variable := range [][2]string{{"PATH", "/bin"}, {"HOME", "/root"}, {"TERM", "dumb"}} {
		if err := os.Setenv(variable[0], variable[1]); err != nil {
			return err
		}
	}
	return os.MkdirAll("/root", 0o700)
}
