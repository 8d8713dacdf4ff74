package regalloc_test

import (
	"strings"
	"testing"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/internal/lower"
	"github.com/gotrace/gotrace/codegen/internal/regalloc"
)

// A number that is compared and then needed from its spill slot is stored again
// behind the comparison, on either side, as old verifiers learn only about the
// register what the comparison says.
func TestNarrowedSpills(t *testing.T) {
	p, err := ir.Parse(`program p
func main context {
b0(v0 ptr):
  v1 = call number()
  v2 = const 5
  v3 = ult v1, v2
  branch v3 -> b1(), b2()
b1():
  v4 = call number()
  v5 = add v4, v1
  return v5
b2():
  v6 = call number()
  v7 = sub v6, v1
  return v7
}
`, func(name string) *ir.Helper {
		return &ir.Helper{Name: name, Effect: ir.Emit, Result: ir.I64, Writes: -1, SizeArg: -1}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := lower.Program(p); err != nil {
		t.Fatal(err)
	}
	a := regalloc.Func(p.Main, regalloc.Options{Regs: 0x7}) // none that a call keeps
	if err := regalloc.Verify(a); err != nil {
		t.Fatal(err)
	}
	text := regalloc.Dump(a)
	for _, block := range []string{"b1:\n", "b2:\n"} {
		if !strings.Contains(text, block+"\ts0 <- r0\tv1\n") {
			t.Errorf("no store of v1 at the start of %sin\n%s", block, text)
		}
	}
}
