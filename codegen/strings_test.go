package codegen_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"

	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// event is what a program sees of strings: arg0 and arg1 are their addresses in
// the memory of this process, arg2 that of an array of both and a null.
type event struct {
	memory runtime.Pinner
	ctx    []byte
}

func newEvent(a, b string) *event {
	e := &event{}
	list := make([]uintptr, 3)
	for i, text := range []string{a, b} {
		raw := append([]byte(text), 0)
		e.memory.Pin(&raw[0])
		list[i] = uintptr(unsafe.Pointer(&raw[0]))
	}
	e.memory.Pin(&list[0])
	for _, n := range []uintptr{list[0], list[1], uintptr(unsafe.Pointer(&list[0]))} {
		e.ctx = binary.NativeEndian.AppendUint64(e.ctx, uint64(n))
	}
	e.ctx = append(e.ctx, make([]byte, 9*8)...)
	return e
}

// stringProgram loads `body`, which finds the two strings in $a and $b, for a
// kernel and a max_strlen.
func stringProgram(t *testing.T, body, release string, strlen, opt int) *loaded {
	t.Helper()
	hosttest.RequireBPF(t)
	src := fmt.Sprintf(`config = { max_strlen = %d } rawtracepoint:sched_switch { $a = str(uptr(arg0)); $b = str(uptr(arg1)); %s }`, strlen, body)
	obj, err := compileOpt(src, features(release), opt)
	if err != nil {
		t.Fatalf("%s\n%v", src, err)
	}
	l, err := load(obj)
	if err != nil {
		t.Fatalf("%s\n%v", src, verbose(err))
	}
	t.Cleanup(l.close)
	return l
}

// see runs the program for two strings and returns its result.
func (l *loaded) see(t *testing.T, a, b string) int32 {
	t.Helper()
	e := newEvent(a, b)
	defer e.memory.Unpin()
	result, err := l.progs[l.obj.Programs[0].Name].Run(&ebpf.RunOptions{Context: e.ctx})
	if err != nil {
		t.Fatal(err)
	}
	return int32(result)
}

// TestSearch compares strstr() with strings.Index, for texts that have what
// looks like the needle in many places, and one program that sees them all: what
// an earlier event has left in memory must not be found.
func TestSearch(t *testing.T) {
	for _, c := range []struct {
		release string
		strlen  int
	}{{"6.18", 64}, {"6.18", 1024}, {"6.18", 65536}, {"6.1", 200}, {"5.10", 64}, {"5.10", 200}} {
		for _, opt := range []int{0, 2} {
			l := stringProgram(t, "return strstr($a, $b)", c.release, c.strlen, opt)
			rnd := rand.New(rand.NewPCG(1, uint64(c.strlen)))
			for range 300 {
				text, needle := searchPair(rnd, c.strlen)
				if got, want := l.see(t, text, needle), int32(strings.Index(text, needle)); got != want {
					t.Fatalf("strstr(%q, %q) is %d, want %d, with max_strlen %d at level %d for %s", text, needle, got, want, c.strlen, opt, c.release)
				}
			}
		}
	}
}

// searchPair returns a text of fewer than limit characters, and a needle that is
// often in it, or nearly.
func searchPair(rnd *rand.Rand, limit int) (text, needle string) {
	letters := "ab"[:1+rnd.IntN(2)] + "\x01\x80\xffc"[:rnd.IntN(5)]
	random := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(letters[rnd.IntN(len(letters))])
		}
		return b.String()
	}
	size := func(n int) int { return min(rnd.IntN(n), rnd.IntN(n)) }
	text = random(size(limit))
	if rnd.IntN(2) == 0 { // with a period
		part := random(1 + rnd.IntN(5))
		text = strings.Repeat(part, size(limit)/len(part))
	}
	switch from := rnd.IntN(len(text) + 1); rnd.IntN(4) {
	case 0:
		return text, random(rnd.IntN(min(limit, 30)))
	case 1:
		return text, text[from:]
	case 2:
		return text, text[from:from+rnd.IntN(len(text)-from+1)] + random(rnd.IntN(2))
	default:
		n := min(len(text)-from, 1+rnd.IntN(12))
		return text, text[from : from+n]
	}
}

