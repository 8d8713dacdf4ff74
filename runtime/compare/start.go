package main

import (
	"fmt"
	"os/exec"
	"time"
)

// The scripts of the first table.
const (
	hello     = `begin { printf("hi\n"); exit(); }`
	helloStay = `begin { printf("hi\n"); }`
	typedLine = `tracepoint:sched:sched_switch { @[args.next_comm] = count(); }`
)

// figure is one line of the first table: what it says, and how it is measured.
type figure struct {
	name, unit string
	measure    func(tracer) (float64, error)
}

// compareStart prints how long tracers take to start, and their memory.
func compareStart(tracers []tracer, o options) error {
	fmt.Printf("\n%-42s", "start-up, medians")
	header(tracers)
	for _, f := range []figure{
		{"begin { printf(\"hi\\n\"); exit(); }", "ms", wholeRun},
		{"the same, peak memory", "MB", memory},
		{"tracepoint with types, to \"Attached\"", "ms", attached},
	} {
		values := make([][]float64, len(tracers))
		for range o.rounds {
			for i, t := range tracers {
				v, err := f.measure(t)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", t.name, f.name, err)
				}
				values[i] = append(values[i], v)
			}
		}
		fmt.Printf("%-42s", f.name)
		for i := range tracers {
			fmt.Printf(" %10.1f %s", median(values[i]), f.unit)
		}
		if len(tracers) == 2 {
			fmt.Printf(" %8.3f", median(values[0])/median(values[1]))
		}
		fmt.Println()
	}
	return nil
}

func header(tracers []tracer) {
	for _, t := range tracers {
		fmt.Printf(" %13s", t.name)
	}
	if len(tracers) == 2 {
		fmt.Printf(" %8s", "ratio")
	}
	fmt.Println()
}

// wholeRun is the wall time of a process that says hi, in ms.
func wholeRun(t tracer) (float64, error) {
	begun := time.Now()
	out, err := exec.Command(t.path, "-e", hello).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	return ms(time.Since(begun)), nil
}

// memory is the peak of a process that said hi, in MB. A process that ended has
// no figure of its own: that of rusage holds the memory of its parent.
func memory(t tracer) (float64, error) {
	run, err := t.start(helloStay)
	if err != nil {
		return 0, err
	}
	if _, err = run.await("hi"); err != nil {
		return 0, stopped(run, err)
	}
	kib, err := run.peak()
	return kib * 1024 / 1e6, stopped(run, err)
}

// attached is the time until the tracer says that a script is attached, in ms.
func attached(t tracer) (float64, error) {
	run, err := t.start(typedLine)
	if err != nil {
		return 0, err
	}
	took, err := run.await("Attached")
	return ms(took), stopped(run, err)
}

// stopped ends a run and returns the first error.
func stopped(run *tracing, err error) error {
	if stop := run.stop(); err == nil {
		err = stop
	}
	return err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
