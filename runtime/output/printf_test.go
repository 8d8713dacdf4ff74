package output

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/layout/layouttest"
	"github.com/gotrace/gotrace/lang/printf"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/event"
)

var (
	i8   = types.Int{Bits: 8, Signed: true}
	u8   = types.Int{Bits: 8}
	i32  = types.Int{Bits: 32, Signed: true}
	u64  = types.Int{Bits: 64}
	i64  = types.Int{Bits: 64, Signed: true}
	text = types.String{Cap: 32}
	buf  = types.Buffer{Cap: 36}
	ptr  = types.Pointer{Elem: types.Void{}}
	mode = &types.Enum{Name: "mode", Bytes: 4, Values: []types.EnumValue{{Name: "OFF"}, {Name: "ON", Value: 4}}}
)

// val makes a value of the type that a literal in a script suggests.
func val(x any) layout.Value {
	switch x := x.(type) {
	case layout.Value:
		return x
	case string:
		return layouttest.Value(text, x)
	case bool:
		return layouttest.Value(types.Bool{}, x)
	case uint64:
		return layouttest.Value(u64, x)
	}
	return layouttest.Value(i64, x)
}

func format(t *testing.T, format string, args ...any) event.Text {
	t.Helper()
	items, err := printf.Parse(format)
	if err != nil {
		t.Fatalf("%q: %v", format, err)
	}
	e := event.Text{Items: items}
	for _, a := range args {
		e.Args = append(e.Args, val(a))
	}
	return e
}

type list []any

// TestPrintf has the cases of the language reference, section 14.1, with
// outputs of bpftrace 0.27.
func TestPrintf(t *testing.T) {
	const big = uint64(0x1122334455667788)
	const mixed = uint64(0x8899aabbccddeeff)
	buffer := func(s string) layout.Value { return layouttest.Value(buf, s) }
	enum := func(n int) layout.Value { return layouttest.Value(mode, n) }
	pointer := func(n int) layout.Value { return layouttest.Value(ptr, n) }
	small := layouttest.Value(i8, -1)
	for _, tt := range []struct {
		format string
		args   list
		want   string
	}{
		{"%d %i %u %x %X %o", list{42, -42, 42, 255, 255, 8}, "42 -42 42 ff FF 10"},
		{"100%% %d%%", list{5}, "100% 5%"},
		{"%%d", nil, "%d"},
		{"[%5d][%-5d][%05d][%5s][%-5s][%1d]", list{42, 42, 42, "ab", "ab", 12345}, "[   42][42   ][00042][   ab][ab   ][12345]"},
		{"[%6d][%-6d][%06d]", list{-42, -42, -42}, "[   -42][-42   ][000-42]"},
		{"[%+d][%+d][%+5d]", list{5, -5, 7}, "[+5][-5][   +7]"},
		{"[% d][% d][% 05d]", list{5, -5, 5}, "[5][-5][00005]"},
		{"[%#x][%#X][%#o][%#8x][%-#8x][%#x]", list{255, 255, 8, 255, 255, 0}, "[0xff][0XFF][010][    0xff][0xff    ][0]"},
		{"[%#05x][%#010x][%-#010x][%#05o]", list{255, 255, 255, 8}, "[00xff][0000000xff][0xff000000][00010]"},
		{"[%08x][%8x][%-8x][%02x]", list{48879, 48879, 48879, 5}, "[0000beef][    beef][beef    ][05]"},
		{"%d %u %x %X %o", list{big, big, big, big, big}, "1432778632 1432778632 55667788 55667788 12531473610"},
		{"%d %u", list{4294967295, 4294967295}, "-1 4294967295"},
		{"%hhd %hd %d %ld %lld %jd %zd %td", list{-1234567890123, -1234567890123, -1234567890123, -1234567890123, -1234567890123, -1234567890123, -1234567890123, -1234567890123},
			"53 -1227 -1912276171 -1234567890123 -1234567890123 -1234567890123 -1234567890123 -1234567890123"},
		{"%hhu %hu %u %lu %zu", list{mixed, mixed, mixed, mixed, mixed}, "255 61183 3437096703 9843086184167632639 9843086184167632639"},
		{"%hhx %hx %x %lx %llx", list{mixed, mixed, mixed, mixed, mixed}, "ff eeff ccddeeff 8899aabbccddeeff 8899aabbccddeeff"},
		{"%u %lu %x %o", list{-1, -1, -1, -1}, "4294967295 18446744073709551615 ffffffff 37777777777"},
		{"%d %x %lx", list{small, small, small}, "-1 ffffffff ffffffffffffffff"},
		{"%c%c|%3c|%-3c|%05c|%lc", list{65, 0x62, 88, 89, 65, 65}, "Ab|  X|Y  |0000A|A"},
		{"%c%c", list{0, 200}, "\x00\xc8"},
		{"%p %p %p [%20p][%-20p][%010p]", list{0xffff, pointer(4096), pointer(0), 4096, 4096, 255}, "0xffff 0x1000 0 [              0x1000][0x1000              ][0000000xff]"},
		{"[%.3s][%10.3s][%.5d][%8.3x]", list{"abcdef", "abcdef", 42, 255}, "[abcdef][    abcdef][42][      ff]"},
		{"%s %s %s %s", list{42, -7, true, uint64(18446744073709551615)}, "42 -7 true 18446744073709551615"},
		{"%s", list{pointer(255)}, "0xff"},
		{"%d %d %s %x", list{true, false, false, true}, "1 0 false 1"},
		{"[%6s][%-6s][%05s][%-05s]", list{true, false, "ab", "ab"}, "[  true][false ][000ab][ab000]"},
		{"%r %rx %rh [%20r][%-20rx][%5rh]", list{buffer("a\x01z"), buffer("a\x01z"), buffer("a\x01z"), buffer("a\x01z"), buffer("a\x01z"), buffer("")},
			`a\x01z \x61\x01\x7a 61 01 7a [              a\x01z][\x61\x01\x7a        ][     ]`},
		{"%d %s %x [%5s] %s", list{enum(4), enum(4), enum(4), enum(0), enum(7)}, "4 ON 4 [  OFF] 7"},
		{"%y %k 50%, ok %", nil, "%y %k 50%, ok %"},
		{"[%5%]", nil, "[%]"},
		{"[%*d]", list{7}, "[7]"},
		{"[%-+5d][%+#x][%-#8x][%+05d]", list{5, 255, 255, 42}, "[+5   ][0xff][0xff    ][00+42]"},
		{"[%-05d][%+u][%+c][%+p]", list{42, 5, 65, 66}, "[42000][5][A][0x42]"},
		{"a\x00b", nil, "a\x00b"},
	} {
		if got := string(new(Formatter).AppendText(nil, format(t, tt.format, tt.args...))); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.format, got, tt.want)
		}
	}
}

