package gotrace

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes"
)

// PartialError is the error of List and ListTargets when some of what a pattern
// or a program means could not be looked at. The rest was written.
type PartialError struct{ Problems []error }

// Error returns the problems, one a line.
func (e *PartialError) Error() string { return errors.Join(e.Problems...).Error() }

// Unwrap gives the problems to errors.Is and errors.As.
func (e *PartialError) Unwrap() []error { return e.Problems }

// Denied reports whether the lack of privileges is a reason.
func (e *PartialError) Denied() bool {
	return slices.ContainsFunc(e.Problems, func(err error) bool {
		var why *target.Error
		return errors.As(err, &why) && why.Kind == target.NotAllowed
	})
}

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
	l := &listing{w: w, verbose: verbose}
	for e, err := range c.reg.List(pattern, c.resolveOptions()) {
		if err != nil {
			l.problems = append(l.problems, l.hints.add(err))
			continue
		}
		if err := l.write(e); err != nil {
			return err
		}
	}
	return l.end()
}

// listing writes attach points, and keeps what could not be looked at.
type listing struct {
	w        io.Writer
	verbose  bool
	problems []error
	hints    hintsOnce
}

// write writes one attach point. Its error is that of the writer.
func (l *listing) write(e probes.Entry) error {
	if _, err := fmt.Fprintln(l.w, e.Name); err != nil {
		return err
	}
	if !l.verbose || e.Fields == nil {
		return nil
	}
	fields, err := e.Fields()
	if err != nil {
		l.problems = append(l.problems, fmt.Errorf("arguments of %s: %w", e.Name, err))
	}
	for _, f := range fields {
		if _, err := fmt.Fprintf(l.w, "    %s %s\n", f.Type, f.Name); err != nil {
			return err
		}
	}
	return nil
}

// end is the error of a listing that was written.
func (l *listing) end() error {
	if len(l.problems) > 0 {
		return &PartialError{l.problems}
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
		text := t.Name
		if verbose {
			text = t.Definition
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

// ListTargets writes the attach points of the program, but begin and end, one a
// line; with verbose their arguments below. The error may be a *PartialError.
func (p *Program) ListTargets(w io.Writer, verbose bool) error {
	l := &listing{w: w, verbose: verbose}
	for _, t := range p.Targets() {
		if t.Provider == target.Begin || t.Provider == target.End {
			continue
		}
		if err := l.write(p.reg.EntryOf(t, &p.resolve)); err != nil {
			return err
		}
	}
	return l.end()
}
