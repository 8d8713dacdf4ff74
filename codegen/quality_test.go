package codegen_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// TestCodeQuality counts the helper calls and instructions of scripts whose
// cost matters.
func TestCodeQuality(t *testing.T) {
	for _, c := range []struct {
		name, src string
		calls     map[asm.BuiltinFunc]int
		insns     int // at most
	}{
		{"a counter looks up only", `rawtracepoint:sys_enter { @ = count() }`,
			map[asm.BuiltinFunc]int{asm.FnMapLookupElem: 1}, 16},
		{"a missing element is inserted by one update", `rawtracepoint:sys_enter { @[comm] = count() }`,
			map[asm.BuiltinFunc]int{asm.FnGetCurrentComm: 1, asm.FnMapLookupElem: 1, asm.FnMapUpdateElem: 1}, 52},
		{"scalar maps are memory", `rawtracepoint:sys_enter { @x = 1; @y++ }`, map[asm.BuiltinFunc]int{}, 16},
		{"comm is compared by words", `rawtracepoint:sys_enter /comm == "load"/ { @x = 1 }`,
			map[asm.BuiltinFunc]int{asm.FnGetCurrentComm: 1}, 20},
		{"a string is read as far as the literal needs", `rawtracepoint:sys_enter /str(arg0) == "/etc/passwd"/ { @x = 1 }`,
			map[asm.BuiltinFunc]int{asm.FnProbeReadKernelStr: 1}, 20},
		{"a text is read once and searched in place", `rawtracepoint:sys_enter /strcontains(str(arg0), "passwd")/ { @x = 1 }`,
			map[asm.BuiltinFunc]int{asm.FnMapLookupElem: 1, asm.FnProbeReadKernelStr: 1, asm.FnLoop: 1}, 130},
		{"pid and tid are one call", `rawtracepoint:sys_enter { print((pid, tid)) }`,
			map[asm.BuiltinFunc]int{asm.FnGetCurrentPidTgid: 1, asm.FnRingbufReserve: 1, asm.FnRingbufSubmit: 1}, 40},
		{"a stack that nothing uses is not captured", `rawtracepoint:sys_enter { $s = pid; $c = comm; if ($s == 1) { print($c) } }`,
			map[asm.BuiltinFunc]int{asm.FnGetCurrentPidTgid: 1, asm.FnGetCurrentComm: 1, asm.FnRingbufReserve: 1, asm.FnRingbufSubmit: 1}, 45},
		{"kernel objects are read by loads", `rawtracepoint:sys_enter /curtask.pid == 1/ { @x = 1 }`,
			map[asm.BuiltinFunc]int{asm.FnGetCurrentTaskBtf: 1}, 16},
		{"names of tasks are read by words", `rawtracepoint:sys_enter /curtask.comm == "load"/ { @x = 1 }`,
			map[asm.BuiltinFunc]int{asm.FnGetCurrentTaskBtf: 1}, 20},
		{"the parent's name is a key without helpers", `rawtracepoint:sys_enter { @[curtask.real_parent.comm] = 1 }`,
			map[asm.BuiltinFunc]int{asm.FnGetCurrentTaskBtf: 1, asm.FnMapUpdateElem: 1}, 90},
	} {
		t.Run(c.name, func(t *testing.T) {
			hosttest.RequireBPF(t)
			obj, err := compileOpt(c.src, features("6.18"), 2)
			if err != nil {
				t.Fatal(err)
			}
			checkQuality(t, obj.Programs[0], c.calls, c.insns)
			l, err := load(obj)
			if err != nil {
				t.Fatal(verbose(err))
			}
			l.close()
		})
	}
}

func checkQuality(t *testing.T, p *object.Program, calls map[asm.BuiltinFunc]int, insns int) {
	t.Helper()
	got := map[asm.BuiltinFunc]int{}
	n := 0
	for _, i := range p.Insns {
		n += int(i.Width())
		if i.IsBuiltinCall() {
			got[asm.BuiltinFunc(i.Constant)]++
		}
	}
	warnings := got[asm.FnRingbufReserve] - calls[asm.FnRingbufReserve]
	if warnings > 0 && calls[asm.FnMapUpdateElem] > 0 { // the report of a full map
		got[asm.FnRingbufReserve] -= warnings
		got[asm.FnRingbufSubmit] -= warnings
	}
	for fn, want := range calls {
		if got[fn] != want {
			t.Errorf("%d calls of %v, want %d\n%v", got[fn], fn, want, p.Insns)
		}
		delete(got, fn)
	}
	for fn, k := range got {
		if k > 0 {
			t.Errorf("%d calls of %v, want none\n%v", k, fn, p.Insns)
		}
	}
	if n > insns {
		t.Errorf("%d instructions, want at most %d\n%v", n, insns, p.Insns)
	}
}

// TestLinear compiles scripts of growing size: the time must not grow faster.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles large scripts")
	}
	compileTime := func(n int) time.Duration {
		var b strings.Builder
		b.WriteString("BEGIN { $s = 0; ")
		for i := range n {
			fmt.Fprintf(&b, "@m[%d] = $s; if (@m[%d] > 3) { $s += %d } printf(\"%%d\", $s); ", i, i/2, i)
		}
		b.WriteString("}")
		p, set, err := checkScript(b.String(), features("6.18"), false)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := compileTyped(p, set, features("6.18"), 2, false); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	compileTime(50) // warm up
	small, large := compileTime(100), compileTime(400)
	// Other load can only make a measurement longer.
	for tries := 0; tries < 5 && large > 12*small; tries++ {
		time.Sleep(time.Second)
		small, large = compileTime(100), compileTime(400)
	}
	if large > 12*small {
		t.Errorf("four times the script takes %v instead of %v", large, small)
	}
}
