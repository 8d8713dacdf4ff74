package printf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// show writes items in a short form: text in quotes, conversions with their
// flags, width and bits.
func show(items []Item) string {
	var out []string
	for _, it := range items {
		if it.Verb == 0 {
			out = append(out, fmt.Sprintf("%q", it.Text))
			continue
		}
		flags := ""
		for _, f := range []struct {
			on   bool
			char string
		}{{it.Minus, "-"}, {it.Plus, "+"}, {it.Space, " "}, {it.Sharp, "#"}, {it.Zero, "0"}} {
			if f.on {
				flags += f.char
			}
		}
		out = append(out, fmt.Sprintf("%s[%s]%d/%d", it, flags, it.Width, it.Bits))
	}
	return strings.Join(out, " ")
}

func TestParse(t *testing.T) {
	for format, want := range map[string]string{
		"":                  ``,
		"just text\n":       `"just text\n"`,
		"a %d b":            `"a " %d[]0/32 " b"`,
		"%-+ #012lx":        `%x[-+ #0]12/64`,
		"%hhd%hd%lld%zu%jX": `%d[]0/8 %d[]0/16 %d[]0/64 %u[]0/64 %X[]0/64`,
		"%r%rx%rh%gr%p%c":   `%r[]0/32 %rx[]0/32 %rh[]0/32 %gr[]0/32 %p[]0/32 %c[]0/32`,
		"%10.3s%.*s%*d":     `%s[]10/32 %s[]0/32 %d[]0/32`,
		"100%% %5% %-05%":   `"100% % %"`,
		"%y %k 50%, %":      `"%y %k 50%, %"`,
		"%-z %5 %l %ll %h|": `"%-z %5 %l %ll %h|"`,
		"%0-5d":             `"%0-5d"`, // flags in another order
		"50% off":           `"50" %o[ ]0/32 "ff"`,
		"%99999999999999d":  `%d[]65536/32`,
		"%rxrh":             `%rx[]0/32 "rh"`,
	} {
		items, err := Parse(format)
		if err != nil || show(items) != want {
			t.Errorf("%q: %s, %v; want %s", format, show(items), err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for format, offset := range map[string]int{"%f": 0, "ab %5e": 3, "%-g %d": 0, "%d%a": 2, "%n": 0, "%lF": 0} {
		_, err := Parse(format)
		var e *Error
		if !errors.As(err, &e) || e.Offset != offset || !strings.HasSuffix(format, e.Verb) && e.Verb != "g" {
			t.Errorf("%q: %v", format, err)
		}
	}
}

func TestArgumentKinds(t *testing.T) {
	items, err := Parse("%d%i%u%o%x%X%c%p%gr|%r%rx%rh|%s")
	if err != nil {
		t.Fatal(err)
	}
	var kinds strings.Builder
	for _, it := range items {
		switch {
		case it.Verb == 0:
			kinds.WriteString(it.Text)
		case it.Integer():
			kinds.WriteByte('n')
		case it.Buffer():
			kinds.WriteByte('b')
		default:
			kinds.WriteByte('*')
		}
	}
	if got := kinds.String(); got != "nnnnnnnnn|bbb|*" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a %-+ #0123.45lld %rx %% %")
	f.Fuzz(func(t *testing.T, format string) {
		items, err := Parse(format)
		if err != nil {
			return
		}
		for i, it := range items {
			if it.Verb == 0 && (it.Text == "" || i > 0 && items[i-1].Verb == 0) {
				t.Errorf("%q: %s", format, show(items))
			}
			if it.Width > maxWidth {
				t.Errorf("%q: width %d", format, it.Width)
			}
		}
	})
}

// TestStray shows what looks like a conversion and is none.
func TestStray(t *testing.T) {
	for format, want := range map[string]string{
		"%d %q":    "%q",
		"%-5lk":    "%-5lk",
		"%d %% %s": "",
		"100%":     "",
		"100%!":    "",
	} {
		if got := Stray(format); got != want {
			t.Errorf("Stray(%q) = %q, want %q", format, got, want)
		}
	}
}
