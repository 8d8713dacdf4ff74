package probes

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
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
			if f := e.Fields(); len(f) != 4 || f[1] != (provider.FieldText{Type: "unsigned int", Name: "oldfd"}) {
				t.Errorf("fields %q", f)
			}
		}
	}
	want := "sys_exit_dup3 sys_enter_dup sys_enter_dup2 sys_enter_dup3"
	if got := strings.ReplaceAll(strings.Join(names, " "), "tracepoint:syscalls:", ""); got != want {
		t.Errorf("listed %s, want %s", got, want)
	}
	for e, err := range r.List("nosuch:*", target.ResolveOptions{}) {
		t.Errorf("listed %v, %v", e, err)
	}
	types, err := r.ListTypes("struct list_head", true)
	if err != nil || len(types) != 1 || !strings.HasPrefix(types[0].Definition, "vmlinux: struct list_head {\n\tstruct list_head *next;\n") {
		t.Errorf("%q, %v", types, err)
	}
}
