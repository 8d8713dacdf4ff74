package host

import (
	"strconv"
	"strings"

	"github.com/cilium/ebpf/asm"
)

// Features tells what the kernel can do. Answers come from its release; where
// the release is too old for a feature its types decide, as distributions
// bring features to older kernels. Nothing is loaded to find out.
type Features struct {
	host    *Host
	release Release
}

// Release is a kernel version.
type Release struct{ Major, Minor int }

// AtLeast reports whether r is the given version or later.
func (r Release) AtLeast(major, minor int) bool {
	return r.Major > major || r.Major == major && r.Minor >= minor
}

// parseRelease reads the numbers that a release such as "6.18.44-amd64" begins
// with; what it can not read is 0.
func parseRelease(text string) Release {
	major, rest, _ := strings.Cut(text, ".")
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	var r Release
	var err error
	if r.Major, err = strconv.Atoi(major); err != nil {
		return Release{}
	}
	if r.Minor, err = strconv.Atoi(rest[:end]); err != nil {
		r.Minor = 0
	}
	return r
}

// Release is the version of the kernel.
func (f *Features) Release() Release { return f.release }

// helperReleases gives the last helper that each release brought; helpers have
// increasing numbers. Source: BPF_FUNC_* in include/uapi/linux/bpf.h of each
// release.
func helperReleases() []helperRelease {
	return []helperRelease{
		{5, 8, 135}, {5, 9, 141}, {5, 10, 155}, {5, 11, 162}, {5, 12, 163}, {5, 13, 165},
		{5, 14, 168}, {5, 15, 175}, {5, 16, 179}, {5, 17, 185}, {5, 18, 193}, {5, 19, 203},
		{6, 0, 207}, {6, 1, 209}, {6, 2, 211},
	}
}

type helperRelease struct{ major, minor, last int }

// Helper reports whether the kernel has a helper.
func (f *Features) Helper(fn asm.BuiltinFunc) bool {
	for _, r := range helperReleases() {
		if int(fn) <= r.last {
			if f.release.AtLeast(r.major, r.minor) {
				return true
			}
			break
		}
	}
	_, max, ok := f.host.kernel.EnumConst("__BPF_FUNC_MAX_ID")
	return ok && int64(fn) < max
}

// since reports whether the release is at least the given one or the kernel's
// types know an enumerator that came with the feature.
func (f *Features) since(major, minor int, enumerator string) bool {
	if f.release.AtLeast(major, minor) {
		return true
	}
	_, _, ok := f.host.kernel.EnumConst(enumerator)
	return ok
}

// KprobeMulti reports whether one link can attach to many kernel functions
// (5.18); it needs a kernel that is built with fprobe.
func (f *Features) KprobeMulti() bool {
	if !f.since(5, 18, "BPF_TRACE_KPROBE_MULTI") {
		return false
	}
	_, ok := f.host.kernel.Struct("bpf_kprobe_multi_link")
	return ok || f.host.kernel.Available() != nil
}

// UprobeMulti reports whether one link can attach to many functions of a file
// (6.6).
func (f *Features) UprobeMulti() bool { return f.since(6, 6, "BPF_TRACE_UPROBE_MULTI") }

// PerfLink reports whether perf events are attached through links (5.15).
func (f *Features) PerfLink() bool { return f.since(5, 15, "BPF_PERF_EVENT") }
