// Command compare measures gotrace beside bpftrace in one run: start-up time and
// memory, and for a list of scripts the instructions and the time of a run.
//
// Input are the two commands; output is a table with ratios (below 1: gotrace
// needs less). The tracers take turns, so that what else the machine does meets
// both. Time per run is the kernel's own count (BPF_ENABLE_STATS), instructions
// are those after verification, summed over the programs that the load runs.
// Nothing is asserted: figures of a busy machine vary. Needs root.
//
//	go run ./runtime/compare -gotrace bin/gotrace -rounds 5 -only count
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// options are the command line.
type options struct {
	gotrace, bpftrace string
	rounds            int
	only              *regexp.Regexp
}

func main() {
	log.SetFlags(0)
	o, err := parse()
	if err == nil {
		err = compare(o)
	}
	if err != nil {
		log.Fatal("compare: ", err)
	}
}

func parse() (options, error) {
	var o options
	var only string
	flag.StringVar(&o.gotrace, "gotrace", "bin/gotrace", "the gotrace `command`")
	flag.StringVar(&o.bpftrace, "bpftrace", "", "the bpftrace `command`; default: from PATH or ~/.cache/gotrace/peers/bin")
	flag.IntVar(&o.rounds, "rounds", 3, "measurements of each figure; the median counts")
	flag.StringVar(&only, "only", "", "only scripts whose names match this `expression`")
	flag.Parse()
	if o.rounds < 1 {
		return o, errors.New("-rounds must be at least 1")
	}
	if o.bpftrace == "" {
		o.bpftrace = findPeer()
	}
	var err error
	o.only, err = regexp.Compile(only)
	return o, err
}

// findPeer returns bpftrace's path, or "" if there is none.
func findPeer() string {
	if path, err := exec.LookPath("bpftrace"); err == nil {
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	path := filepath.Join(cache, "gotrace", "peers", "bin", "bpftrace")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// compare prints the tables.
func compare(o options) error {
	tracers := []tracer{{"gotrace", o.gotrace}}
	if o.bpftrace != "" {
		tracers = append(tracers, tracer{"bpftrace", o.bpftrace})
	} else {
		fmt.Println("bpftrace is not on PATH: gotrace alone")
	}
	for _, t := range tracers {
		version, err := exec.Command(t.path, "--version").Output()
		if err != nil {
			return fmt.Errorf("%s: %w", t.path, err)
		}
		fmt.Printf("%s: %s", t.name, version)
	}
	if err := compareStart(tracers, o); err != nil {
		return err
	}
	return compareScripts(tracers, o)
}
