package codegen

import (
	"fmt"
	"strings"

	"github.com/gotrace/gotrace/codegen/internal/emit"
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/internal/lower"
	"github.com/gotrace/gotrace/codegen/internal/opt"
	"github.com/gotrace/gotrace/codegen/internal/regalloc"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/typed"
)

// job is one probe on its way through the stages.
type job struct {
	*compiler
	probe  *typed.Probe
	ir     *ir.Program
	allocs []*ir.Alloc     // once registers are allocated
	out    *object.Program // once instructions are emitted
}

// compile runs the stages. What build has made, for all probes at once, is looked
// at first.
func (j *job) compile() error {
	for _, stage := range [...]struct {
		name string
		run  func(*job) error
	}{
		{"build", (*job).built},
		{"opt", (*job).optimise},
		{"lower", (*job).lower},
		{"regalloc", (*job).allocate},
		{"emit", (*job).emit},
	} {
		if err := j.stage(stage.name, stage.run); err != nil {
			return err
		}
	}
	return j.checkMaps(j.out)
}

// stage runs one stage; an error names it and the probe.
func (j *job) stage(name string, run func(*job) error) (err error) {
	defer func() { recovered(recover(), name, j.probe.Name, &err) }()
	if err := run(j); err != nil {
		return fmt.Errorf("%s: probe %s: %w", name, j.probe.Name, err)
	}
	return nil
}

func (j *job) built() error {
	j.dump.stage("ir", j.probe.Name, j.ir.String)
	if j.opt.Verify {
		return ir.VerifyProgram(j.ir)
	}
	return nil
}

func (j *job) optimise() error {
	return opt.Run(j.ir, j.opt.Opt, j.dump.passes(j.probe.Name), j.opt.Verify)
}

func (j *job) lower() error {
	if err := lower.Program(j.ir); err != nil {
		return err
	}
	j.dump.stage("lower", j.probe.Name, j.ir.String)
	return nil
}

// allocate gives the values their places; with Verify it shows that they are right.
func (j *job) allocate() error {
	if err := j.fit(); err != nil {
		return err
	}
	j.dump.stage("regalloc", j.probe.Name, func() string {
		var b strings.Builder
		for _, a := range j.allocs {
			b.WriteString(regalloc.Dump(a))
		}
		return b.String()
	})
	if !j.opt.Verify {
		return nil
	}
	for _, a := range j.allocs {
		if err := regalloc.Verify(a); err != nil {
			return err
		}
	}
	return nil
}

// fit allocates registers. What does not fit the stack goes to scratch memory,
// in as many rounds as that takes.
func (j *job) fit() error {
	d := lower.NewDemoter(j.ir)
	for {
		j.spread(j.ir)
		j.allocs = regalloc.Program(j.ir, regalloc.Options{})
		excess := regalloc.Excess(j.allocs)
		if excess == 0 {
			return nil
		}
		if !d.Demote(j.allocs, excess) {
			return &ir.LimitError{Msg: fmt.Sprintf("too much is in use at once, which takes %d bytes more than the %d of the stack", excess, ir.StackSize)}
		}
	}
}

func (j *job) emit() error {
	insns, marks, err := emit.Program(j.ir, j.allocs, emit.Options{SignExtend: j.target.Features.SignExtend})
	if err != nil {
		return err
	}
	j.dump.stage("asm", j.probe.Name, func() string { return listing(insns) })
	j.out = &object.Program{Name: j.probe.Name, Insns: insns, Targets: j.probe.Targets, Span: j.probe.Span}
	for _, m := range marks {
		j.out.Sources = append(j.out.Sources, object.SourcePos{Off: m.Off, Span: m.Span})
	}
	return nil
}
