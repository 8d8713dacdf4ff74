package host

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

// What is missing of /sys is named, with what to do about it.
func TestMissingSysfs(t *testing.T) {
	failed := errors.New("no types")
	dir := &fstest.MapFile{}
	for _, c := range []struct {
		name string
		sys  fstest.MapFS
		want string
	}{
		{"no sysfs", fstest.MapFS{}, "sysfs is not mounted on /sys"},
		{"no BTF", fstest.MapFS{"devices/x": dir}, "there is no /sys/kernel/btf/vmlinux, which only kernels built with CONFIG_DEBUG_INFO_BTF have"},
		{"BTF that is no good", fstest.MapFS{"devices/x": dir, "kernel/btf/vmlinux": dir}, "no types"},
	} {
		if err := explainBTF(c.sys, failed); !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := explainBTF(fstest.MapFS{}, nil); err != nil {
		t.Errorf("no failure: %v", err)
	}
	h := New(Config{Sys: fstest.MapFS{}, Tracefs: liveTracefs})
	if _, err := h.NumCPU(); !errors.Is(err, errNoSysfs) {
		t.Errorf("number of processors: %v", err)
	}
}