// TestSearchConstant looks for needles of all lengths around that of a word.
func TestSearchConstant(t *testing.T) {
	for _, needle := range []string{"x", "ab", "aab", "abababa", "abababab", "ababababc", "aaaaaaaaaaaaaaab", "ab\x01ab\xffabababab\x80ba", "ab\x00ab"} {
		for _, release := range []string{"6.18", "5.10"} {
			l := stringProgram(t, fmt.Sprintf("return strstr($a, %s)", quoted(needle)), release, 1024, 2)
			for _, text := range []string{
				"", needle, needle[1:], needle[:len(needle)-1], "a" + needle, needle[:len(needle)-1] + needle, strings.Repeat("ab", 400) + needle,
				strings.Repeat("a", 1023-len(needle)) + needle, strings.Repeat("a", 1024-len(needle)) + needle, "ab\x00" + needle,
			} {
				seen, _, _ := strings.Cut(text[:min(len(text), 1023)], "\x00")
				sought, _, _ := strings.Cut(needle, "\x00")
				if got, want := l.see(t, text, ""), int32(strings.Index(seen, sought)); got != want {
					t.Errorf("%q in %q is at %d, want %d", needle, text, got, want)
				}
			}
		}
	}
}

// quoted returns a literal of the language.
func quoted(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "\\x%02x", c)
	}
	return `"` + b.String() + `"`
}

// TestSearchOldKernel has searches that a verifier which walks each turn can not
// follow: they name the release that can.
func TestSearchOldKernel(t *testing.T) {
	for _, src := range []string{
		`rawtracepoint:sys_enter { print(strcontains(str(arg0), str(arg1))) }`,
		`config = { max_strlen = 4096 } rawtracepoint:sys_enter { print(strstr(str(arg0), "abc")) }`,
	} {
		_, err := compileOpt(src, features("5.10"), 2)
		if err == nil || !strings.Contains(err.Error(), "characters needs Linux 5.17 or later; this is 5.10") {
			t.Errorf("%s\n%v", src, err)
		}
	}
}

// stringUses are operations and the records that they send for a string $a and
// a shorter $b.
func stringUses() []struct {
	body string
	want func(a, b string) []string
} {
	one := func(want any) []string { return []string{fmt.Sprint(want)} }
	return []struct {
		body string
		want func(a, b string) []string
	}{
		{"print($a)", func(a, _ string) []string { return one(a) }},
		{"print(strlen($a))", func(a, _ string) []string { return one(len(a)) }},
		{"print((strcontains($a, $b), strcontains($b, $a)))", func(a, b string) []string { return one("(1, 0)") }},
		{`print(strstr($a, $b)); print(strstr($a, "--")); print(strstr($b, "--"))`, func(a, b string) []string {
			return []string{fmt.Sprint(strings.Index(a, b)), fmt.Sprint(strings.Index(a, "--")), fmt.Sprint(strings.Index(b, "--"))}
		}},
		{"print((strncmp($a, $b, 5), strncmp($a, $a, 60)))", func(a, b string) []string { return one("(1, 0)") }},
		{`$c = str(uptr(arg0)); print(($a == $b, $a == $c, $a == "no", @x == @y)); @x = $a; @y = $c; print(@x == @y); @y = $b; print(@x == @y)`,
			func(a, b string) []string { return []string{"(0, 1, 0, 1)", "1", "0"} }},
		{`printf("%s%s%s%s", $a, $b, $a, str(uptr(arg1)))`, func(a, b string) []string { return one(strings.Join([]string{"%s%s%s%s", a, b, a, b}, " ")) }},
		{"@k[$a] = 1; @k[$b] = 2; print((@k[str(uptr(arg0))], @k[$b]))", func(a, b string) []string { return one("(1, 2)") }},
		{"@c[$a] = count(); @c[$b] = count(); print(len(@c))", func(a, b string) []string { return one(2) }},
		{"@v[1] = $a; @v[2] = $b; @w = @v[1]; print(@v[2]); $w = @w; print($w)", func(a, b string) []string { return []string{b, a} }},
		{"print(($a, 1, $b)); $t = ($b, $a); @t[$t] = 1; print((@t[($b, $a)], $t.1))", func(a, b string) []string {
			return []string{fmt.Sprintf("(%s, 1, %s)", a, b), fmt.Sprintf("(1, %s)", a)}
		}},
		{"print(str_concat($b, $b))", func(a, b string) []string { return one(b + b) }},
		{"print(buf(uptr(arg0), 16)); $n = (uint64)arg0 * 0 + 20; print(buf(uptr(arg0), $n))", func(a, b string) []string {
			return []string{fmt.Sprintf("%q", a[:16]), fmt.Sprintf("%q", a[:20])}
		}},
		{"join(uptr((int8**)arg2))", nil},
	}
}

