package probes

import (
	"os/exec"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
	"github.com/gotrace/gotrace/probes/iter"
)

// counting loads a program that counts its runs in a map.
func counting(t *testing.T, spec LoadSpec) (*ebpf.Program, *ebpf.Map) {
	t.Helper()
	counts, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { counts.Close() })
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: spec.Type, AttachType: spec.AttachType, AttachTo: spec.AttachTo, Flags: spec.Flags, License: "GPL",
		Instructions: asm.Instructions{
			asm.StoreImm(asm.R10, -4, 0, asm.Word),
			asm.LoadMapPtr(asm.R1, counts.FD()),
			asm.Mov.Reg(asm.R2, asm.R10),
			asm.Add.Imm(asm.R2, -4),
			asm.FnMapLookupElem.Call(),
			asm.JEq.Imm(asm.R0, 0, "out"),
			asm.Mov.Imm(asm.R1, 1),
			asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
			asm.Mov.Imm(asm.R0, 0).WithSymbol("out"),
			asm.Return(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prog.Close() })
	return prog, counts
}

func TestAttachedProgramsRunUntilClosed(t *testing.T) {
	hosttest.RequireBPF(t)
	call := func() { unix.Getppid() }
	exec := func() {
		if err := exec.Command("ls", "/").Run(); err != nil {
			t.Error(err)
		}
	}
	spin := func() {
		for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
			unix.Getppid()
		}
	}
	for _, test := range []struct {
		text    string
		trigger func()
		opt     target.ResolveOptions
	}{
		{"tracepoint:syscalls:sys_enter_getppid", call, target.ResolveOptions{}},
		{"tracepoint:syscalls:sys_*_getppid", call, target.ResolveOptions{}},
		{"tracepoint:sched:sched_process_exec", exec, target.ResolveOptions{}},
		{"rawtracepoint:sched_process_exec", exec, target.ResolveOptions{}},
		{"uprobe:libc:setlocale", exec, target.ResolveOptions{NoArgs: true}},
		{"uretprobe:libc:setlocale", exec, target.ResolveOptions{NoUprobeMulti: true}},
		{"uprobe:libc:setlocale", exec, target.ResolveOptions{NoArgs: true, NoUprobeMulti: true}},
		{"profile:hz:999", spin, target.ResolveOptions{}},
		{"software:cpu-clock:1000000", spin, target.ResolveOptions{}},
	} {
		t.Run(test.text, func(t *testing.T) {
			r := New(host.Live())
			targets, err := r.Resolve(test.text, source.Span{}, test.opt)
			if err != nil {
				t.Fatal(err)
			}
			prog, counts := counting(t, r.Spec(targets[0], &test.opt))
			link, err := r.Attach(targets, prog, &AttachOptions{ResolveOptions: test.opt})
			if err != nil {
				t.Fatal(err)
			}
			test.trigger()
			if err := link.Close(); err != nil {
				t.Error(err)
			}
			var before, after uint64
			if err := counts.Lookup(uint32(0), &before); err != nil {
				t.Fatal(err)
			}
			if before == 0 {
				t.Error("the program did not run")
			}
			test.trigger()
			if err := counts.Lookup(uint32(0), &after); err != nil {
				t.Fatal(err)
			}
			if after != before {
				t.Errorf("the program ran %d times after it was detached", after-before)
			}
		})
	}
}

func TestIteratorRunsForEachTask(t *testing.T) {
	hosttest.RequireBPF(t)
	r := New(host.Live())
	targets, err := r.Resolve("iter:task", source.Span{}, target.ResolveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	prog, counts := counting(t, r.Spec(targets[0], &target.ResolveOptions{}))
	link, err := r.Attach(targets, prog, &AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	walker, ok := link.(*iter.Link)
	if !ok {
		t.Fatalf("attached iterator is a %T", link)
	}
	if err := walker.Run(); err != nil {
		t.Fatal(err)
	}
	var n uint64
	if err := counts.Lookup(uint32(0), &n); err != nil || n < 2 {
		t.Errorf("the program ran %d times, %v", n, err)
	}
}
