package vmtest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Environment variables of TestVM.
const (
	envEnable  = "GOTRACE_VM"          // set to 1 to run it
	envKernels = "GOTRACE_VM_KERNELS"  // instead of 6.1,6.12
	envPeer    = "GOTRACE_VM_BPFTRACE" // root of a Debian with bpftrace, to run the cases with that instead of gotrace
	envTests   = "GOTRACE_VM_PACKAGES" // patterns of packages whose tests run too, separated by blanks
)

const (
	defaultKernels = "6.1,6.12"
	maxGuests      = 2 // at a time
	bootLimit      = 5 * time.Minute
	packageLimit   = 10 * time.Minute
)

// tracer is the command under test, in the guest.
type tracer []string

// TestVM boots each kernel once. In the guest it checks this package itself
// ("guest"), runs the cases of testdata ("case") and other packages' tests
// ("package").
func TestVM(t *testing.T) {
	if os.Getenv(envEnable) != "1" {
		t.Skipf("boots virtual machines, which takes minutes: set %s=1", envEnable)
	}
	cases, err := readCases("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string]string{"internal/wire/wire.go": "/etc/sample"}
	tracer := installTracer(t, dir, files)
	installCases(t, dir, files, cases)
	patterns := append([]string{"./internal/cpio"}, strings.Fields(os.Getenv(envTests))...)
	binaries, err := BuildTests(t.Context(), dir, files, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	kernels := defaultKernels
	if list := os.Getenv(envKernels); list != "" {
		kernels = list
	}
	slots := make(chan struct{}, maxGuests)
	for kernel := range strings.SplitSeq(kernels, ",") {
		t.Run(kernel, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			vm := boot(t, Options{Kernel: kernel, Files: files, Log: t.Logf})
			t.Run("guest", func(t *testing.T) { checkGuest(t, vm) })
			t.Run("case", func(t *testing.T) { runCases(t, vm, tracer, cases) })
			t.Run("package", func(t *testing.T) { runPackages(t, vm, binaries) })
		})
	}
}

func boot(t *testing.T, o Options) *VM {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bootLimit)
	defer cancel()
	image, err := Prepare(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { image.Close() })
	vm, err := image.Boot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := vm.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("kernel %s booted in %v", vm.Release, vm.BootTime.Round(time.Millisecond))
	return vm
}

// installTracer builds gotrace for the guest, or takes bpftrace with its
// libraries from another root.
func installTracer(t *testing.T, dir string, files map[string]string) tracer {
	t.Helper()
	root := os.Getenv(envPeer)
	if root == "" {
		program := filepath.Join(dir, "gotrace")
		if err := Build(t.Context(), "github.com/gotrace/gotrace/cmd/gotrace", program); err != nil {
			t.Fatal(err)
		}
		files[program] = "/bin/gotrace"
		return tracer{"gotrace"}
	}
	linker, program := filepath.Join(root, "usr/lib64/ld-linux-x86-64.so.2"), filepath.Join(root, "usr/bin/bpftrace")
	libraries := filepath.Join(root, "usr/lib/x86_64-linux-gnu")
	out, err := exec.Command(linker, "--library-path", libraries, "--list", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	files[linker], files[program] = "/peer/ld.so", "/peer/bpftrace"
	for word := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(word, libraries+"/") {
			files[word] = path.Join("/peer", filepath.Base(word))
		}
	}
	return tracer{"/peer/ld.so", "--library-path", "/peer", "/peer/bpftrace"}
}

