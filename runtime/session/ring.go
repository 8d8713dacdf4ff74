package session

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
)

// Sizes of the event buffer in bytes. The kernel clears and maps all of it when
// it is made: 16 MiB take some 10 ms and count twice in the memory of the
// tracer. So the large ones are for scripts that need them.
const (
	minRing      = 256 << 10 // also of scripts that report rare things only
	smallRing    = 512 << 10 // of scripts whose programs the session runs itself
	maxRing      = 16 << 20
	ringFraction = 1024 // of the memory, between minRing and maxRing
	ringRecords  = 4    // of the largest records that fit at least, as max_strlen has no limit
)

// largestRing is the largest power of two that the kernel's 32 bits can say.
const largestRing = 1 << 31

// checkRingBytes demands a size that the kernel takes, or 0.
func checkRingBytes(n int) error {
	page := os.Getpagesize()
	if n == 0 || n >= page && n&(n-1) == 0 && uint64(n) <= largestRing {
		return nil
	}
	return fmt.Errorf("RingBytes is %d: the event buffer takes a power of two from %d, which is a page, to %d bytes", n, page, uint64(largestRing))
}

// checkRingPages demands a setting perf_rb_pages whose pages the event buffer may
// have; their number is rounded up.
func checkRingPages(pages int) error {
	most := largestRing / uint64(os.Getpagesize())
	if pages <= 0 || uint64(pages) <= most {
		return nil
	}
	return fmt.Errorf("the setting perf_rb_pages is %d: the event buffer takes %d pages at most", pages, most)
}

// ringBytes is the size of the event buffer.
func (s *Session) ringBytes() uint32 {
	if s.opt.RingBytes > 0 {
		return uint32(s.opt.RingBytes)
	}
	if pages := s.obj.Config.PerfRBPages; pages > 0 {
		return powerOfTwo(uint64(pages) * uint64(os.Getpagesize()))
	}
	room := ringRecords * largestRecord(s.obj)
	switch {
	case onlyRequests(s.obj):
		return powerOfTwo(max(minRing, room))
	case onlyRun(s.obj):
		return powerOfTwo(max(smallRing, room))
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return powerOfTwo(max(minRing, room))
	}
	total := info.Totalram * uint64(info.Unit)
	return powerOfTwo(max(min(total/ringFraction, maxRing), minRing, room))
}

// largestRecord is the size in bytes of the largest event record.
func largestRecord(o *object.Object) uint64 {
	n := 0
	for _, r := range o.Records {
		n = max(n, r.Layout.Size)
	}
	return uint64(n)
}

// onlyRequests reports whether the script never prints a value: what it asks
// for, such as the print of a map, is rare, and so are warnings.
func onlyRequests(o *object.Object) bool {
	for _, r := range o.Records {
		switch r.Action {
		case types.ActPrintMap, types.ActClear, types.ActZero, types.ActExit, types.ActTime, types.ActWarning, types.ActHelper,
			types.ActStackLost:
		default:
			return false
		}
	}
	return true
}

// onlyRun reports whether all programs are run by the session, which reads the
// buffer behind each, or by a timer, and none can say more than its text has.
func onlyRun(o *object.Object) bool {
	for _, p := range o.Programs {
		for _, t := range p.Targets {
			if !isRun(t.Provider) && t.Provider != target.Interval {
				return false
			}
		}
		if _, loops := findLoop(p.Insns); loops {
			return false
		}
	}
	return true
}

// powerOfTwo rounds up, as the kernel demands of a ring buffer's size.
func powerOfTwo(n uint64) uint32 {
	p := uint64(os.Getpagesize())
	for p < n && p < largestRing {
		p <<= 1
	}
	return uint32(p)
}
