package parse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/parse"
)

// thousandProbes is a script of 1,000 probes with ten statements each.
func thousandProbes() string {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "tracepoint:syscalls:sys_enter_%d / pid == %d / {\n", i, i)
		for j := range 10 {
			fmt.Fprintf(&b, "  @m%d[comm, %d] = $x + args.fd * %d;\n", j, i, j)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// BenchmarkBuild is what the first parse of a process costs in addition.
func BenchmarkBuild(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		parse.NewParser()
	}
}

func BenchmarkParse(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"one-liner", `tracepoint:syscalls:sys_enter_openat { printf("%s %s\n", comm, str(args.filename)); }`},
		{"1000-probes", thousandProbes()},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bench.text)))
			for b.Loop() {
				if _, list := parseText(bench.text); list.HasErrors() {
					b.Fatal(list)
				}
			}
		})
	}
}
