package gotrace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// own selects what an iterator finds of the process that reads it, its first
// thread.
const own = "ctx.task.tgid == pid && ctx.task.pid == ctx.task.tgid"

// requireIter skips a test where the kernel lacks an iterator.
func requireIter(t *testing.T, kind string) {
	t.Helper()
	hosttest.RequireBPF(t)
	if _, err := gotrace.Compile("stdin", "iter:"+kind+" { }", nil); err != nil {
		t.Skipf("needs the iterator %s: %v", kind, err)
	}
}

// requireBPFFS skips a test that can not have the BPF file system.
func requireBPFFS(t *testing.T) {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs("/sys/fs/bpf", &st); err != nil {
		t.Skipf("needs the BPF file system: %v", err)
	}
	if st.Type == unix.BPF_FS_MAGIC {
		return
	}
	if err := unix.Mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"); err != nil {
		t.Skipf("the BPF file system is not mounted and can not be: %v", err)
	}
}

// pinIter runs an iterator, which gets the attach point iter:kind:pin, and
// returns the file that is left.
func pinIter(t *testing.T, kind, body string, opt gotrace.OptLevel) string {
	t.Helper()
	name := fmt.Sprintf("gotrace_test_%d", os.Getpid())
	path := filepath.Join("/sys/fs/bpf", name)
	t.Cleanup(func() { os.Remove(path) })
	o := runScript(t, fmt.Sprintf("iter:%s:%s { %s }", kind, name, body), &gotrace.Config{Opt: opt}, gotrace.RunOptions{})
	if !strings.Contains(o.out+o.err, "Program pinned to "+path) {
		t.Fatalf("output %q, messages %q", o.out, o.err)
	}
	return path
}

// readTwice reads a file, which must give the same text each time.
func readTwice(t *testing.T, path string) string {
	t.Helper()
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(path)
	if err != nil || string(second) != string(first) {
		t.Errorf("read again: %q, %v, after %q", second, err, first)
	}
	return string(first)
}