func installCases(t *testing.T, dir string, files map[string]string, cases []testCase) {
	t.Helper()
	for _, c := range cases {
		host := filepath.Join(dir, "case", c.name)
		if err := os.MkdirAll(host, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"script.gt": c.script, "workload": c.workload} {
			if err := os.WriteFile(filepath.Join(host, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files[filepath.Join(dir, "case")] = "/case"
}

func runCases(t *testing.T, vm *VM, tracer tracer, cases []testCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			unmet, err := c.unmet(vm.Kernel)
			if err != nil {
				t.Fatal(err)
			}
			if unmet != "" {
				t.Skipf("kernel %s does not meet %q", vm.Release, unmet)
			}
			runCase(t, vm, tracer, c)
		})
	}
}

func runCase(t *testing.T, vm *VM, tracer tracer, c testCase) {
	t.Helper()
	dir := "/case/" + c.name
	args := append(tracer[:len(tracer):len(tracer)], "-q")
	args = append(args, c.args...)
	if c.workload != "" {
		args = append(args, "-c", "/bin/sh "+dir+"/workload")
	}
	status, stdout, stderr, err := capture(t.Context(), vm, c.timeout, append(args, dir+"/script.gt")...)
	if err == nil {
		err = c.judge(status, stdout, stderr)
	}
	if err != nil {
		t.Errorf("%v\n--- stdout\n%s--- stderr\n%s", err, stdout, stderr)
	}
}

func runPackages(t *testing.T, vm *VM, binaries []TestBinary) {
	for _, b := range binaries {
		t.Run(b.Package, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), packageLimit)
			defer cancel()
			var output bytes.Buffer
			status, err := vm.RunTests(ctx, b, &output)
			t.Logf("\n%s", &output)
			if err != nil || status != 0 {
				t.Errorf("status %d, error %v", status, err)
			}
		})
	}
}

func capture(ctx context.Context, vm *VM, limit time.Duration, args ...string) (status int, stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out, errOut bytes.Buffer
	status, err = vm.Exec(ctx, Command{Args: args, Stdout: &out, Stderr: &errOut})
	return status, out.String(), errOut.String(), err
}

// checkGuest checks that the guest keeps the promises of this package.
func checkGuest(t *testing.T, vm *VM) {
	tests := []struct {
		name, script   string
		status         int
		stdout, stderr string
	}{
		{"streams and status", "echo out; echo err >&2; exit 7", 7, "out\n", "err\n"},
		{"end by a signal", "kill -TERM $$", 128 + 15, "", ""},
		{"empty input", "cat; echo end", 0, "end\n", ""},
		{"process left behind", "sleep 1000 & exit 3", 3, "", ""},
		{"nothing is left of it", "pidof sleep || echo none", 0, "none\n", ""},
		{"many bytes", "head -c 3000000 /dev/zero | tr '\\0' x | wc -c; head -c 3000000 /dev/zero | md5sum", 0,
			"3000000\nc9fc2d3dd83ab67a129ac10b09c9ebbb  -\n", ""},
		{"tracing file systems", "ls -d /sys/kernel/tracing/events /sys/kernel/debug/tracing /sys/kernel/btf/vmlinux", 0,
			"/sys/kernel/btf/vmlinux\n/sys/kernel/debug/tracing\n/sys/kernel/tracing/events\n", ""},
		{"other file systems", "mount | grep -c -E ' type (bpf|cgroup2|devpts|proc) '", 0, "4\n", ""},
		{"kernel addresses", "cat /proc/sys/kernel/kptr_restrict /proc/sys/kernel/perf_event_paranoid", 0, "0\n-1\n", ""},
		{"loopback", "(echo hi | nc -l -p 7777 -w 5) & sleep 1; nc -w 5 127.0.0.1 7777 </dev/null", 0, "hi\n", ""},
		{"given file", "head -n 1 /etc/sample | cut -c 1-21", 0, "// Package wire is th\n", ""},
		{"kernel configuration", "grep -c CONFIG_BPF_SYSCALL=y /boot/config-$(uname -r)", 0, "1\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr, err := capture(t.Context(), vm, time.Minute, "sh", "-c", tt.script)
			if err != nil || status != tt.status || stdout != tt.stdout || stderr != tt.stderr {
				t.Errorf("status %d, stdout %q, stderr %q, error %v; want %d, %q, %q",
					status, stdout, stderr, err, tt.status, tt.stdout, tt.stderr)
			}
		})
	}
	t.Run("time limit", func(t *testing.T) {
		status, stdout, _, err := capture(t.Context(), vm, time.Second, "sh", "-c", "echo started; sleep 1000")
		if status != StatusTimeLimit || !errors.Is(err, ErrTimeLimit) || stdout != "started\n" {
			t.Errorf("status %d, stdout %q, error %v", status, stdout, err)
		}
	})
	t.Run("missing program", func(t *testing.T) {
		if status, _, _, err := capture(t.Context(), vm, time.Minute, "/no/such/program"); status != 127 || err == nil {
			t.Errorf("status %d, error %v", status, err)
		}
	})
}
