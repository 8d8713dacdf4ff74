package regalloc

import (
	"fmt"
	"strings"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Dump prints an allocation for people: each operation with the places of its
// result and operands, and the moves between them.
func Dump(a *ir.Alloc) string {
	var w strings.Builder
	fmt.Fprintf(&w, "func %s: frame %d, %d spill slots\n", a.Func.Name, a.Frame(), a.Spills)
	for _, b := range ir.RPO(a.Func) {
		fmt.Fprintf(&w, "b%d:\n", b.ID)
		for _, s := range a.Blocks[b.ID].Steps {
			dumpStep(&w, s)
		}
		fmt.Fprintf(&w, "\t%s", termName(b.Term.Kind))
		for _, l := range a.Blocks[b.ID].Term {
			if l != ir.NoLoc {
				fmt.Fprintf(&w, " %s", placeName(l))
			}
		}
		for _, e := range b.Term.Succs {
			fmt.Fprintf(&w, " b%d", e.To.ID)
		}
		w.WriteByte('\n')
	}
	return w.String()
}

func dumpStep(w *strings.Builder, s ir.Step) {
	switch {
	case s.Move && s.Value == nil:
		fmt.Fprintf(w, "\t%s <- %s\n", placeName(s.Dst), placeName(s.Src))
		return
	case s.Move && s.Src == ir.NoLoc:
		fmt.Fprintf(w, "\t%s <- %s\n", placeName(s.Dst), s.Value)
		return
	case s.Move:
		fmt.Fprintf(w, "\t%s <- %s\tv%d\n", placeName(s.Dst), placeName(s.Src), s.Value.ID)
		return
	}
	w.WriteByte('\t')
	if s.Dst != ir.NoLoc {
		fmt.Fprintf(w, "%s = ", placeName(s.Dst))
	}
	fmt.Fprintf(w, "%s\t", s.Value)
	for i := range min(len(s.Value.Args), len(s.Args)) {
		fmt.Fprintf(w, " %s", placeName(s.Args[i]))
	}
	w.WriteByte('\n')
}

func placeName(l ir.Loc) string {
	switch {
	case l == ir.NoLoc:
		return "-"
	case l.IsReg():
		return fmt.Sprintf("r%d", l)
	}
	return fmt.Sprintf("s%d", l.Spill())
}

func termName(k ir.TermKind) string {
	switch k {
	case ir.Jump:
		return "jump"
	case ir.Branch:
		return "branch"
	case ir.Return:
		return "return"
	}
	return "?"
}
