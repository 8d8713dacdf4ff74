package output

import "strconv"

// gfpFlag is a name of allocation flags of the kernel.
type gfpFlag struct {
	bits uint64
	name string
}

// gfpNames returns the names in the order in which they are tried: the larger
// combinations first. Bits as of include/linux/gfp_types.h in Linux 6.18;
// older kernels number some differently, which bpftrace ignores as well.
func gfpNames() []gfpFlag {
	return []gfpFlag{
		{0x21c24ca, "GFP_TRANSHUGE"},
		{0x21c20ca, "GFP_TRANSHUGE_LIGHT"},
		{0x2100cca, "GFP_HIGHUSER_MOVABLE"},
		{0x100cc2, "GFP_HIGHUSER"},
		{0x100cc0, "GFP_USER"},
		{0x400cc0, "GFP_KERNEL_ACCOUNT"},
		{0xcc0, "GFP_KERNEL"},
		{0xc40, "GFP_NOFS"},
		{0x820, "GFP_ATOMIC"},
		{0xc00, "GFP_NOIO"},
		{0x2800, "GFP_NOWAIT"},
		{1 << 0, "GFP_DMA"},
		{1 << 1, "__GFP_HIGHMEM"},
		{1 << 2, "GFP_DMA32"},
		{1 << 5, "__GFP_HIGH"},
		{1 << 6, "__GFP_IO"},
		{1 << 7, "__GFP_FS"},
		{1 << 8, "__GFP_ZERO"},
		{1 << 10, "__GFP_DIRECT_RECLAIM"},
		{1 << 11, "__GFP_KSWAPD_RECLAIM"},
		{1 << 12, "__GFP_WRITE"},
		{1 << 13, "__GFP_NOWARN"},
		{1 << 14, "__GFP_RETRY_MAYFAIL"},
		{1 << 15, "__GFP_NOFAIL"},
		{1 << 16, "__GFP_NORETRY"},
		{1 << 17, "__GFP_MEMALLOC"},
		{1 << 18, "__GFP_COMP"},
		{1 << 19, "__GFP_NOMEMALLOC"},
		{1 << 20, "__GFP_HARDWALL"},
		{1 << 21, "__GFP_THISNODE"},
		{1 << 22, "__GFP_ACCOUNT"},
		{1 << 23, "__GFP_ZEROTAGS"},
		{1 << 24, "__GFP_SKIP_ZERO"},
		{1 << 25, "__GFP_SKIP_KASAN"},
		{1 << 26, "__GFP_NO_OBJ_EXT"},
	}
}

// appendGFP names allocation flags, "A|B"; bits without a name come last, in
// hexadecimal.
func appendGFP(dst []byte, flags uint64) []byte {
	if flags == 0 {
		return append(dst, '0')
	}
	start := len(dst)
	for _, g := range gfpNames() {
		if flags&g.bits == g.bits {
			dst = append(separate(dst, start), g.name...)
			flags &^= g.bits
		}
	}
	if flags != 0 {
		dst = strconv.AppendUint(append(separate(dst, start), "0x"...), flags, 16)
	}
	return dst
}

func separate(dst []byte, start int) []byte {
	if len(dst) > start {
		return append(dst, '|')
	}
	return dst
}
