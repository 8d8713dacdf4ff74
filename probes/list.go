package probes

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/internal/ctext"
	"github.com/gotrace/gotrace/probes/provider"
)

// List yields the attach points that a pattern means, each name once, sorted,
// pattern by pattern where several are separated by commas. A pattern is
// "provider:parts" with wildcards, or a name or wildcard alone, which is
// compared with the names of all kernel providers. Nothing found is no error.
// An error, which comes without an entry, tells what could not be looked at; the
// listing goes on.
func (r *Registry) List(pattern string, opt target.ResolveOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, one := range patterns(pattern) {
			entries, problems := r.list(one, &opt)
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
			for _, err := range problems {
				if !yield(Entry{}, err) {
					return
				}
			}
		}
	}
}

// patterns splits at commas outside of quotes.
func patterns(text string) []string {
	var list []string
	start, quoted := 0, false
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			list = append(list, text[start:i])
			start = i + 1
		}
	}
	return append(list, text[start:])
}

// list is List for one pattern.
func (r *Registry) list(pattern string, opt *target.ResolveOptions) ([]Entry, []error) {
	parts, err := provider.Split(pattern)
	if err != nil {
		return nil, []error{err}
	}
	var problems []error
	options := *opt
	options.Warn = func(err error) { problems = append(problems, err) }
	kinds, named := listKinds(parts)
	loose := !named && len(parts) == 1 // compare whole names
	if len(kinds) == 0 && !parts[0].Glob() {
		return nil, []error{unknownProvider(parts[0].Text)}
	}
	var all []Entry
	for _, k := range kinds {
		p := &provider.Pattern{Text: pattern, Kind: k}
		if !loose {
			p.Parts = parts[1:]
		}
		for e, err := range r.providers[k].List(r.host, p, &options) {
			var why *target.Error
			switch {
			case errors.As(err, &why) && why.Kind == target.Syntax && !named:
				// The pattern is not one of this provider.
			case err != nil:
				problems = append(problems, fmt.Errorf("can not list %s: %w", k, err))
			case !loose || matchLoose(parts[0].Text, e.Name):
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b Entry) bool { return a.Name == b.Name }), problems
}

// listKinds lists the providers that a pattern may mean; named tells that it
// names one.
func listKinds(parts []provider.Part) (kinds []target.Provider, named bool) {
	if kind, ok := provider.Kind(parts[0].Text); ok {
		return []target.Provider{kind}, true
	}
	for _, k := range provider.Kinds() {
		if len(parts) == 1 || provider.Match(parts[0].Text, string(k)) {
			kinds = append(kinds, k)
		}
	}
	return kinds, false
}

// matchLoose compares a pattern with a whole name and with its last part.
func matchLoose(pattern, name string) bool {
	last := name[strings.LastIndexByte(name, ':')+1:]
	return provider.Match(pattern, name) || provider.Match(pattern, last)
}

// EntryOf is the entry of a target in the listing of a program.
func (r *Registry) EntryOf(t *target.Target, opt *target.ResolveOptions) Entry {
	return Entry{Name: listName(t), Fields: func() ([]provider.FieldText, error) { return r.declared(t, opt) }}
}

// declared returns the arguments of a target in the words of their declarations,
// and in those of the language where no declaration is known. The error tells
// why it can not be read; the arguments are there all the same.
func (r *Registry) declared(t *target.Target, opt *target.ResolveOptions) (texts []provider.FieldText, err error) {
	if p, ok := r.providers[t.Provider].(provider.Declarer); ok {
		texts, err = p.Declared(r.host, t, opt)
		if err == nil && len(texts) > 0 {
			return texts, nil
		}
	}
	texts = make([]provider.FieldText, len(t.Args))
	for i, a := range t.Args {
		texts[i] = provider.FieldText{Type: a.Type.String(), Name: a.Name}
	}
	return texts, err
}

// listName is the name of a target in the listing of a program: without the
// count of timers and perf events.
func listName(t *target.Target) string {
	switch t.Provider {
	case target.Interval, target.Profile, target.Software, target.Hardware:
		parts := strings.SplitN(t.Name, ":", 3)
		return strings.Join(parts[:min(2, len(parts))], ":") + ":"
	}
	return t.Name
}

// Type is a C type of a listing.
type Type struct {
	Name       string // such as "struct list_head"
	Definition string // in C, headed by its module, lines ended
}

// IsTypePattern reports whether a listing's pattern asks for C types.
func IsTypePattern(pattern string) bool {
	tag, _, ok := strings.Cut(pattern, " ")
	return ok && (tag == "struct" || tag == "union" || tag == "enum")
}

// ListTypes yields the kernel types that "struct NAME", "union NAME" or "enum
// NAME" means; NAME may have wildcards. Definitions are written only on demand
// of verbose.
func (r *Registry) ListTypes(pattern string, verbose bool) ([]Type, error) {
	tag, want, _ := strings.Cut(pattern, " ")
	want = strings.TrimSpace(want)
	spec, err := r.host.Kernel().Spec()
	if err != nil {
		return nil, fmt.Errorf("types need the kernel's type information: %w", err)
	}
	found, err := findTypes(spec, tag, want)
	if err != nil {
		return nil, err
	}
	var list []Type
	for _, t := range found {
		entry := Type{Name: tag + " " + t.TypeName()}
		if verbose {
			entry.Definition = ktypes.Vmlinux + ": " + ctext.Definition(t)
		}
		list = append(list, entry)
	}
	slices.SortStableFunc(list, func(a, b Type) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b Type) bool { return a.Name == b.Name }), nil
}

func findTypes(spec *btf.Spec, tag, want string) ([]btf.Type, error) {
	var list []btf.Type
	if !strings.Contains(want, "*") {
		named, err := spec.AnyTypesByName(want)
		if err != nil && !errors.Is(err, btf.ErrNotFound) {
			return nil, err
		}
		for _, t := range named {
			if hasTag(t, tag) {
				list = append(list, t)
			}
		}
		return list, nil
	}
	for t, err := range spec.All() {
		if err != nil {
			return nil, err
		}
		if hasTag(t, tag) && t.TypeName() != "" && provider.Match(want, t.TypeName()) {
			list = append(list, t)
		}
	}
	return list, nil
}

func hasTag(t btf.Type, tag string) bool {
	switch t.(type) {
	case *btf.Struct:
		return tag == "struct"
	case *btf.Union:
		return tag == "union"
	case *btf.Enum:
		return tag == "enum"
	}
	return false
}
