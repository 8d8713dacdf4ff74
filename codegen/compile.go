// Package codegen compiles a checked script to eBPF programs.
//
// Compile is a pure function of the typed tree, the target and the options: it
// runs the stages build, opt, lower, regalloc and emit for each probe and
// collects the result in an object.Object. Nothing is loaded and no machine is
// asked. Probes are compiled independently of one another once they are built.
package codegen

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/gotrace/gotrace/codegen/internal/build"
	"github.com/gotrace/gotrace/codegen/internal/emit"
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/internal/lower"
	"github.com/gotrace/gotrace/codegen/internal/opt"
	"github.com/gotrace/gotrace/codegen/internal/regalloc"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/typed"
)

// Compile compiles p. The error is a *diag.List if the script uses what the
// target lacks or is beyond the limits of eBPF. Any other error is a bug of the
// compiler, and names the stage and the probe.
func Compile(p *typed.Program, t Target, o Options) (*object.Object, error) {
	c := &compiler{target: t, opt: o, dump: &dumper{to: o.Dump}}
	res, err := c.build(p)
	if err != nil {
		return nil, err
	}
	if len(res.Programs) > 0 {
		c.scratch = res.Programs[0].Scratch
	}
	obj := res.Object
	obj.Programs = make([]*object.Program, len(res.Programs))
	errs := make([]error, len(res.Programs))
	c.each(len(res.Programs), func(i int) {
		obj.Programs[i], errs[i] = c.program(p.Probes[i], res.Programs[i])
	})
	for i, err := range errs {
		if err != nil {
			return nil, c.limit(p.Probes[i], err)
		}
	}
	scratch, err := c.scratchMaps(p, res)
	if err != nil {
		return nil, err
	}
	obj.Maps = append(obj.Maps, scratch...)
	return obj, nil
}

type compiler struct {
	target Target
	opt    Options
	dump   *dumper
	// scratch is the map for the scratch memory of programs that need little.
	scratch *ir.Map
}

func (c *compiler) build(p *typed.Program) (res *build.Result, err error) {
	defer func() { recovered(recover(), "build", "", &err) }()
	return build.Script(p, build.Options{
		Features: c.target.Features, NumCPU: c.target.NumCPU, Files: c.opt.Files, Syscalls: c.target.Syscalls,
	})
}

// each calls f for 0 to n-1, from several goroutines where that pays.
func (c *compiler) each(n int, f func(i int)) {
	workers := min(n/2, runtime.GOMAXPROCS(0))
	if workers < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// program runs the stages behind build for one probe.
func (c *compiler) program(probe *typed.Probe, p *ir.Program) (out *object.Program, err error) {
	stage := "build"
	defer func() { recovered(recover(), stage, probe.Name, &err) }()
	c.dump.stage("ir", probe.Name, p.String)
	if c.opt.Verify {
		if err := ir.VerifyProgram(p); err != nil {
			return nil, fmt.Errorf("build: probe %s: %w", probe.Name, err)
		}
	}
	stage = "opt"
	if err := opt.Run(p, c.opt.Opt, c.dump.passes(probe.Name), c.opt.Verify); err != nil {
		return nil, fmt.Errorf("opt: probe %s: %w", probe.Name, err)
	}
	stage = "lower"
	if err := lower.Program(p); err != nil {
		return nil, fmt.Errorf("lower: probe %s: %w", probe.Name, err)
	}
	c.dump.stage("lower", probe.Name, p.String)
	stage = "regalloc"
	allocs, err := c.allocate(p)
	if err != nil {
		return nil, fmt.Errorf("regalloc: probe %s: %w", probe.Name, err)
	}
	c.dump.stage("regalloc", probe.Name, func() string {
		var b strings.Builder
		for _, a := range allocs {
			b.WriteString(regalloc.Dump(a))
		}
		return b.String()
	})
	if c.opt.Verify {
		for _, a := range allocs {
			if err := regalloc.Verify(a); err != nil {
				return nil, fmt.Errorf("regalloc: probe %s: %w", probe.Name, err)
			}
		}
	}
	stage = "emit"
	insns, marks, err := emit.Program(p, allocs, emit.Options{SignExtend: c.target.Features.SignExtend})
	if err != nil {
		return nil, fmt.Errorf("emit: probe %s: %w", probe.Name, err)
	}
	c.dump.stage("asm", probe.Name, func() string { return listing(insns) })
	out = &object.Program{Name: probe.Name, Insns: insns, Targets: probe.Targets, Span: probe.Span}
	for _, m := range marks {
		out.Sources = append(out.Sources, object.SourcePos{Off: m.Off, Span: m.Span})
	}
	return out, c.checkMaps(out)
}

// allocate gives the values of p their places. What does not fit the stack goes
// to scratch memory, in as many rounds as that takes.
func (c *compiler) allocate(p *ir.Program) ([]*ir.Alloc, error) {
	d := lower.NewDemoter(p)
	for {
		c.spread(p)
		allocs := regalloc.Program(p, regalloc.Options{})
		excess := regalloc.Excess(allocs)
		if excess == 0 {
			return allocs, nil
		}
		if !d.Demote(allocs, excess) {
			return nil, &ir.LimitError{Msg: fmt.Sprintf("too much is in use at once, which takes %d bytes more than the %d of the stack", excess, ir.StackSize)}
		}
	}
}

// recovered turns a panic, which is a bug of the compiler, into an error.
func recovered(r any, stage, probe string, err *error) {
	if r != nil {
		*err = fmt.Errorf("%s: probe %s: internal error: %v\n%s", stage, probe, r, debug.Stack())
	}
}
