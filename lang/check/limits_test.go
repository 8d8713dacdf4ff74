package check_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// TestProbeLimit shows what max_probes bounds: what a wildcard attaches to
// through one link of the kernel counts once, as in the reference.
func TestProbeLimit(t *testing.T) {
	for attach, want := range map[string]string{
		"tracepoint:syscalls:sys_enter_dup*":               "3 probes",
		"kprobe:vfs_*":                                     "",
		"kprobe:vfs_read":                                  "",
		"kprobe:vfs_*,kretprobe:vfs_*":                     "",
		"kprobe:vfs_*,kprobe:do_*,begin":                   "",
		"kprobe:vfs_read,kprobe:vfs_write,kprobe:vfs_open": "3 probes",
		"interval:s:1,interval:s:2,kprobe:vf*":             "3 probes",
	} {
		_, list := compile(hosttest.New(), "config = { max_probes = 2 } "+attach+" { exit() }")
		switch {
		case want == "" && list.HasErrors():
			t.Errorf("%s: %s", attach, list.Error())
		case want != "" && !strings.Contains(list.Error(), want+" because it exceeds the current limit of 2"):
			t.Errorf("%s: want a report of %s, got %s", attach, want, list.Error())
		}
	}
}
