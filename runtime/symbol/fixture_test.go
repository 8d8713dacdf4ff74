package symbol

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The program prints "NAME ADDRESS" lines for places inside its functions, "ready", and waits for its input to end; a line on its input
// makes it load the library named there or, with "exec ", run another program.
const fixtureSource = `
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
int counter = 17;
static short small = 3;
__attribute__((noinline)) int exported(int n) { __asm__ volatile("nop; nop"); return n + 1; }
static __attribute__((noinline)) int hidden(int n) { __asm__ volatile("nop; nop"); return n + 2; }
static void place(const char *name, void *p) { printf("%s %lx\n", name, (unsigned long)p); }
int main(int argc, char **argv) {
  char line[4096];
  exported(hidden(argc));
  place("exported", (char *)exported + 1);
  place("hidden", (char *)hidden + 1);
  place("main", (void *)main);
  place("counter", &counter);
  place("small", &small);
  place("vdso", (void *)getauxval(33));
  puts("ready"); fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (!strncmp(line, "exec ", 5)) execl(line + 5, line + 5, (char *)0);
    void *lib = dlopen(line, RTLD_NOW);
    place("late_function", lib ? dlsym(lib, "late_function") : 0);
    puts("ready"); fflush(stdout);
  }
}
`

const librarySource = `int late_function(int n) { return n * 3; }`

// asmSource has aliases of one function and functions without a size.
const asmSource = `
.text
.globl inside, global_label, sized, weak_alias, __underscored, global_alias
.weak weak_alias
.type sized,@function
.type local_alias,@function
.type weak_alias,@function
.type __underscored,@function
.type global_alias,@function
.type no_size,@function
.type inner,@function
.type last,@function
local_alias: weak_alias: __underscored: global_alias:
  .fill 16,1,0x90
  ret
.size local_alias,17
.size weak_alias,17
.size __underscored,17
.size global_alias,17
no_size:
  .fill 32,1,0x90
sized:
  .fill 2,1,0x90
inside:
  .fill 2,1,0x90
inner:
  .fill 4,1,0x90
inner_end:
  .fill 8,1,0x90
sized_end:
.size inner, inner_end-inner
.size sized, sized_end-sized
  .fill 16,1,0x90
last:
  .fill 8,1,0x90
global_label:
  .fill 8,1,0x90
local_label:
  .fill 8,1,0x90
.section .note.GNU-stack,"",@progbits
`

// compile builds a fixture in a directory of its own; the test is skipped where there is no compiler.
func compile(t testing.TB, file, source string, flags ...string) string {
	t.Helper()
	gcc := need(t, "gcc")
	dir := t.TempDir()
	src, out := filepath.Join(dir, file), filepath.Join(dir, strings.TrimSuffix(file, filepath.Ext(file)))
	if err := os.WriteFile(src, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, gcc, append([]string{"-O1", src, "-o", out}, flags...)...)
	return out
}

func need(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Skipf("needs %s: %v", tool, err)
	}
	return path
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// target is a running fixture.
type target struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	place map[string]uint64
}

func start(t *testing.T, program string) *target {
	t.Helper()
	cmd := exec.Command(program)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tg := &target{t: t, cmd: cmd, in: in, out: bufio.NewScanner(out)}
	t.Cleanup(tg.stop)
	tg.read()
	return tg
}

func (tg *target) read() {
	tg.t.Helper()
	tg.place = make(map[string]uint64)
	for tg.out.Scan() {
		if tg.out.Text() == "ready" {
			return
		}
		name, hex, _ := strings.Cut(tg.out.Text(), " ")
		addr, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			tg.t.Fatalf("fixture printed %q", tg.out.Text())
		}
		tg.place[name] = addr
	}
	tg.t.Fatal("the fixture ended early")
}

// tell sends a command and reads the places printed for it.
func (tg *target) tell(line string) {
	tg.t.Helper()
	if _, err := io.WriteString(tg.in, line+"\n"); err != nil {
		tg.t.Fatal(err)
	}
	tg.read()
}

func (tg *target) stop() {
	tg.in.Close()
	_ = tg.cmd.Wait() // the exit code of the fixture says nothing
}

func (tg *target) process() Process { return Process{PID: tg.cmd.Process.Pid} }

// name looks a place up, "?" when it is unknown.
func (tg *target) name(u *User, place string) string {
	tg.t.Helper()
	addr, ok := tg.place[place]
	if !ok || addr == 0 {
		tg.t.Fatalf("the fixture printed no address for %s", place)
	}
	if s, ok := u.Lookup(tg.process(), addr); ok {
		return s.Name
	}
	return "?"
}

func liveUser(opt UserOptions) *User {
	opt.Proc, opt.Root = os.DirFS("/proc"), os.DirFS("/")
	return NewUser(opt)
}
