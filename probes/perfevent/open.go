package perfevent

import (
	"fmt"
	"io/fs"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/perf"
	"github.com/gotrace/gotrace/probes/provider"
)

// places lists where the event of a target has to be opened: in the process of
// option -p or -c, else on all processors. An interval is the tracer's own clock,
// and ticks on one.
func places(h *host.Host, t *target.Target, opt *provider.AttachOptions) ([]perf.Place, error) {
	if t.Provider != target.Interval {
		switch {
		case opt.Child != 0:
			return threads(h, opt.Child)
		case opt.Pid != 0:
			return threads(h, opt.Pid)
		}
	}
	cpus, err := h.OnlineCPUs()
	if err != nil {
		return nil, err
	}
	if t.Provider == target.Interval {
		cpus = cpus[:1]
	}
	list := make([]perf.Place, len(cpus))
	for i, cpu := range cpus {
		list[i] = perf.Place{Pid: -1, CPU: cpu}
	}
	return list, nil
}

// threads lists the threads of a process. What these start later, threads and
// processes, inherits the event.
func threads(h *host.Host, pid int) ([]perf.Place, error) {
	entries, err := fs.ReadDir(h.Proc(), strconv.Itoa(pid)+"/task")
	if err != nil {
		return nil, fmt.Errorf("threads of process %d: %w", pid, err)
	}
	var list []perf.Place
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			list = append(list, perf.Place{Pid: tid, CPU: -1})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("process %d has no threads", pid)
	}
	return list, nil
}

// Values of bp_type, from include/uapi/linux/hw_breakpoint.h.
const (
	breakRead    = 1
	breakWrite   = 2
	breakExecute = 4
)

// attributes describes the event of a target to the kernel. Events of a process
// are also those of the threads and processes that it starts.
func attributes(t *target.Target, process bool) (*unix.PerfEventAttr, error) {
	attr := &unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_SOFTWARE,
		Sample: t.Period,
		Bits:   unix.PerfBitDisabled,
		Wakeup: 1,
	}
	if process {
		attr.Bits |= unix.PerfBitInherit
	}
	switch t.Provider {
	case target.Interval, target.Profile:
		attr.Config = unix.PERF_COUNT_SW_CPU_CLOCK
		if t.Freq {
			attr.Bits |= unix.PerfBitFreq
		}
	case target.Software, target.Hardware:
		e, ok := findEvent(t.Provider, t.Event)
		if !ok {
			return nil, fmt.Errorf("unknown %s event %q", t.Provider, t.Event)
		}
		attr.Config = e.config
		if t.Provider == target.Hardware {
			attr.Type = unix.PERF_TYPE_HARDWARE
		}
	case target.Watchpoint:
		attr.Type = unix.PERF_TYPE_BREAKPOINT
		attr.Sample = 1
		attr.Ext1, attr.Ext2 = t.Address, uint64(t.Length)
		for _, c := range t.Mode {
			attr.Bp_type |= map[rune]uint32{'r': breakRead, 'w': breakWrite, 'x': breakExecute}[c]
		}
		if t.Mode == "x" {
			attr.Ext2 = uint64(unsafe.Sizeof(uintptr(0)))
		}
	default:
		return nil, fmt.Errorf("%s is not a perf event", t.Provider)
	}
	return attr, nil
}
