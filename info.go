package gotrace

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/probes/host"
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
	fmt.Fprintf(&b, "\nProbes\n")
	for _, row := range probeKinds(c.host) {
		fmt.Fprintf(&b, "  %s: %s\n", row.name, yes(row.has))
	}
	fmt.Fprintf(&b, "\nKernel features\n")
	for _, row := range []infoRow{
		{"kprobe_multi", c.host.Features().KprobeMulti()}, {"uprobe_multi", c.host.Features().UprobeMulti()},
		{"bpf_loop", f.BPFLoop}, {"for_each_map_elem", f.ForEachMapElem}, {"get_current_task_btf", f.TaskBTF},
		{"map_lookup_percpu_elem", f.MapLookupPerCPU}, {"get_func_ip", c.host.Features().Helper(asm.FnGetFuncIp)},
		{"d_path", c.host.Features().Helper(asm.FnDPath)}, {"ktime_get_tai_ns", f.KtimeTAI},
	} {
		fmt.Fprintf(&b, "  %s: %s\n", row.name, yes(row.has))
	}
	return b.String()
}

type infoRow struct {
	name string
	has  bool
}

// probeKinds tells which of the kinds of probe that kernels are built with or
// without there are: kprobe and uprobe are sources of events, and fentry needs
// types and a kernel whose list of functions is not withheld. That the list is
// for root only says nothing of the kernel.
func probeKinds(h *host.Host) []infoRow {
	source := func(name string) bool {
		_, err := fs.Stat(h.Sys(), "bus/event_source/devices/"+name)
		return err == nil
	}
	fentry := h.Kernel().Available() == nil
	if files, err := h.Tracefs(); err == nil {
		f, err := files.Open("available_filter_functions")
		if err == nil {
			err = f.Close()
		}
		fentry = fentry && (err == nil || errors.Is(err, unix.EACCES))
	}
	return []infoRow{{"kprobe", source("kprobe")}, {"fentry", fentry}, {"uprobe", source("uprobe")}}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
