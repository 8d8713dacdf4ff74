package symbol

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUserLookup(t *testing.T) {
	for _, tt := range []struct {
		why    string
		flags  []string
		hidden string
	}{
		{"position independent", []string{"-fPIE", "-pie"}, "hidden"},
		{"at a fixed address", []string{"-fno-pie", "-no-pie"}, "hidden"},
		{"statically linked", []string{"-static"}, "hidden"},
		{"only dynamic symbols", []string{"-fPIE", "-pie", "-rdynamic", "-s"}, "?"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			program := compile(t, "fixture.c", fixtureSource, append(tt.flags, "-w", "-fno-stack-protector")...)
			tg, u := start(t, program), liveUser(UserOptions{})
			s, ok := u.Lookup(tg.process(), tg.place["exported"])
			if !ok || s.Name != "exported" || s.Offset != 1 || s.File != program || s.FileOffset == 0 {
				t.Errorf("exported+1 is %+v, %v", s, ok)
			}
			if got := tg.name(u, "hidden"); got != tt.hidden {
				t.Errorf("hidden is %q, want %q", got, tt.hidden)
			}
			if got := tg.name(u, "counter"); got != "?" {
				t.Errorf("data in a mapping without code is %q", got)
			}
			if _, ok := u.Lookup(tg.process(), 0x10); ok {
				t.Error("0x10 has a name")
			}
		})
	}
}

func TestSeparateDebugFiles(t *testing.T) {
	objcopy := need(t, "objcopy")
	full := compile(t, "fixture.c", fixtureSource, "-w", "-Wl,--build-id=0xabcdef0123")
	debugDir := t.TempDir()
	strip := func(t *testing.T, program string, args ...string) string {
		out := filepath.Join(t.TempDir(), "program")
		run(t, objcopy, append(args, program, out)...)
		return out
	}
	onlyDebug := func(t *testing.T, program, to string) {
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, objcopy, "--only-keep-debug", program, to)
	}
	t.Run("by build id", func(t *testing.T) {
		stripped := strip(t, full, "--strip-all")
		onlyDebug(t, full, filepath.Join(debugDir, ".build-id/ab/cdef0123.debug"))
		if got := start(t, stripped).name(liveUser(UserOptions{DebugDirs: []string{debugDir}}), "hidden"); got != "hidden" {
			t.Errorf("got %q", got)
		}
		if got := start(t, stripped).name(liveUser(UserOptions{DebugDirs: []string{t.TempDir()}}), "hidden"); got != "?" {
			t.Errorf("without the debug file: %q", got)
		}
	})
	noID := compile(t, "fixture.c", fixtureSource, "-w", "-Wl,--build-id=none")
	other := compile(t, "fixture.c", strings.ReplaceAll(fixtureSource, "hidden", "wrong"), "-w", "-Wl,--build-id=none")
	t.Run("by link and checksum", func(t *testing.T) {
		debug := filepath.Join(t.TempDir(), "program.debug")
		onlyDebug(t, noID, debug)
		stripped := strip(t, noID, "--strip-all", "--add-gnu-debuglink="+debug)
		beside := filepath.Join(filepath.Dir(stripped), ".debug", "program.debug")
		onlyDebug(t, other, beside)
		if got := start(t, stripped).name(liveUser(UserOptions{}), "hidden"); got != "?" {
			t.Errorf("with the debug file of another program: %q", got)
		}
		onlyDebug(t, noID, beside)
		if got := start(t, stripped).name(liveUser(UserOptions{}), "hidden"); got != "hidden" {
			t.Errorf("got %q", got)
		}
	})
}

