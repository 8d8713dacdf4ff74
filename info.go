package gotrace

import (
	"fmt"
	"strconv"
	"strings"
)

// SystemInfo tells what the running system supports, as far as its version and
// types say.
func SystemInfo() string {
	c := newCompilation(&Config{})
	f := c.features()
	processors := "unknown"
	if n, err := c.host.NumCPU(); err == nil {
		processors = strconv.Itoa(n)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nSystem\n  Kernel: %s\n  Arch: %s\n  Processors: %s\n  BTF: %s\n", c.host.Release(), c.host.Arch(), processors, yes(c.host.Kernel().Available() == nil))
	fmt.Fprintf(&b, "\nKernel features\n")
	for _, row := range []struct {
		name string
		has  bool
	}{
		{"kprobe_multi", c.host.Features().KprobeMulti()}, {"uprobe_multi", c.host.Features().UprobeMulti()},
		{"bpf_loop", f.BPFLoop}, {"for_each_map_elem", f.ForEachMapElem}, {"get_current_task_btf", f.TaskBTF},
		{"map_lookup_percpu_elem", f.MapLookupPerCPU}, {"get_func_ip", f.FuncIP}, {"d_path", f.DPath}, {"ktime_get_tai_ns", f.KtimeTAI},
	} {
		fmt.Fprintf(&b, "  %s: %s\n", row.name, yes(row.has))
	}
	return b.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
