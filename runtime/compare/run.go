package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// cost is what a script costs: instructions, and nanoseconds per run.
type cost struct{ insns, ns float64 }

// compareScripts prints what runs of scripts cost.
func compareScripts(tracers []tracer, o options) error {
	fmt.Printf("\n%-24s", "per run")
	for _, t := range tracers {
		fmt.Printf(" %9s insns  ns/run", t.name)
	}
	if len(tracers) == 2 {
		fmt.Printf("   ratios: insns  ns/run")
	}
	fmt.Println()
	var ratios []cost
	for _, s := range scripts() {
		if !o.only.MatchString(s.name) {
			continue
		}
		if r, ok := compareScript(tracers, s, o.rounds); ok {
			ratios = append(ratios, r)
		}
	}
	if len(ratios) > 0 {
		insns := geomean(ratios, func(c cost) float64 { return c.insns })
		ns := geomean(ratios, func(c cost) float64 { return c.ns })
		fmt.Printf("geometric mean of the ratios over %d scripts: instructions %.3f, nanoseconds %.3f\n", len(ratios), insns, ns)
	}
	return nil
}

// compareScript prints one line. The result is the ratio, if there are two
// tracers and both could run the script.
func compareScript(tracers []tracer, s script, rounds int) (cost, bool) {
	fmt.Printf("%-24s", s.name)
	all := make([][]cost, len(tracers))
	for range rounds {
		for i, t := range tracers {
			c, err := measure(t, s)
			if err != nil {
				fmt.Printf(" %s: %v\n", t.name, err)
				return cost{}, false
			}
			all[i] = append(all[i], c)
		}
	}
	var mid []cost
	for _, list := range all {
		var insns, ns []float64
		for _, c := range list {
			insns, ns = append(insns, c.insns), append(ns, c.ns)
		}
		c := cost{median(insns), median(ns)}
		mid = append(mid, c)
		fmt.Printf(" %15.0f %7.0f", c.insns, c.ns)
	}
	if len(mid) < 2 {
		fmt.Println()
		return cost{}, false
	}
	ratio := cost{mid[0].insns / mid[1].insns, mid[0].ns / mid[1].ns}
	fmt.Printf(" %15.3f %7.3f\n", ratio.insns, ratio.ns)
	return ratio, true
}

// measure attaches a script, runs its load and reads what the kernel counted.
func measure(t tracer, s script) (c cost, err error) {
	before, err := programs()
	if err != nil {
		return c, err
	}
	run, err := t.start(s.text)
	if err != nil {
		return c, err
	}
	defer func() { err = stopped(run, err) }()
	if _, err := run.await("Attached"); err != nil {
		return c, err
	}
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return c, err
	}
	s.load.run()
	after, err := programs()
	if err := errors.Join(err, stats.Close()); err != nil {
		return c, err
	}
	return hot(before, after, uint64(s.load.runs)/2)
}

// hot sums up the programs that were not there before and ran often. Several of
// them share an event, as the two probes of a pair do: times are added.
func hot(before, after map[ebpf.ProgramID]program, often uint64) (cost, error) {
	var c cost
	for id, p := range after {
		if _, old := before[id]; !old && p.runs > often {
			c.insns += p.insns
			c.ns += p.ns / float64(p.runs)
		}
	}
	if c.insns == 0 || c.ns == 0 {
		return c, errors.New("no program ran at the load")
	}
	return c, nil
}

// program is what the kernel knows of a loaded program.
type program struct {
	insns, ns float64
	runs      uint64
}

// programs lists the programs that are loaded.
func programs() (map[ebpf.ProgramID]program, error) {
	list := map[ebpf.ProgramID]program{}
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		id = next
		p, err := readProgram(id)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has just gone
		}
		if err != nil {
			return nil, err
		}
		list[id] = p
	}
}

func readProgram(id ebpf.ProgramID) (program, error) {
	prog, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return program{}, err
	}
	defer prog.Close()
	info, err := prog.Info()
	if err != nil {
		return program{}, err
	}
	stats, err := prog.Stats()
	if err != nil {
		return program{}, err
	}
	size, err := info.TranslatedSize()
	return program{float64(size / 8), float64(stats.Runtime.Nanoseconds()), stats.RunCount}, err
}

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func geomean(list []cost, of func(cost) float64) float64 {
	sum := 0.0
	for _, c := range list {
		sum += math.Log(of(c))
	}
	return math.Exp(sum / float64(len(list)))
}
