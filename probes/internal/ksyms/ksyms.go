// Package ksyms lists kernel functions that may be traced.
//
// Input is the kernel's own list (available_filter_functions), a list given by
// the user, or, for the mere existence of a function, /proc/kallsyms. Lists are
// read as streams, as they have up to some 100,000 lines.
package ksyms

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"

	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
)

// Func is a kernel function; Module is ktypes.Vmlinux for the kernel proper.
type Func struct{ Module, Name string }

// Traceable goes over the functions that may be traced. The error says that
// there is no list to read; it is yielded alone.
func Traceable(h *host.Host, opt *target.ResolveOptions) iter.Seq2[Func, error] {
	return func(yield func(Func, error) bool) {
		f, err := open(h, opt)
		if err != nil {
			yield(Func{}, err)
			return
		}
		defer f.Close()
		empty := true
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			name, module, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
			if name == "" || strings.HasPrefix(name, "__ftrace_invalid_address__") {
				continue
			}
			empty = false
			if !yield(Func{moduleName(module), name}, nil) {
				return
			}
		}
		switch err := lines.Err(); {
		case err != nil:
			yield(Func{}, err)
		case empty:
			yield(Func{}, errors.New("the kernel traces no functions: available_filter_functions is empty"))
		}
	}
}

func open(h *host.Host, opt *target.ResolveOptions) (fs.File, error) {
	if opt.Traceable != "" {
		return h.Open(opt.Traceable)
	}
	files, err := h.Tracefs()
	if err != nil {
		return nil, err
	}
	return files.Open("available_filter_functions")
}

func moduleName(text string) string {
	text = strings.Trim(strings.TrimSpace(text), "[]")
	if text == "" {
		return ktypes.Vmlinux
	}
	return text
}

// Symbols goes over the functions in /proc/kallsyms, traceable or not.
func Symbols(h *host.Host) iter.Seq2[Func, error] {
	return func(yield func(Func, error) bool) {
		f, err := h.Proc().Open("kallsyms")
		if err != nil {
			yield(Func{}, err)
			return
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			_, rest, _ := strings.Cut(lines.Text(), " ")
			kind, rest, ok := strings.Cut(rest, " ")
			if !ok || !strings.Contains("tTwW", kind) {
				continue
			}
			name, module, _ := strings.Cut(rest, "\t")
			if !yield(Func{moduleName(module), name}, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Func{}, fmt.Errorf("kallsyms: %w", err))
		}
	}
}
