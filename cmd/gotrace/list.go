package main

import (
	"bufio"
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
	w := bufio.NewWriter(a.stdout)
	pattern := a.opt.pattern
	if pattern == "" {
		pattern = "*"
	}
	if err := gotrace.List(w, pattern, a.opt.verbose > 0, cfg); err != nil {
		return exitError, err
	}
	return exitOK, w.Flush()
}

// listProgram lists what a program attaches to.
func (a *app) listProgram(prog *gotrace.Program) (int, error) {
	w := bufio.NewWriter(a.stdout)
	prog.ListTargets(w, a.opt.verbose > 0)
	return exitOK, w.Flush()
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
