// Package build turns the checked script into the SSA form: one ir.Program for
// each probe, and the maps and event records of the object.
//
// Scalars become SSA values; what does not fit a register lives in slots and is
// built where it is needed: strings and tuples straight in a map key, a
// variable or a ring buffer record. Loops that the verifier would have to walk
// turn by turn become callbacks of the kernel; the variables that they share
// with the code around them lie in an environment that the callback gets a
// pointer to (see plan.go).
//
// Invariants of the values of expressions: an integer, boolean or enum is
// extended to 64 bits by the sign of its type; a value of ir type Ptr is one
// that the verifier tracks. Code behind a return is generated in blocks that
// nothing reaches, which the optimiser removes.
package build

import (
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
)

// Options say what to build for.
type Options struct {
	Features Features
	NumCPU   int         // possible processors, at least 1
	Files    *source.Set // resolves the positions of records; may be nil
	// Syscalls returns the names of the system calls by number; nil: unknown.
	Syscalls func() []string
}

// Result is what Script makes. The object has no programs yet, and the value
// size of its scratch map is set by the caller once it is known.
type Result struct {
	Programs []*ir.Program // one for each probe, in order
	Object   *object.Object
	Scratch  *object.Map
}

// Script builds all probes of p. Constructs that the kernel is too old for are
// reported with their place; the error is then a *diag.List.
func Script(p *typed.Program, o Options) (*Result, error) {
	s := newScript(p, o)
	res := &Result{Object: s.obj}
	for i, probe := range p.Probes {
		res.Programs = append(res.Programs, s.probe(probe, i))
	}
	if err := s.errs.Err(); err != nil {
		return nil, err
	}
	s.finish()
	res.Scratch = s.scratch
	return res, nil
}

// program is the state of one probe.
type program struct {
	*script
	probe  *typed.Probe
	target *target.Target // the first of the probe's; the layout of arguments is that of all
	out    *ir.Program
	plan   *plan
	main   *fn
	// repeats are the callbacks of repeat, by name and depth.
	repeats map[string]*ir.Func
}

func (s *script) probe(p *typed.Probe, index int) *ir.Program {
	out := &ir.Program{Name: p.Name, Scratch: s.irMap(s.scratch), ScratchKey: int64(index)}
	g := &program{script: s, probe: p, target: p.Targets[0], out: out, repeats: map[string]*ir.Func{}}
	g.plan = newPlan(g, p.Body)
	main := ir.NewFunc("main", ir.Ptr)
	main.Context = true
	out.Main = main
	f := newFn(g, main, g.plan.root, nil)
	g.main = f
	f.b.Span = p.Span
	f.prologue()
	f.block(p.Body)
	f.b.Span = p.Span
	f.b.Return(f.num(0))
	return out
}

func (s *script) needs(sp source.Span, what, release string) {
	s.errs.Errorf(diag.NeedsKernel, sp, "%s needs Linux %s or later; this is %s", what, release, s.opt.Features.Release)
}
