package probes

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
	"github.com/gotrace/gotrace/probes/provider"
)

func resolve(t *testing.T, text string) []*target.Target {
	t.Helper()
	list, err := New(hosttest.New()).Resolve(text, source.Span{}, target.ResolveOptions{Unsafe: true})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return list
}

func TestNamesOfTargets(t *testing.T) {
	for text, want := range map[string]string{
		"BEGIN":                            "begin",
		"x=eNd":                            "end",
		"test:one":                         "test:one",
		"self:signal:SIGUSR1":              "self:signal:SIGUSR1",
		"i:ms:10":                          "interval:ms:10",
		"interval:10ms":                    "interval:us:10000",
		"interval:10000000":                "interval:us:10000",
		"interval:us:1e4":                  "interval:us:10000",
		"p:hz:99":                          "profile:hz:99",
		"s:cpu-clock:1000000":              "software:cpu-clock:1000000",
		"s:cpu":                            "software:cpu",
		"software:cpu-clock:1ms":           "software:cpu-clock:1000000",
		"hardware:cycles:100us":            "hardware:cycles:100000",
		"w:0x20000000:8:wr":                "watchpoint:0x20000000:8:rw",
		"t:syscalls:sys_enter_dup3":        "tracepoint:syscalls:sys_enter_dup3",
		"t:sysc*:sys_enter_dup3":           "tracepoint:syscalls:sys_enter_dup3",
		"tracepoint:sys_enter_dup*":        "tracepoint:syscalls:sys_enter_dup tracepoint:syscalls:sys_enter_dup2 tracepoint:syscalls:sys_enter_dup3",
		"rt:sys_ent*":                      "rawtracepoint:vmlinux:sys_enter",
		"rawtracepoint:sched_process_exit": "rawtracepoint:vmlinux:sched_process_exit",
		"k:vfs_read":                       "kprobe:vfs_read",
		"kprobe:vmlinux:vfs_read+0x10":     "kprobe:vmlinux:vfs_read+16",
		"kprobe:vfs_*":                     "kprobe:vfs_open kprobe:vfs_read kprobe:vfs_write",
		"kprobe:nf_tables:nf_*":            "kprobe:nf_tables:nf_register",
		"kprobe:0xffffffff81000000":        "kprobe:0xffffffff81000000",
		"kfunc:vfs_read":                   "fentry:vmlinux:vfs_read",
		"fr:vfs_*":                         "fexit:vmlinux:vfs_open fexit:vmlinux:vfs_read fexit:vmlinux:vfs_write",
		"it:task":                          "iter:task",
		"k*:vfs_read":                      "kprobe:vfs_read kretprobe:vfs_read",
	} {
		var names []string
		for _, target := range resolve(t, text) {
			names = append(names, target.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s stands for %s, want %s", text, got, want)
		}
	}
}

func TestErrorsOfAttachPoints(t *testing.T) {
	for _, test := range []struct {
		text string
		kind target.ErrorKind
		word string // in the message or a hint
	}{
		{"BEGIN:x", target.Syntax, "begin"},
		{"profil:hz:1", target.Syntax, "profile"},
		{"test", target.Syntax, "name"},
		{"self:signal:SIGNOTHING", target.Syntax, "SIGUSR1"},
		{"interval:weeks:1", target.Syntax, "unit"},
		{"interval:ms:0", target.Syntax, "positive"},
		{"interval:ms:-5", target.Syntax, "positive"},
		{"interval:s", target.Syntax, "duration"},
		{"interval:s:1e0", target.Syntax, "positive"},
		{"interval:ms:1:2", target.Syntax, "form"},
		{"profile:999", target.Syntax, "1000"},
		{"software:no-such", target.Syntax, "no-such"},
		{"software:cpu-clock:", target.Syntax, "count"},
		{"software:cpu*", target.Syntax, "wildcard"},
		{"watchpoint:0x20000000:8:r", target.Syntax, "mode"},
		{"watchpoint:0x20000000:3:w", target.Syntax, "length"},
		{"watchpoint:0x20000003:8:w", target.Syntax, "aligned"},
		{"watchpoint:0x20000000:8:ww", target.Syntax, "mode"},
		{"tracepoint:sys_enter_dup3", target.Syntax, "CATEGORY"},
		{"tracepoint:sys_enter_dup3", target.Syntax, "did you mean tracepoint:syscalls:sys_enter_dup3?"},
		{"tracepoint:syscalls:dup3", target.Missing, "did you mean tracepoint:syscalls:sys_enter_dup3?"},
		{"tracepoint:syscalls:sys_enter_dup9", target.Missing, "sys_enter_dup"},
		{"tracepoint:shed:sched_switch", target.Missing, "sched"},
		{"tracepoint:../../x:y", target.Missing, "not found"},
		{"tracepoint:syscalls:zzz*", target.Missing, "zzz"},
		{"rawtracepoint:no_such", target.Missing, "no_such"},
		{"kprobe:vfs_reed", target.Missing, "vfs_read"},
		{"kprobe:vfs_read+1+2", target.Syntax, "offset"},
		{"kretprobe:vfs_read+4", target.Syntax, "offset"},
		{"fentry:a:b:c", target.Syntax, "form"},
		{"fentry:bpf", target.Syntax, "name"},
		{"fentry:vfs_rea", target.Missing, "vfs_read"},
		{"iter:task*", target.Syntax, "wildcard"},
		{"iter:tesk", target.Missing, "task"},
		{"uprobe", target.Syntax, "BINARY"},
		{"uprobe:/no/such:main", target.Missing, "/no/such"},
		{"uprobe:/x:fortran:f", target.Syntax, "fortran"},
		{"usdt:x", target.Syntax, "BINARY"},
	} {
		_, err := New(hosttest.New()).Resolve(test.text, source.Span{}, target.ResolveOptions{})
		var why *target.Error
		if !errors.As(err, &why) {
			t.Errorf("%s: error %v", test.text, err)
			continue
		}
		if why.Kind != test.kind || !strings.Contains(why.Msg+strings.Join(why.Hints, " "), test.word) {
			t.Errorf("%s: kind %d, %q %q; want kind %d with %q", test.text, why.Kind, why.Msg, why.Hints, test.kind, test.word)
		}
	}
}

func TestUnsafeTargetsNeedTheOption(t *testing.T) {
	_, err := New(hosttest.New()).Resolve("kprobe:0xffffffff81000000", source.Span{}, target.ResolveOptions{})
	var why *target.Error
	if !errors.As(err, &why) || why.Kind != target.NotAllowed || !strings.Contains(why.Msg, "unsafe") {
		t.Errorf("error %v", err)
	}
}

func TestSystemCallsAreServedByRawTracepoints(t *testing.T) {
	enter := resolve(t, "tracepoint:syscalls:sys_enter_dup3")[0]
	if enter.Program != target.ProgRaw || enter.Syscall == nil || enter.Syscall.Number != 292 || enter.Syscall.CompatMask == 0 {
		t.Fatalf("program %d, %+v", enter.Program, enter.Syscall)
	}
	// oldfd, newfd, flags are the first three arguments: di, si, dx.
	for i, off := range []int{112, 104, 96} {
		loc := enter.Args[i+1].Loc
		if loc.Kind != target.LocRegs || loc.Off != off || loc.Base != 0 {
			t.Errorf("%s lies at %+v", enter.Args[i+1].Name, loc)
		}
	}
	raw := resolve(t, "tracepoint:raw_syscalls:sys_enter")[0]
	if raw.Syscall.Number != -1 || !slices.Equal(raw.Args[1].Loc.CompatOffs, []int{40, 88, 96, 104, 112, 32}) {
		t.Errorf("%+v, args %+v", raw.Syscall, raw.Args)
	}
	exit := resolve(t, "tracepoint:syscalls:sys_exit_dup3")[0]
	if ret := exit.Args[1]; ret.Name != "ret" || ret.Type.String() != "int64" || ret.Loc.Off != 8 {
		t.Errorf("%+v", ret)
	}
}

func TestWithoutTypesSystemCallsAreOrdinaryEvents(t *testing.T) {
	list, err := New(hosttest.NoBTF()).Resolve("tracepoint:syscalls:sys_enter_dup3", source.Span{}, target.ResolveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if list[0].Program != target.ProgTracepoint || list[0].Args[1].Loc.Off != 16 {
		t.Errorf("program %d, %+v", list[0].Program, list[0].Args[1])
	}
}

func TestArgumentsOfKernelFunctions(t *testing.T) {
	fexit := resolve(t, "fexit:vfs_read")[0]
	if len(fexit.Args) != 4 || !fexit.Args[0].Loc.Trusted || fexit.Ret == nil || fexit.Ret.Loc.Off != 32 {
		t.Errorf("args %+v, ret %+v", fexit.Args, fexit.Ret)
	}
	if fentry := resolve(t, "fentry:vfs_read")[0]; fentry.Ret != nil {
		t.Error("fentry has a return value")
	}
	kprobe := resolve(t, "kprobe:vfs_read")[0]
	if len(kprobe.Positional) != 6 || kprobe.Positional[0].Loc.Off != 112 || kprobe.Ret != nil || kprobe.Func.Loc.Kind != target.LocIP {
		t.Errorf("%+v", kprobe)
	}
	cfg := hosttest.Config()
	cfg.Arch = "arm64"
	list, err := New(host.New(cfg)).Resolve("kretprobe:vfs_read", source.Span{}, target.ResolveOptions{})
	if err != nil || list[0].Ret == nil || list[0].Ret.Loc.Off != 0 {
		t.Errorf("arm64: %+v, %v", list, err)
	}
}

func TestListIsSortedAndVerbose(t *testing.T) {
	r := New(hosttest.New())
	var names []string
	for e, err := range r.List("tracepoint:syscalls:sys_exit_dup3,t:syscalls:sys_enter_dup*", target.ResolveOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name)
		if e.Name == "tracepoint:syscalls:sys_enter_dup3" {
			if f, err := e.Fields(); err != nil || len(f) != 4 || f[1] != (provider.FieldText{Type: "unsigned int", Name: "oldfd"}) {
				t.Errorf("fields %q, %v", f, err)
			}
		}
	}
	want := "sys_exit_dup3 sys_enter_dup sys_enter_dup2 sys_enter_dup3"
	if got := strings.ReplaceAll(strings.Join(names, " "), "tracepoint:syscalls:", ""); got != want {
		t.Errorf("listed %s, want %s", got, want)
	}
	types, err := r.ListTypes("struct list_head", true)
	if err != nil || len(types) != 1 || !strings.HasPrefix(types[0].Definition, "vmlinux: struct list_head {\n\tstruct list_head *next;\n") {
		t.Errorf("%q, %v", types, err)
	}
}

// listed returns the names of a listing, and its problems.
func listed(r *Registry, pattern string) (names []string, problems []error) {
	for e, err := range r.List(pattern, target.ResolveOptions{}) {
		if err != nil {
			problems = append(problems, err)
		} else {
			names = append(names, e.Name)
		}
	}
	return names, problems
}

// What can not be looked at is told, and does not keep the rest from being
// listed.
func TestListTellsItsProblems(t *testing.T) {
	r := New(hosttest.New())
	if names, problems := listed(r, "nosuch:*"); len(names) > 0 || len(problems) != 1 {
		t.Errorf("an unknown provider lists %q, %v", names, problems)
	}
	if names, problems := listed(r, "tracepoint:nothing:*,fentry:nothing*,kprobe:nothing*,rawtracepoint:nothing*"); len(names)+len(problems) > 0 {
		t.Errorf("nothing is %q, %v", names, problems)
	}
	if names, problems := listed(r, "*:sys_enter"); len(problems) > 0 || !slices.Equal(names, []string{"rawtracepoint:vmlinux:sys_enter", "tracepoint:raw_syscalls:sys_enter"}) {
		t.Errorf("an event of any provider is %q, %v", names, problems)
	}
	bare := noFunctions()
	for _, kind := range []string{"kprobe", "kretprobe", "fentry", "fexit"} {
		if names, problems := listed(bare, kind+":vfs_*"); len(names) > 0 || len(problems) != 1 || !strings.Contains(problems[0].Error(), kind) {
			t.Errorf("%s without a list of functions: %q, %v", kind, names, problems)
		}
	}
	if names, problems := listed(bare, "*:vfs_read*"); len(names) > 0 || len(problems) != 4 {
		t.Errorf("every kind without a list of functions: %q, %v", names, problems)
	}
	noTypes := New(hosttest.NoBTF())
	names, problems := listed(noTypes, "*sys_enter_dup3")
	if !slices.Equal(names, []string{"tracepoint:syscalls:sys_enter_dup3"}) || len(problems) == 0 {
		t.Errorf("without types: %q, %v", names, problems)
	}
}

// noFunctions is the recorded machine without a list of traceable functions.
func noFunctions() *Registry {
	cfg := hosttest.Config()
	cfg.Tracefs = func() (fs.FS, error) { return fstest.MapFS{"available_events": &fstest.MapFile{}}, nil }
	return New(host.New(cfg))
}

// A wildcard that finds something tells what it could not look at besides; one
// that finds nothing gives that as a hint.
func TestWildcardsTellTheirProblems(t *testing.T) {
	var problems []error
	opt := target.ResolveOptions{Warn: func(err error) { problems = append(problems, err) }}
	r := noFunctions()
	list, err := r.Resolve("*:*sys_enter*", source.Span{}, opt)
	if err != nil || len(list) == 0 || len(problems) == 0 {
		t.Errorf("%d targets, %v; problems %v", len(list), err, problems)
	}
	var why *target.Error
	if _, err = r.Resolve("*:nothing*", source.Span{}, opt); !errors.As(err, &why) || why.Kind != target.Missing || len(why.Hints) == 0 {
		t.Errorf("nothing found: %v with hints %q", err, why.Hints)
	}
	problems = nil
	if _, err := New(hosttest.New()).Resolve("*:*sys_enter*", source.Span{}, opt); err != nil || len(problems) > 0 {
		t.Errorf("all looked at: %v, problems %v", err, problems)
	}
}

// What the kernel fires for all processes alike is told whose events count.
func TestProcessOfKernelProbes(t *testing.T) {
	opt := target.ResolveOptions{Pid: 42}
	for text, want := range map[string]int{
		"tracepoint:syscalls:sys_enter_dup*": 42, "tracepoint:syscalls:sys_enter_dup3": 42, "rawtracepoint:sched_process_exit": 42,
		"kprobe:vfs_read": 42, "fexit:vfs_read": 42, "interval:s:1": 0, "begin": 0,
	} {
		list, err := New(hosttest.New()).Resolve(text, source.Span{}, opt)
		if err != nil || list[0].Pid != want {
			t.Errorf("%s: %v, targets %+v; want process %d", text, err, list, want)
		}
	}
}

// The listing of a script declares arguments as the listing of a pattern does.
func TestDeclarationsOfTargets(t *testing.T) {
	r := New(hosttest.New())
	for _, text := range []string{"tracepoint:syscalls:sys_enter_dup3", "rawtracepoint:vmlinux:sys_enter", "fexit:vmlinux:vfs_read", "iter:task"} {
		for e, err := range r.List(text, target.ResolveOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			want, err := e.Fields()
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.EntryOf(resolve(t, text)[0], &target.ResolveOptions{}).Fields()
			if err != nil || len(got) == 0 || !slices.Equal(got, want) {
				t.Errorf("%s: arguments %q, %v; want %q", text, got, err, want)
			}
		}
	}
}

// The listing of a script tells why a declaration can not be read, and shows the
// arguments in the words of the language.
func TestDeclarationMissing(t *testing.T) {
	entry := New(hosttest.New()).EntryOf(&target.Target{
		Provider: target.Fentry, Name: "fentry:vmlinux:nosuch", Module: "vmlinux", Symbol: "nosuch",
		Args: []target.Arg{{Name: "size", Type: types.Int{Bits: 64}}},
	}, &target.ResolveOptions{})
	got, err := entry.Fields()
	if want := []provider.FieldText{{Type: "uint64", Name: "size"}}; !slices.Equal(got, want) || err == nil {
		t.Errorf("arguments %q, %v; want %q and an error", got, err, want)
	}
}

// The members of an iterator's record lie in unions of their own.
func TestFieldsOfIterators(t *testing.T) {
	want := []provider.FieldText{{Type: "struct task_struct *", Name: "task"}}
	for e, err := range New(hosttest.New()).List("iter:task", target.ResolveOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Fields == nil {
			t.Fatal("no fields")
		}
		if got, err := e.Fields(); err != nil || !slices.Equal(got, want) {
			t.Errorf("fields %q, %v", got, err)
		}
	}
}

// A list that may not be read, and one without functions, are told apart from a
// pattern that nothing matches.
func TestListTellsWhyFunctionsAreMissing(t *testing.T) {
	for text, files := range map[string]fs.FS{
		"traces no functions": fstest.MapFS{"available_filter_functions": &fstest.MapFile{}},
		"permission denied":   shut{},
	} {
		cfg := hosttest.Config()
		cfg.Tracefs = func() (fs.FS, error) { return files, nil }
		names, problems := listed(New(host.New(cfg)), "kprobe:tcp_*")
		if len(names) > 0 || len(problems) != 1 || !strings.Contains(problems[0].Error(), text) {
			t.Errorf("%s: listed %q, problems %v", text, names, problems)
		}
		var why *target.Error
		if text == "permission denied" && (!errors.As(problems[0], &why) || !strings.Contains(strings.Join(why.Hints, " "), "sudo")) {
			t.Errorf("%v has no hint", problems[0])
		}
	}
}

// What the kernel does not have is told apart from what its user may not do.
func TestLacks(t *testing.T) {
	functions := fstest.MapFS{"available_filter_functions": &fstest.MapFile{}, "kprobe_events": &fstest.MapFile{}}
	for _, test := range []struct {
		kind  target.Provider
		files fs.FS
		want  string
	}{
		{target.Fentry, functions, ""},
		{target.Fexit, fstest.MapFS{}, "CONFIG_FUNCTION_TRACER"},
		{target.Fentry, failing{unix.EACCES}, ""},
		{target.Fentry, failing{unix.EPERM}, "withholds its functions: open available_filter_functions: operation not permitted"},
		{target.Kprobe, functions, ""},
		{target.Kretprobe, fstest.MapFS{}, "CONFIG_KPROBES"},
		{target.Uprobe, fstest.MapFS{}, ""},
	} {
		cfg := hosttest.Config()
		cfg.Tracefs = func() (fs.FS, error) { return test.files, nil }
		err := New(host.New(cfg)).Lacks(&target.Target{Provider: test.kind})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.kind, err, test.want)
		}
	}
}

// failing is a file system whose files can not be opened.
type failing struct{ err error }

func (f failing) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
}

// shut is a file system for others.
type shut struct{}

func (shut) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}
