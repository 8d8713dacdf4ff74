package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/target"
)

func TestSplitKeepsWhatQuotesHold(t *testing.T) {
	for text, want := range map[string][]string{
		"BEGIN":                     {"BEGIN"},
		"name=kprobe:f":             {"kprobe", "f"},
		`u:"/a:b":"x y"`:            {"u", "/a:b", "x y"},
		`u:"a\"b":c`:                {"u", `a"b`, "c"},
		`u:/bin/x:cpp:"ns::f(int)"`: {"u", "/bin/x", "cpp", "ns::f(int)"},
		"software:faults:":          {"software", "faults", ""},
		"uprobe:/a=b:f":             {"uprobe", "/a=b", "f"},
		`uprobe:"/x@y"@a.c:3`:       {"uprobe", "/x@y@a.c", "3"},
	} {
		parts, err := Split(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, p := range parts {
			got = append(got, p.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s splits into %q, want %q", text, got, want)
		}
	}
	parts, err := Split(`uprobe:"/x@y"@a.c:3`)
	if err != nil || parts[1].At != 4 {
		t.Errorf("the @ outside quotes is at %d, %v; want 4", parts[1].At, err)
	}
	if _, err := Split(`u:"a`); err == nil {
		t.Error("an unterminated string is accepted")
	}
}

func TestStarIsTheOnlyWildcard(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a*", "a", true}, {"*a", "ba", true},
		{"a*b*c", "aXbYbZc", true}, {"a*b", "abX", false}, {"u?", "ux", false}, {"[a]", "a", false}, {"**x", "x", true},
	} {
		if got := Match(test.pattern, test.name); got != test.want {
			t.Errorf("Match(%q, %q) = %t", test.pattern, test.name, got)
		}
	}
	// Hostile patterns must not take exponential time.
	if Match(strings.Repeat("a*", 2000)+"b", strings.Repeat("a", 4000)) {
		t.Error("matched without a b")
	}
}

func TestProviderNames(t *testing.T) {
	for name, want := range map[string]target.Provider{
		"BEGIN": target.Begin, "u": target.Uprobe, "U": target.USDT, "kretfunc": target.Fexit, "Interval": target.Interval,
	} {
		if got, ok := Kind(name); !ok || got != want {
			t.Errorf("Kind(%s) = %s, want %s", name, got, want)
		}
	}
	if kind, ok := Kind("nosuch"); ok {
		t.Errorf("nosuch is %s", kind)
	}
}

func TestNumbersAndDurations(t *testing.T) {
	for text, want := range map[string]uint64{"42": 42, "1_000": 1000, "0x1F": 31, "1e4": 10000, "010": 8, "18446744073709551615": 1<<64 - 1} {
		if n, err := Number(text); err != nil || n != want {
			t.Errorf("Number(%s) = %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "-1", "x", "1x", "1_", "12e3", "5e99", "1e0", "1e01", "0x", "18446744073709551616", "08"} {
		if n, err := Number(text); err == nil {
			t.Errorf("Number(%q) = %d, want an error", text, n)
		}
	}
	for text, want := range map[string]uint64{"10ms": 1e7, "5us": 5000, "7ns": 7, "2m": 12e10, "1h": 36e11, "99": 99} {
		if n, err := Duration(text); err != nil || n != want {
			t.Errorf("Duration(%s) = %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "s", "ms", "1.5s", "99999999999999d", "1w"} {
		if n, err := Duration(text); err == nil {
			t.Errorf("Duration(%q) = %d, want an error", text, n)
		}
	}
}
