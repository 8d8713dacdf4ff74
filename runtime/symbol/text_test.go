package symbol

import (
	"encoding/binary"
	"strings"
	"testing"
	"testing/fstest"
)

// jitPrinter names user addresses of process 7 from a perf map, so that no ELF file is needed.
func jitPrinter() *Printer {
	proc := fstest.MapFS{
		"kallsyms":              {Data: []byte(kallsymsText)},
		"7/maps":                {Data: []byte("7f0000001000-7f0000003000 rwxp 00000000 00:00 0\n")},
		"7/status":              {Data: []byte("Name:\tjit\nNSpid:\t7\t3\n")},
		"7/root/tmp/perf-3.map": {Data: []byte("7f0000001000 20 old name\n7f0000001000 40 js:add lib.js:3\n7f0000002000 10 _ZN2ns3addEi\n7f0000002010 10 ev\x1b[31mil\n")},
	}
	return &Printer{Kernel: NewKernel(proc), User: NewUser(UserOptions{Proc: proc, Root: fstest.MapFS{}})}
}

func TestKernelStackText(t *testing.T) {
	addrs := []uint64{0xffffffff81000041, 0xffffffffc0201080, 0x10}
	for mode, want := range map[Mode]string{
		ModeBpftrace: "\n        helper+1\n        helper+0\n        0x10\n",
		ModePerf:     "\n\tffffffff81000041 helper+1\n\tffffffffc0201080 helper+0\n\t0000000000000010 0x10\n",
		ModeRaw:      "\nffffffff81000041\nffffffffc0201080\n0000000000000010\n",
	} {
		if got := string(jitPrinter().AppendKernelStack(nil, mode, addrs)); got != want {
			t.Errorf("%v: %q, want %q", mode, got, want)
		}
	}
}

func TestUserStackText(t *testing.T) {
	addrs := []uint64{0x7f000000103f, 0x7f0000002004, 0x7f0000002010, 0x4011b6}
	for mode, want := range map[Mode]string{
		ModeBpftrace: "\n        js:add lib.js:3+63\n        ns::add(int)+4\n        ev?[31mil+0\n        0x4011b6\n",
		ModePerf: "\n\t7f000000103f js:add lib.js:3+63 (/tmp/perf-3.map)\n\t7f0000002004 ns::add(int)+4 (/tmp/perf-3.map)\n" +
			"\t7f0000002010 ev?[31mil+0 (/tmp/perf-3.map)\n\t4011b6 0x4011b6 ([unknown])\n",
		ModeRaw: "\n7f000000103f\n7f0000002004\n7f0000002010\n4011b6\n",
	} {
		if got := string(jitPrinter().AppendUserStack(nil, mode, Process{PID: 7}, addrs)); got != want {
			t.Errorf("%v: %q, want %q", mode, got, want)
		}
	}
}

func TestStackWithoutFrames(t *testing.T) {
	p := jitPrinter()
	if got := string(p.AppendUserStack([]byte("x"), ModeBpftrace, Process{PID: 7}, nil)); got != "x\n" {
		t.Errorf("user: %q", got)
	}
	if got := string(p.AppendKernelStack([]byte("x"), ModePerf, nil)); got != "x\n" {
		t.Errorf("kernel: %q", got)
	}
}

func TestSymbolText(t *testing.T) {
	p := jitPrinter()
	for _, tt := range []struct{ got, want string }{
		{string(p.AppendKernelSymbol(nil, 0xffffffff81000041)), "helper"},
		{string(p.AppendKernelSymbol(nil, 0x10)), "0x10"},
		{string(p.AppendKernelSymbol(nil, 0)), "0"},
		{string(p.AppendUserSymbol(nil, Process{PID: 7}, 0x7f0000002004)), "ns::add(int)"},
		{string(p.AppendUserSymbol(nil, Process{PID: 7}, 0x10)), "0x10"},
		{string(p.AppendUserSymbol(nil, Process{PID: 8}, 0x7f0000002004)), "0x7f0000002004"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	p.Mangled = true
	if got := string(p.AppendUserSymbol(nil, Process{PID: 7}, 0x7f0000002004)); got != "_ZN2ns3addEi" {
		t.Errorf("mangled: %q", got)
	}
}

func TestBuildIDStackText(t *testing.T) {
	frame := func(status uint32, id string, where uint64) []byte {
		b := binary.NativeEndian.AppendUint32(nil, status)
		b = append(b, id...)
		b = append(b, make([]byte, 24-len(b))...)
		return binary.NativeEndian.AppendUint64(b, where)
	}
	frames := append(frame(1, strings.Repeat("\xab", 20), 0x127b), frame(2, "", 0x7f0020)...)
	frames = append(frames, frame(1, "\x01\x02", 0)...)
	frames = append(frames, frame(0, "", 0)...)
	frames = append(frames, frame(1, "never shown", 1)...)
	want := "\n" + strings.Repeat("ab", 20) + " 0x127b\n7f0020\n0102" + strings.Repeat("00", 18) + " 0x0\n"
	if got := string(AppendBuildIDStack(nil, frames)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := string(AppendBuildIDStack(nil, frames[:40])); got != "\n"+strings.Repeat("ab", 20)+" 0x127b\n" {
		t.Errorf("a part of a frame is not ignored: %q", got)
	}
}

func TestDemangle(t *testing.T) {
	for name, want := range map[string]string{
		"main":              "main",
		"_ZN2ns3FooC1Ev":    "ns::Foo::Foo()",
		"_ZNK2ns3FoocvbEv":  "ns::Foo::operator bool() const",
		"_ZNSs6appendERKSs": "std::string::append(std::string const&)",
		"_ZN12_GLOBAL__N_14anonEPSt6vectorIiSaIiEE": "(anonymous namespace)::anon(std::vector<int, std::allocator<int> >*)",
		"_ZZ5outeriENKUliE_clEi":                    "outer(int)::{lambda(int)#1}::operator()(int) const",
		"_Z3foov.cold":                              "foo() [clone .cold]",
		"_Z":                                        "_Z",
		"_Znonsense":                                "_Znonsense",
		"_RNvCs6GmmlP4bgsG_1r4main":                 "r::main",
		"_ZN1r5inner3run17h1e389416b470ebedE":       "r::inner::run",
	} {
		if got := Demangle(name); got != want {
			t.Errorf("Demangle(%q) = %q, want %q", name, got, want)
		}
	}
}

// Names come from files that anybody may write: deep nesting must not exhaust the stack, nor short names grow without bound.
func TestDemangleHostileNames(t *testing.T) {
	growing := "_Z1fSt4pairI" + strings.Repeat("S_IS0_S0_ES1_", 1000)
	for _, name := range []string{
		"_Z1f" + strings.Repeat("P", 1<<22) + "i",
		"_Z1f" + strings.Repeat("P", maxMangled-8) + "i",
		"_Z1f" + strings.Repeat("St4pairI", maxMangled/8-2),
		"_RNv" + strings.Repeat("NtC", maxMangled/3-2),
		growing,
	} {
		if got := Demangle(name); len(got) > max(len(name), 1<<maxDemangled) {
			t.Errorf("%.20q… of %d bytes became %d bytes", name, len(name), len(got))
		}
	}
}
