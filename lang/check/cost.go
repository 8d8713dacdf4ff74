package check

import (
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// A short script can stand for a program of any size: macros that call one
// another twice, nested unrolls, a wildcard with a body for each target. So what
// the compiler is to work on is counted, in about instructions of the result,
// and bounded. The kernel takes a million instructions a program, and jumps
// reach 32767 of them: what is beyond these limits could not be loaded.
const (
	maxProbeCost = 100_000   // of one probe, each of the kinds of targets that it has counted for itself
	maxCost      = 1_000_000 // of the script
	// maxPassCost bounds all passes together.
	maxPassCost = 20_000_000
	// maxMacroDepth is how deep macros, of the script and of C, call one another.
	maxMacroDepth = 200
)

// The costs of what takes more than a few instructions.
const (
	costNode    = 1  // any statement or expression
	costCall    = 10 // a call of a function
	costElement = 20 // an element of a map
	costRecord  = 20 // what prints, which takes an event record
)

// cost is how much has been counted.
type cost struct {
	probe, script, passes int
	// over tells that a limit is exceeded. Nothing is looked at from then on.
	over    bool
	overAt  source.Span
	overOf  macroUse // the macro that was being expanded, if any
	overMax int
}

// macroUse is the use of a macro, of the script or of C, in the text of a probe.
type macroUse struct {
	name string
	at   source.Span // the use
	decl source.Span // the definition
}

// spend counts n for each copy of the code being checked. It reports false once
// the script is too large.
func (c *checker) spend(n int, at source.Span) bool {
	if c.fn != nil {
		n *= max(1, c.fn.copies)
	}
	return c.spendAll(n, at)
}

// spendAll counts n, in which copies are counted already.
func (c *checker) spendAll(n int, at source.Span) bool {
	k := &c.cost
	if k.over {
		return false
	}
	k.probe += n
	switch {
	case k.probe > maxProbeCost:
		k.overMax = maxProbeCost
	case k.script+k.probe > maxCost:
		k.overMax = maxCost
	default:
		return true
	}
	k.over, k.overAt, k.overOf = true, at, c.outerMacro
	return false
}

// spendElement counts an access to an element of a map; a map without keys is
// as cheap as a variable.
func (c *checker) spendElement(idx *ast.MapIndex, at source.Span) {
	if idx != nil {
		c.spend(costElement, at)
	}
}

// endProbe adds the cost of a probe to that of the script.
func (k *cost) endProbe() {
	k.script += k.probe
	k.passes += k.probe
	k.probe = 0
}

// reportOver says that the script is too large, and what makes it so.
func (c *checker) reportOver(to *diag.List) {
	k := &c.cost
	of := "probe"
	if k.overMax == maxCost {
		of = "script"
	}
	if k.overOf.name == "" {
		to.Errorf(diag.TooLarge, k.overAt, "the %s is too large: here it comes to more than %d instructions", of, k.overMax).
			Hint("unroll and wildcards multiply the code that they are about")
		return
	}
	to.Errorf(diag.TooLarge, k.overOf.at, "the macro %s expands too far: with it the %s comes to more than %d instructions", k.overOf.name, of, k.overMax).
		Note(k.overOf.decl, "this is the macro")
}

// enterMacro counts one more macro in another; leaveMacro takes it back. It
// reports false, with an error, where they nest too deeply.
func (c *checker) enterMacro(m macroUse) bool {
	if c.macroDepth == maxMacroDepth {
		c.diags.Errorf(diag.MacroError, c.outerMacro.at, "the macro %s calls others more than %d deep", c.outerMacro.name, maxMacroDepth).
			Note(m.decl, "this is macro %s, at which it was given up", m.name)
		return false
	}
	if c.macroDepth++; c.macroDepth == 1 {
		c.outerMacro = m
	}
	return true
}

func (c *checker) leaveMacro() {
	if c.macroDepth--; c.macroDepth == 0 {
		c.outerMacro = macroUse{}
	}
}