// The kernel formats what a pinned iterator prints, as gotrace has ended.
func TestRunPinnedIterator(t *testing.T) {
	requireIter(t, "task")
	requireBPFFS(t)
	comm := ownComm(t)
	long := strings.Repeat("long ", 60)
	for _, tt := range []struct{ name, body, want string }{
		{"process", `printf("%d %s\n", ctx.task.tgid == pid, ctx.task.comm);`, "1 " + comm + "\n"},
		{"integers", `printf("%d %u %x %X %i|%5d|%-5d|%05d|%+d\n", -1, -1, 255, 255, 7, 42, 42, 42, 42);`,
			"-1 4294967295 ff FF 7|   42|42   |00042|+42\n"},
		{"lengths", `printf("%hhd %hd %ld %llu %d\n", 300, 70000, 5000000000, (uint64)-1, 5000000000);`,
			"44 4464 5000000000 18446744073709551615 705032704\n"},
		{"numbers as text", `printf("%s %s %s %s\n", -1, (uint64)-1, true, 1 > 2);`, "-1 18446744073709551615 true false\n"},
		{"pointers", `printf("%p %s\n", 4096, (int8 *)4096);`, "0x1000 0x1000\n"},
		{"text", `$s = "abc"; printf("%s|%5s|%-5s|%2s|%c%3c\n", $s, $s, $s, $s, 65, 66);`, "abc|  abc|abc  |abc|A  B\n"},
		{"letters behind text", `$s = "abc"; printf("%sdef%s%d%s9\n", $s, $s, 1, $s);`, "abcdefabc1abc9\n"},
		{"percent signs and other bytes", `printf("100%% é \x1b[0m%%d\t%d\n", 1);`, "100% é \x1b[0m%d\t1\n"},
		{"many arguments", `printf("` + strings.Repeat("%d ", 30) + `\n"` + strings.Repeat(", 7", 30) + ");", strings.Repeat("7 ", 30) + "\n"},
		{"many strings", `printf("` + strings.Repeat("%s ", 15) + `\n"` + strings.Repeat(", ctx.task.comm", 15) + ");",
			strings.Repeat(comm+" ", 15) + "\n"},
		{"long text", `$s = "` + long + `"; printf("[%s] [%9s] %d\n", $s, $s, 1);`, "[" + long + "] [" + long + "] 1\n"},
		{"padding of what may be long", `$s = str(ctx.task.comm); printf("[%20s] [%-20s] [%s]\n", $s, $s, $s);`,
			fmt.Sprintf("[%20s] [%-20s] [%s]\n", comm, comm, comm)},
		{"order of effects", `$n = 1; printf("%d %d %d\n", $n++, $n++, $n);`, "1 2 3\n"},
		{"several calls and a loop", `printf("a"); for ($i : 0..300) { if ($i > 297) { printf(" %d", $i); } } printf("\n");`, "a 298 299\n"},
		{"map as state", `@a[1] = 5; @n = 2; @n += @a[1]; printf("%d %d\n", @a[1], @n);`, "5 7\n"},
	} {
		for _, opt := range []gotrace.OptLevel{gotrace.OptFull, gotrace.OptNone} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, opt), func(t *testing.T) {
				path := pinIter(t, "task", "if ("+own+") { "+tt.body+" }", opt)
				if got := readTwice(t, path); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// ownComm returns the name of the first thread of the test.
func ownComm(t *testing.T) string {
	t.Helper()
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(comm), "\n")
}

// A walk over many objects takes several reads, each of which begins where the
// last one ended.
func TestRunPinnedIteratorLong(t *testing.T) {
	requireIter(t, "task_file")
	requireBPFFS(t)
	name, files := openFile(t), 1000
	path := pinIter(t, "task_file", `if (ctx.task.tgid == pid) { printf("%-99d.\n", ctx.fd); }`, gotrace.OptFull)
	for range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	out, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	slices.Sort(lines)
	if got := slices.Compact(slices.Clone(lines)); len(got) != len(lines) || len(got) < files {
		t.Errorf("%d files are listed by %d lines, want at least %d", len(got), len(lines), files)
	}
}

// openFile opens a new file until the test ends, and returns its path.
func openFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "held open")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return name
}

// The path of a file that an iterator finds, however the script has come by it.
func TestRunIteratorPath(t *testing.T) {
	requireIter(t, "task_file")
	if !host.Live().Features().Release().AtLeast(5, 12) {
		t.Skip("path() in iterators came with Linux 5.12")
	}
	name := openFile(t)
	for _, body := range []string{
		`if (ctx.task.tgid == pid) { printf("%s\n", path(ctx.file.f_path)); }`,
		`if (ctx.task.tgid == pid) { if (ctx.file != 0) { printf("%s\n", path(ctx.file.f_path)); } }`,
		`$f = ctx.file; if ($f == 0) { return; } if (ctx.task.tgid == pid) { printf("%s\n", path($f.f_path)); }`,
	} {
		o := runScript(t, "iter:task_file { "+body+" }", nil, gotrace.RunOptions{})
		if !slices.Contains(strings.Split(o.out, "\n"), name) {
			t.Errorf("%s: no %s in %q", body, name, o.out)
		}
	}
}

// The files that a process has mapped are found by their areas; areas without a
// file have no path.
func TestRunIteratorPathOfArea(t *testing.T) {
	requireIter(t, "task_vma")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := runScript(t, `iter:task_vma { if (ctx.task.tgid == pid) { printf("%s|\n", path(ctx.vma.vm_file.f_path)); } }`, nil, gotrace.RunOptions{})
	if lines := strings.Split(o.out, "\n"); !slices.Contains(lines, self+"|") || !slices.Contains(lines, "|") {
		t.Errorf("output %q, want %q and areas without a path", o.out, self)
	}
}
