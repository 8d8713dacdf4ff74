// Package opt improves the SSA form of a program.
//
// Input and output is an ir.Program that satisfies ir.VerifyProgram; the
// output has no unreachable blocks, which the kernel would refuse. What a
// program does is kept, with three liberties that a tracer can take: memory
// that other processors change may be read once where the script reads it
// twice, calls that only read may happen later, and not at all where nothing
// uses their result.
//
// The kernel's verifier reads the result, so besides the meaning the passes
// keep what it needs: masks and bounds checks of values that reach an address
// or a size, null checks of lookups, and pointers apart from numbers. Values
// in memory are little-endian, as on all supported machines.
package opt

import (
	"fmt"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Pass is one transformation of a function. Run reports whether it changed
// anything.
type Pass struct {
	Name     string
	Run      func(*ir.Func) bool
	Required bool     // also without optimisation
	After    []string // passes that must have run before
}

// Passes returns the passes in the order in which they run.
func Passes() []Pass {
	return []Pass{
		{Name: "reach", Run: (*ir.Func).RemoveUnreachable, Required: true},
		{Name: "simplify", Run: simplify, After: []string{"reach"}},
		{Name: "branch", Run: branches, After: []string{"simplify"}},
		{Name: "gvn", Run: gvn, After: []string{"simplify"}},
		{Name: "forward", Run: forward, After: []string{"gvn"}},
		{Name: "mapptr", Run: mapptr, After: []string{"gvn", "forward"}},
		{Name: "simplify", Run: simplify},
		{Name: "branch", Run: branches},
		{Name: "gvn", Run: gvn},
		{Name: "deadstore", Run: deadstore, After: []string{"forward", "mapptr"}},
		{Name: "dce", Run: dce, After: []string{"deadstore"}},
		{Name: "sink", Run: sink, After: []string{"dce", "gvn"}},
		{Name: "deadstore", Run: deadstore},
		{Name: "branch", Run: branches},
		{Name: "dce", Run: dce},
	}
}

// checkOrder reports a pass that comes before one that it needs.
func checkOrder(passes []Pass) error {
	seen := map[string]bool{}
	for _, p := range passes {
		for _, a := range p.After {
			if !seen[a] {
				return fmt.Errorf("pass %s must run after %s", p.Name, a)
			}
		}
		seen[p.Name] = true
	}
	return nil
}

// Run optimises p. At level 0 only the required passes run. dump, if not nil,
// gets the text of the program after each pass that changed it. With verify
// the order of the passes is checked, and the program after each of them, which
// finds compiler bugs where they happen; an error is always such a bug.
func Run(p *ir.Program, level int, dump func(pass, text string), verify bool) error {
	passes := Passes()
	if verify {
		if err := checkOrder(passes); err != nil {
			return err
		}
	}
	for _, pass := range passes {
		if level <= 0 && !pass.Required {
			continue
		}
		changed := false
		for _, f := range p.Funcs() {
			changed = pass.Run(f) || changed
		}
		if verify {
			if err := ir.VerifyProgram(p); err != nil {
				return fmt.Errorf("after pass %s: %w", pass.Name, err)
			}
		}
		if changed && dump != nil {
			dump(pass.Name, p.String())
		}
	}
	return nil
}
