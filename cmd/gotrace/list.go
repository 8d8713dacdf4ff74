package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gotrace/gotrace"
)

// listProbes is -l with a pattern.
func (a *app) listProbes() (int, error) {
	cfg, err := a.config()
	if err != nil {
		return exitError, err
	}
	pattern := a.opt.pattern
	if pattern == "" {
		pattern = "*"
	}
	return a.list(func(w io.Writer) error { return gotrace.List(w, pattern, a.opt.verbose > 0, cfg) })
}

// list prints a listing, and what it lacks as warnings.
func (a *app) list(write func(io.Writer) error) (int, error) {
	w := bufio.NewWriter(a.stdout)
	err, flushed := write(w), w.Flush()
	var partial *gotrace.PartialError
	code := exitOK
	if errors.As(err, &partial) {
		a.warn(partial.Problems)
		err = nil
		if partial.Denied() {
			code = exitError
		}
	}
	if err == nil {
		err = flushed
	}
	if err != nil {
		return exitError, err
	}
	return code, nil
}

// warn shows problems that leave something to go on with, each once.
func (a *app) warn(problems []error) {
	seen := map[string]bool{}
	for _, p := range problems {
		if text := p.Error(); !a.opt.noWarnings && !seen[text] {
			seen[text] = true
			fmt.Fprintf(a.stderr, "WARNING: %s\n", text)
		}
	}
}

// listProgram lists what a program attaches to.
func (a *app) listProgram(prog *gotrace.Program) (int, error) {
	return a.list(func(w io.Writer) error { return prog.ListTargets(w, a.opt.verbose > 0) })
}

// info is --info: what the system supports, as far as it is known without
// loading anything.
func (a *app) info() (int, error) {
	fmt.Fprintln(a.stdout, "gotrace", version())
	_, err := io.WriteString(a.stdout, gotrace.SystemInfo())
	if err != nil {
		return exitError, err
	}
	return exitOK, nil
}

// looksLikeFile tells a script's path from a pattern of -l.
func looksLikeFile(s string) bool {
	return s == "-" || isRegular(s)
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