func TestRemovedProgram(t *testing.T) {
	program := compile(t, "fixture.c", fixtureSource, "-w")
	tg := start(t, program)
	if _, err := os.ReadDir("/proc/self/map_files"); err != nil {
		t.Skip(err)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	s, ok := liveUser(UserOptions{}).Lookup(tg.process(), tg.place["hidden"])
	if os.Geteuid() != 0 && !ok {
		t.Skip("opening map_files needs CAP_CHECKPOINT_RESTORE")
	}
	if !ok || s.Name != "hidden" || s.File != program {
		t.Errorf("hidden+1 is %+v, %v", s, ok)
	}
}

func TestVDSO(t *testing.T) {
	tg := start(t, compile(t, "fixture.c", fixtureSource, "-w"))
	u := liveUser(UserOptions{})
	base := tg.place["vdso"]
	if base == 0 {
		t.Skip("the kernel maps no vdso")
	}
	for addr := base; addr < base+0x4000; addr++ {
		if s, ok := u.Lookup(tg.process(), addr); ok {
			if s.File != "[vdso]" || !strings.Contains(s.Name, "vdso") && !strings.Contains(s.Name, "time") {
				t.Errorf("%#x is %+v", addr, s)
			}
			return
		}
	}
	t.Error("no address of the vdso has a name")
}

func TestLibraryLoadedLater(t *testing.T) {
	library := compile(t, "late.c", librarySource, "-shared", "-fPIC")
	tg, u := start(t, compile(t, "fixture.c", fixtureSource, "-w")), liveUser(UserOptions{})
	if got := tg.name(u, "hidden"); got != "hidden" {
		t.Fatalf("got %q", got)
	}
	tg.tell(library)
	if got := tg.name(u, "late_function"); got != "late_function" {
		t.Errorf("got %q", got)
	}
}

func TestExec(t *testing.T) {
	first := compile(t, "fixture.c", fixtureSource, "-w", "-no-pie")
	second := compile(t, "fixture.c", strings.ReplaceAll(fixtureSource, "hidden(int", "obscure(int"), "-w", "-no-pie", "-Dhidden=obscure")
	tg, u := start(t, first), liveUser(UserOptions{})
	if got := tg.name(u, "hidden"); got != "hidden" {
		t.Fatalf("got %q", got)
	}
	tg.tell("exec " + second)
	if got := tg.name(u, "hidden"); got != "obscure" {
		t.Errorf("after exec: %q", got)
	}
}

func TestProcessGone(t *testing.T) {
	program := compile(t, "fixture.c", fixtureSource, "-w", "-no-pie")
	for _, tt := range []struct {
		why      string
		cache    CacheMode
		prefetch bool
		program  string // of the Process looked up afterwards
		samePID  bool
		want     string
	}{
		{"never seen", CachePerPID, false, program, true, "?"},
		{"kept", CachePerPID, true, "", true, "hidden"},
		{"another process of the program", CachePerPID, true, program, false, "?"},
		{"another process of the program, shared", CachePerProgram, true, program, false, "hidden"},
		{"another program, shared", CachePerProgram, true, "/bin/other", false, "?"},
		{"nothing is kept", CacheNone, true, program, true, "?"},
	} {
		u, tg := liveUser(UserOptions{Cache: tt.cache}), start(t, program)
		if got := tg.name(u, "hidden"); tt.prefetch && got != "hidden" {
			t.Fatalf("%s: alive: %q", tt.why, got)
		} else if !tt.prefetch {
			u = liveUser(UserOptions{Cache: tt.cache})
		}
		tg.stop()
		p := Process{PID: tg.cmd.Process.Pid, Program: tt.program}
		if !tt.samePID {
			p.PID = 1 << 23 // above the largest pid
		}
		got := "?"
		if s, ok := u.Lookup(p, tg.place["hidden"]); ok {
			got = s.Name
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}

// What was read before the process ended names its addresses, even when its files are gone.
func TestPrefetch(t *testing.T) {
	program := compile(t, "fixture.c", fixtureSource, "-w")
	for name, prefetch := range map[string]func(*User, *target) error{
		"process": func(u *User, tg *target) error { return u.Prefetch(tg.cmd.Process.Pid) },
		"program": func(u *User, _ *target) error { return u.PrefetchProgram(program) },
	} {
		tg, u := start(t, program), liveUser(UserOptions{})
		if err := prefetch(u, tg); err != nil {
			t.Fatal(err)
		}
		tg.stop()
		u.opt.Root = os.DirFS(t.TempDir())
		if got := tg.name(u, "hidden"); got != "hidden" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if err := liveUser(UserOptions{}).Prefetch(1 << 23); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such process: %v", err)
	}
	if err := liveUser(UserOptions{}).PrefetchProgram("/no/such/program"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such program: %v", err)
	}
}

// Mappings alone, read while the process ran, name its addresses afterwards.
func TestRemember(t *testing.T) {
	program := compile(t, "fixture.c", fixtureSource, "-w")
	for cache, want := range map[CacheMode]string{CachePerPID: "hidden", CacheNone: "?"} {
		u, tg := liveUser(UserOptions{Cache: cache}), start(t, program)
		for range 2 {
			if err := u.Remember(tg.cmd.Process.Pid); err != nil {
				t.Fatal(err)
			}
		}
		tg.stop()
		if err := u.Remember(tg.cmd.Process.Pid); cache != CacheNone && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a process that is gone: %v", err)
		}
		if got := tg.name(u, "hidden"); got != want {
			t.Errorf("cache mode %d: %q, want %q", cache, got, want)
		}
	}
}
