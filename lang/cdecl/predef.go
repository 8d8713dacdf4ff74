package cdecl

import (
	"fmt"
	"strings"
)

// predefined returns the macros that a C compiler for the machine has of its
// own accord, one "NAME value" a line.
func predefined(arch string, version uint32) string {
	var b strings.Builder
	b.WriteString(`__STDC__ 1
__STDC_VERSION__ 201710L
__STDC_HOSTED__ 0
__GNUC__ 4
__GNUC_MINOR__ 2
__linux__ 1
__linux 1
linux 1
__unix__ 1
__unix 1
unix 1
__KERNEL__ 1
__BPF_TRACING__ 1
__BPF__ 1
__bpf__ 1
__LP64__ 1
_LP64 1
__CHAR_BIT__ 8
__SIZEOF_SHORT__ 2
__SIZEOF_INT__ 4
__SIZEOF_LONG__ 8
__SIZEOF_LONG_LONG__ 8
__SIZEOF_POINTER__ 8
__SIZEOF_SIZE_T__ 8
__SCHAR_MAX__ 127
__SHRT_MAX__ 32767
__INT_MAX__ 2147483647
__LONG_MAX__ 9223372036854775807L
__LONG_LONG_MAX__ 9223372036854775807LL
__ORDER_LITTLE_ENDIAN__ 1234
__ORDER_BIG_ENDIAN__ 4321
__BYTE_ORDER__ 1234
__LITTLE_ENDIAN__ 1
__LITTLE_ENDIAN 1234
__LITTLE_ENDIAN_BITFIELD 1
KERNEL_VERSION(a,b,c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))
`)
	if version != 0 {
		fmt.Fprintf(&b, "LINUX_VERSION_CODE %d\n", version)
	}
	switch arch {
	case "amd64":
		b.WriteString("__x86_64__ 1\n__x86_64 1\n__amd64__ 1\n__amd64 1\nCONFIG_X86_64 1\nCONFIG_64BIT 1\n")
	case "arm64":
		b.WriteString("__aarch64__ 1\n__AARCH64EL__ 1\nCONFIG_ARM64 1\nCONFIG_64BIT 1\n")
	}
	return b.String()
}

// annotations are the words that declarations in kernel style are full of and
// that the kernel's headers define.
const annotations = `__user
__kernel
__iomem
__rcu
__percpu
__force
__bitwise
__packed __attribute__((packed))
__aligned(x) __attribute__((aligned(x)))
____cacheline_aligned __attribute__((aligned(64)))
____cacheline_aligned_in_smp __attribute__((aligned(64)))
__maybe_unused
__always_unused
__must_check
__read_mostly
__counted_by(x)
__randomize_layout
`
