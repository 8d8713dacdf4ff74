// Package tracepoint serves the kernel's trace events: tracepoint:category:event.
//
// Input are the files of the tracing file system, output targets with an
// argument for each field of the event. Events of system calls are served by
// raw tracepoints (see asSyscall), all others by programs of the type
// tracepoint, which get the event's record.
package tracepoint

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/tracefs"
	"github.com/gotrace/gotrace/probes/provider"
)

// Provider serves tracepoint.
type Provider struct{}

// Kinds implements provider.Provider.
func (Provider) Kinds() []target.Provider { return []target.Provider{target.Tracepoint} }

// Resolve implements provider.Provider.
func (Provider) Resolve(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) ([]*target.Target, error) {
	category, event, malformed := parts(p)
	files, err := h.Tracefs()
	switch {
	case malformed != nil && err == nil && len(p.Parts) == 1:
		return nil, suggest(files, malformed, p.Parts[0].Text)
	case malformed != nil:
		return nil, malformed
	case err != nil:
		return nil, target.Errorf(target.Unsupported, "tracepoints need the tracing file system: %v", err)
	}
	if !strings.Contains(category+event, "*") {
		t, err := resolve(h, files, category, event, opt)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			return nil, missing(files, category, event)
		}
		if err != nil {
			return nil, unreadable(category, event, err)
		}
		return []*target.Target{t}, nil
	}
	var list []*target.Target
	for found, err := range events(files) {
		if err != nil {
			return nil, target.Errorf(target.Unsupported, "can not list tracepoints: %v", err)
		}
		if !provider.Match(category, found.category) || !provider.Match(event, found.event) {
			continue
		}
		t, err := resolve(h, files, found.category, found.event, opt)
		if err != nil {
			return nil, unreadable(found.category, found.event, err)
		}
		list = append(list, t)
	}
	if len(list) == 0 {
		return nil, target.Errorf(target.Missing, "no tracepoint matches %s:%s", category, event)
	}
	slices.SortFunc(list, func(a, b *target.Target) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func parts(p *provider.Pattern) (category, event string, err *target.Error) {
	switch {
	case len(p.Parts) == 1 && p.Parts[0].Glob():
		category, event = "*", p.Parts[0].Text
	case len(p.Parts) == 2:
		category, event = p.Parts[0].Text, p.Parts[1].Text
	}
	if category == "" || event == "" {
		return "", "", target.Errorf(target.Syntax, "tracepoints have the form tracepoint:CATEGORY:EVENT")
	}
	return category, event, nil
}

// suggest adds to e the event that text means, if there is one: text is its name
// alone or that of a system call.
func suggest(files fs.FS, e *target.Error, text string) *target.Error {
	if text == "" {
		return e
	}
	for found, err := range events(files) {
		if err == nil && (found.event == text || found.event == "sys_enter_"+text) {
			return e.Hint("did you mean tracepoint:%s:%s?", found.category, found.event)
		}
	}
	return e
}

// missing explains why an event without a wildcard is not there.
func missing(files fs.FS, category, event string) error {
	e := target.Errorf(target.Missing, "tracepoint not found: %s:%s", category, event)
	if suggest(files, e, event); len(e.Hints) > 0 {
		return e
	}
	known := false
	near := diag.Nearest(event, func(yield func(string) bool) {
		for found, err := range events(files) {
			if err != nil {
				return
			}
			if found.category != category {
				continue
			}
			known = true
			if !yield(found.event) {
				return
			}
		}
	})
	if near != "" {
		return e.Hint("did you mean tracepoint:%s:%s?", category, near)
	}
	if known {
		return e
	}
	near = diag.Nearest(category, func(yield func(string) bool) {
		for found, err := range events(files) {
			if err != nil || !yield(found.category) {
				return
			}
		}
	})
	if near != "" {
		return e.Hint("did you mean tracepoint:%s:%s?", near, event)
	}
	return e.Hint("there is no category %s", category)
}

// resolve reads the format of one event.
func resolve(h *host.Host, files fs.FS, category, event string, opt *target.ResolveOptions) (*target.Target, error) {
	format, err := readFormat(files, category, event)
	if err != nil {
		return nil, err
	}
	t := &target.Target{
		Provider: target.Tracepoint,
		Name:     fmt.Sprintf("tracepoint:%s:%s", category, event),
		Program:  target.ProgTracepoint,
		Space:    types.Kernel,
		Category: category,
		Event:    event,
	}
	if !opt.KernelStack && asSyscall(h, t, format) {
		return t, nil
	}
	space := types.Kernel
	if category == "syscalls" {
		space = types.User
	}
	types := typist{h.Kernel(), space}
	for i := range format.Fields {
		if f := &format.Fields[i]; f.Loc != tracefs.InPlace || f.Size > 0 {
			t.Args = append(t.Args, types.arg(f))
		}
	}
	return t, nil
}

func readFormat(files fs.FS, category, event string) (*tracefs.Format, error) {
	text, err := fs.ReadFile(files, "events/"+category+"/"+event+"/format")
	if err != nil {
		return nil, err
	}
	return tracefs.ParseFormat(string(text))
}

type name struct{ category, event string }

// events goes over all events in the order of the kernel's list.
func events(files fs.FS) iter.Seq2[name, error] {
	return func(yield func(name, error) bool) {
		f, err := files.Open("available_events")
		if err != nil {
			yield(name{}, err)
			return
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			category, event, ok := strings.Cut(lines.Text(), ":")
			if ok && !yield(name{category, event}, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(name{}, err)
		}
	}
}

// List implements provider.Provider.
func (Provider) List(h *host.Host, p *provider.Pattern, _ *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	return func(yield func(provider.Entry, error) bool) {
		files, err := h.Tracefs()
		if err != nil {
			yield(provider.Entry{}, err)
			return
		}
		for found, err := range events(files) {
			if err != nil {
				yield(provider.Entry{}, provider.Unreadable("the kernel's list of events", err))
				return
			}
			full := fmt.Sprintf("tracepoint:%s:%s", found.category, found.event)
			alone := len(p.Parts) == 1 && provider.Match(p.Parts[0].Text, found.event)
			if !alone && !provider.MatchName(p, full) {
				continue
			}
			entry := provider.Entry{Name: full, Fields: func() ([]provider.FieldText, error) { return fieldTexts(files, found) }}
			if !yield(entry, nil) {
				return
			}
		}
	}
}

// Declared implements provider.Declarer.
func (Provider) Declared(h *host.Host, t *target.Target, _ *target.ResolveOptions) ([]provider.FieldText, error) {
	files, err := h.Tracefs()
	if err != nil {
		return nil, err
	}
	return fieldTexts(files, name{t.Category, t.Event})
}

// fieldTexts is the arguments of an event as its format declares them; an event
// that has vanished has none.
func fieldTexts(files fs.FS, n name) ([]provider.FieldText, error) {
	format, err := readFormat(files, n.category, n.event)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(n.category, n.event, err)
	}
	texts := make([]provider.FieldText, len(format.Fields))
	for i := range format.Fields {
		texts[i] = provider.FieldText{Type: format.Fields[i].Decl(), Name: format.Fields[i].DeclName()}
	}
	return texts, nil
}

// unreadable reports that the description of an event can not be read; where
// that is for lack of privilege it says what would do.
func unreadable(category, event string, err error) error {
	return provider.Unreadable(fmt.Sprintf("tracepoint %s:%s", category, event), err)
}
