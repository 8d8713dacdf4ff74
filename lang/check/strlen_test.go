package check_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// TestSmallMaxStrlen has what makes strings and buffers of max_strlen bytes, with
// hardly any: they still have a byte for the zero byte, or for the length.
func TestSmallMaxStrlen(t *testing.T) {
	for _, body := range []string{
		`@r = str(curtask); @i[str(curtask, 5)] = 1; $n = pid; print(str(curtask, $n));`,
		`print(buf(curtask, 1)); $n = pid; print(buf(curtask, $n)); print(buf((uint8[8])(uint64)1));`,
		`print(str_concat(comm, comm)); print(getopt("x", ""));`,
	} {
		for _, n := range []string{"0", "1", "3"} {
			script := "config = { max_strlen = " + n + " } begin { " + body + " }"
			if _, list := compile(hosttest.New(), script); list.HasErrors() {
				t.Errorf("%s: %s", script, list.Error())
			}
		}
	}
}

// TestLongLiteral shows that the report on a long literal names the limit and the
// text, of which it does not repeat megabytes.
func TestLongLiteral(t *testing.T) {
	script := `config = { max_strlen = 80 } begin { print("` + strings.Repeat("ä", 5000) + `"); }`
	_, list := compile(hosttest.New(), script)
	want := "String is too long (over 80 bytes): " + strings.Repeat("ä", 20) + "…"
	if got := list.Diags[0].Msg; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
