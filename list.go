package gotrace

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes"
)

// PartialError is the error of List when some of what a pattern means could
// not be looked at. The rest was written.
type PartialError struct{ Problems []error }

// Error returns the problems, one a line.
func (e *PartialError) Error() string { return errors.Join(e.Problems...).Error() }

// Unwrap gives the problems to errors.Is and errors.As.
func (e *PartialError) Unwrap() []error { return e.Problems }

// List writes the attach points or types that a pattern means, one a line; with
// verbose their arguments or definitions below. The error may be a
// *PartialError.
func List(w io.Writer, pattern string, verbose bool, cfg *Config) error {
	if cfg == nil {
		cfg = &Config{}
	}
	c := newCompilation(cfg)
	if probes.IsTypePattern(pattern) {
		return listTypes(w, c.reg, pattern, verbose)
	}
	var problems []error
	var hints hintsOnce
	for e, err := range c.reg.List(pattern, c.resolveOptions()) {
		if err != nil {
			problems = append(problems, hints.add(err))
			continue
		}
		if _, err := fmt.Fprintln(w, e.Name); err != nil {
			return err
		}
		if !verbose || e.Fields == nil {
			continue
		}
		fields, err := e.Fields()
		if err != nil {
			problems = append(problems, fmt.Errorf("arguments of %s: %w", e.Name, err))
		}
		for _, f := range fields {
			if _, err := fmt.Fprintf(w, "    %s %s\n", f.Type, f.Name); err != nil {
				return err
			}
		}
	}
	if len(problems) > 0 {
		return &PartialError{problems}
	}
	return nil
}

// hintsOnce adds the hints of problems to their texts, each hint once.
type hintsOnce []string

func (seen *hintsOnce) add(err error) error {
	var why *target.Error
	if !errors.As(err, &why) {
		return err
	}
	for _, hint := range why.Hints {
		if !slices.Contains(*seen, hint) {
			*seen = append(*seen, hint)
			err = fmt.Errorf("%w\nHINT: %s", err, hint)
		}
	}
	return err
}

func listTypes(w io.Writer, reg *probes.Registry, pattern string, verbose bool) error {
	types, err := reg.ListTypes(pattern, verbose)
	if err != nil {
		return err
	}
	for _, t := range types {
		if verbose {
			fmt.Fprintln(w, t.Definition)
		} else {
			fmt.Fprintln(w, t.Name)
		}
	}
	return nil
}

// ListTargets writes the attach points of the program, but begin and end.
func (p *Program) ListTargets(w io.Writer, verbose bool) {
	for _, t := range p.Targets() {
		if t.Provider == target.Begin || t.Provider == target.End {
			continue
		}
		fmt.Fprintln(w, probes.ListName(t))
		if verbose {
			for _, a := range p.reg.Declared(t, &p.resolve) {
				fmt.Fprintf(w, "    %s %s\n", a.Type, a.Name)
			}
		}
	}
}
