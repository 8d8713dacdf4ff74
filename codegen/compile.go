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
	"sync"

	"github.com/gotrace/gotrace/codegen/internal/build"
	"github.com/gotrace/gotrace/codegen/internal/ir"
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
		j := &job{compiler: c, probe: p.Probes[i], ir: res.Programs[i]}
		errs[i] = j.compile()
		obj.Programs[i] = j.out
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

// recovered turns a panic, which is a bug of the compiler, into an error.
func recovered(r any, stage, probe string, err *error) {
	if r != nil {
		*err = fmt.Errorf("%s: probe %s: internal error: %v\n%s", stage, probe, r, debug.Stack())
	}
}
