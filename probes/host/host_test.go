package host_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

func TestFixtureHasTypesEventsAndProcessors(t *testing.T) {
	h := hosttest.New()
	if off, size, ok := h.Kernel().FieldOffset("task_struct", "thread_info.status"); !ok || size != 4 {
		t.Errorf("thread_info.status at %d, %d bytes, %t", off, size, ok)
	}
	if n, err := h.NumCPU(); n != 4 || err != nil {
		t.Errorf("NumCPU() = %d, %v; want 4", n, err)
	}
	if _, err := h.Tracefs(); err != nil {
		t.Error(err)
	}
	if err := hosttest.NoBTF().Kernel().Available(); err == nil {
		t.Error("a machine without kernel types has them")
	}
}

func TestProcessorListsAreChecked(t *testing.T) {
	for text, want := range map[string]int{"0": 1, "0-3,8": 5, "": 0, "3-1": 0, "0-99999999": 0, "a": 0, "-1": 0} {
		cfg := hosttest.Config()
		cfg.Sys = fstest.MapFS{
			"devices/system/cpu/possible": &fstest.MapFile{Data: []byte(text)},
			"devices/system/cpu/online":   &fstest.MapFile{Data: []byte("0")},
		}
		n, err := host.New(cfg).NumCPU()
		if n != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d processors, error %v; want %d", text, n, err, want)
		}
	}
}

func TestFeaturesFollowTheRelease(t *testing.T) {
	for _, test := range []struct {
		release           string
		ip, loop, uprobes bool
	}{
		{"5.8.0", false, false, false},
		{"5.15.0-rc1", true, false, false},
		{"5.17", true, true, false},
		{"6.6.1-generic", true, true, true},
	} {
		cfg := hosttest.Config()
		cfg.Release = test.release
		noTypes := hosttest.NoBTF()
		cfg.RawBTF, cfg.BTF = nil, noTypes.Kernel().Spec
		f := host.New(cfg).Features()
		if f.Helper(asm.FnGetFuncIp) != test.ip || f.Helper(asm.FnLoop) != test.loop || f.UprobeMulti() != test.uprobes {
			t.Errorf("%s: func_ip %t, loop %t, uprobe_multi %t", test.release,
				f.Helper(asm.FnGetFuncIp), f.Helper(asm.FnLoop), f.UprobeMulti())
		}
	}
}

func TestTypesBringFeaturesToOldReleases(t *testing.T) {
	cfg := hosttest.Config()
	cfg.Release = "5.8.0"
	f := host.New(cfg).Features()
	if !f.Helper(asm.FnLoop) || !f.UprobeMulti() || !f.KprobeMulti() {
		t.Error("features that the recorded types have are not found")
	}
}

func TestPathsStartAtTheWorkingDirectory(t *testing.T) {
	cfg := hosttest.Config()
	cfg.Dir = "/home/me"
	cfg.Root = fstest.MapFS{"home/me/a": &fstest.MapFile{Data: []byte("x")}}
	h := host.New(cfg)
	for _, path := range []string{"a", "./a", "/home/me/a", "../me/a"} {
		if data, err := h.ReadFile(path); string(data) != "x" {
			t.Errorf("ReadFile(%s) = %q, %v", path, data, err)
		}
	}
	for _, path := range []string{"/home/none", "none"} { // errors name what was asked for
		_, stat := h.Stat(path)
		_, list := h.ReadDir(path)
		_, read := h.ReadFile(path)
		for _, err := range []error{stat, list, read} {
			if err == nil || !strings.Contains(err.Error(), " "+path+": ") {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}