func TestPrintfWithoutArguments(t *testing.T) {
	if got := string(new(Formatter).AppendText(nil, format(t, "a %d b"))); got != "a " {
		t.Errorf("%q", got)
	}
}

// TestGFP has outputs of bpftrace 0.27.
func TestGFP(t *testing.T) {
	for flags, want := range map[uint64]string{
		0:          "0",
		0xcc0:      "GFP_KERNEL",
		0x820:      "GFP_ATOMIC",
		0x400cc0:   "GFP_KERNEL_ACCOUNT",
		0x1:        "GFP_DMA",
		0xcc5:      "GFP_KERNEL|GFP_DMA|GFP_DMA32",
		0xce0:      "GFP_KERNEL|__GFP_HIGH",
		0xc20:      "GFP_ATOMIC|__GFP_DIRECT_RECLAIM",
		0x500cc0:   "GFP_USER|__GFP_ACCOUNT",
		0x100cca:   "GFP_HIGHUSER|0x8",
		0x2182cca:  "GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_NOMEMALLOC",
		0x21c20ca:  "GFP_TRANSHUGE_LIGHT",
		0x21c2cca:  "GFP_TRANSHUGE|__GFP_KSWAPD_RECLAIM",
		0x3800:     "GFP_NOWAIT|__GFP_WRITE",
		0x400c00:   "GFP_NOIO|__GFP_ACCOUNT",
		0x100c40:   "GFP_NOFS|__GFP_HARDWALL",
		0x482c0:    "__GFP_IO|__GFP_FS|__GFP_NOFAIL|__GFP_COMP|0x200",
		1 << 43:    "0x80000000000",
		0xffffffff: "GFP_TRANSHUGE|GFP_ATOMIC|GFP_DMA|GFP_DMA32|__GFP_ZERO|__GFP_WRITE|__GFP_RETRY_MAYFAIL|__GFP_NOFAIL|__GFP_NORETRY|__GFP_MEMALLOC|__GFP_THISNODE|__GFP_ACCOUNT|__GFP_ZEROTAGS|__GFP_SKIP_ZERO|__GFP_NO_OBJ_EXT|0xf8000210",
	} {
		if got := string(appendGFP(nil, flags)); got != want {
			t.Errorf("%#x: %s, want %s", flags, got, want)
		}
	}
}

func TestPrintfDoesNotAllocate(t *testing.T) {
	f := new(Formatter)
	e := format(t, "%-16s %6d %08x %c|%20s\n", "bash", 42, 255, 65, true)
	out := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { out = f.AppendText(out[:0], e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if !strings.HasPrefix(string(out), "bash                 42 000000ff A|") {
		t.Errorf("%q", out)
	}
}

func BenchmarkPrintf(b *testing.B) {
	f := new(Formatter)
	items, err := printf.Parse("%-16s %6d %d\n")
	if err != nil {
		b.Fatal(err)
	}
	e := event.Text{Items: items, Args: []layout.Value{val("bash"), val(42), val(7)}}
	var out []byte
	for b.Loop() {
		out = f.AppendText(out[:0], e)
	}
}