// TestStringSizes runs all that is done with strings for settings of max_strlen
// from small ones to those whose values fit no per-CPU map.
func TestStringSizes(t *testing.T) {
	for _, strlen := range []int{64, 200, 1024, 4096, 16384, 65536} {
		a := strings.Repeat("abcdefg ", strlen/10) + "--end"
		b := a[len(a)-strlen/4:]
		for _, use := range stringUses() {
			l := stringProgram(t, use.body, "6.18", strlen, 2)
			l.see(t, a, b)
			got := l.records()
			if use.want == nil {
				if len(got) != 1 || !strings.Contains(got[0], "97,98,99") {
					t.Errorf("max_strlen %d: %s: %.60q", strlen, use.body, got)
				}
				continue
			}
			if want := use.want(a, b); !slices.Equal(got, want) {
				t.Errorf("max_strlen %d: %s\n got %.200q\nwant %.200q", strlen, use.body, got, want)
			}
		}
	}
}

// TestCutStrings reads what is longer than max_strlen: the characters that do not
// fit are neither counted nor compared. From 1024 on one fewer fits.
func TestCutStrings(t *testing.T) {
	for strlen, want := range map[int]int32{5: 5, 64: 64, 1023: 1023, 1024: 1023, 65536: 65535} {
		l := stringProgram(t, "return $a == $b ? strlen($a) : -1", "6.18", strlen, 2)
		text := strings.Repeat("x", int(want))
		for _, c := range []struct {
			a, b string
			want int32
		}{{text + "yz", text + "z", want}, {text, text + "a", want}, {text[1:], text, -1}, {text[1:] + "\x00", text[1:], want - 1}} {
			if got := l.see(t, c.a, c.b); got != c.want {
				t.Errorf("max_strlen %d: %d, want %d", strlen, got, c.want)
			}
		}
	}
}

// TestStringLimits has sizes that the kernel does not take.
func TestStringLimits(t *testing.T) {
	for _, c := range []struct{ release, src, want string }{
		{"6.18", `config = { max_strlen = 5000000 } rawtracepoint:sys_enter { @[str(arg0)] = 1 }`, "an element of @ takes 5000001 bytes; the kernel allows 4194176 (see max_strlen)"},
		{"6.18", `config = { max_strlen = 5000000 } rawtracepoint:sys_enter { print(strstr(str(arg0), str(arg1))) }`, "takes more steps than the kernel allows"},
		{"6.18", `config = { max_strlen = 67108864 } rawtracepoint:sys_enter { $t = (` + strings.Repeat("str(arg0), ", 8) + `1); print(strlen($t.7)) }`,
			"bytes at once; the kernel allows 536870912 (see max_strlen)"},
		{"5.10", `config = { max_strlen = 5000000 } rawtracepoint:sys_enter { $s = str(arg0); print($s) }`, "5000000 bytes at once; the kernel allows 4194304 (see max_strlen)"},
		{"5.10", `config = { max_strlen = 65536 } rawtracepoint:sys_enter { print(strlen(str(arg0))) }`, "looking at 65536 bytes (see max_strlen) needs Linux 5.17 or later; this is 5.10"},
		{"5.10", `rawtracepoint:sys_enter { @[str(arg0)] = 1 }`, "a key of 1024 bytes (more than 512; see max_strlen) needs Linux 5.11 or later; this is 5.10"},
	} {
		if _, err := compileOpt(c.src, features(c.release), 2); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.src, err, c.want)
		}
	}
}
