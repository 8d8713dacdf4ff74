package uprobe

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/internal/elfsym"
	"github.com/gotrace/gotrace/probes/provider"
)

// List implements provider.Provider: the functions of the files that the
// pattern names. A pattern without a file lists nothing, as every file of the
// machine would be meant.
func (u Provider) List(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) iter.Seq2[provider.Entry, error] {
	q := *p
	if n := len(q.Parts); n > 0 && q.Parts[n-1].Text == "" {
		q.Parts = append(slices.Clone(q.Parts[:n-1]), provider.Part{Text: "*", At: -1})
	}
	return ListTargets(u.Resolve, h, &q, opt, func(t *target.Target) provider.Entry {
		entry := provider.Entry{Name: t.Name}
		if len(t.Args) > 0 {
			entry.Fields = func() ([]provider.FieldText, error) { return fieldTexts(h, t, opt) }
		}
		return entry
	})
}

// ListTargets lists what a pattern of user probes resolves to, each name once.
// Nothing does unless the pattern names a file or opt a process.
func ListTargets(resolve func(*host.Host, *provider.Pattern, *target.ResolveOptions) ([]*target.Target, error),
	h *host.Host, p *provider.Pattern, opt *target.ResolveOptions, entry func(*target.Target) provider.Entry,
) iter.Seq2[provider.Entry, error] {
	return func(yield func(provider.Entry, error) bool) {
		if len(p.Parts) == 0 || len(p.Parts) == 1 && opt.Pid == 0 {
			return
		}
		list, err := resolve(h, p, opt)
		if err != nil && !nothing(err) {
			yield(provider.Entry{}, err)
			return
		}
		last := ""
		for _, t := range list {
			if t.Name == last {
				continue
			}
			last = t.Name
			if !yield(entry(t), nil) {
				return
			}
		}
	}
}

// nothing reports whether err only says that nothing matches.
func nothing(err error) bool {
	var why *target.Error
	return errors.As(err, &why) && why.Kind == target.Missing
}

// Declared implements provider.Declarer.
func (Provider) Declared(h *host.Host, t *target.Target, opt *target.ResolveOptions) ([]provider.FieldText, error) {
	if len(t.Args) == 0 {
		return nil, nil
	}
	return fieldTexts(h, t, opt)
}

// fieldTexts is the parameters of a function as its program declares them. They
// are read again from the file, as targets hold only the language's types.
func fieldTexts(h *host.Host, t *target.Target, opt *target.ResolveOptions) ([]provider.FieldText, error) {
	path, _, _ := strings.Cut(strings.TrimPrefix(t.Name, string(t.Provider)+":"), ":")
	bin, err := elfsym.Open(h, path)
	if err != nil {
		return nil, err
	}
	defer bin.Close()
	f := &file{File: bin, debug: elfsym.OpenDebug(h, bin, path, opt.DebugDirs)}
	if f.debug != nil {
		defer f.debug.Close()
	}
	d, ok := f.dwarf(false)
	if !ok {
		return nil, nil
	}
	var list []provider.FieldText
	forFunctions(d, map[uint64]bool{t.Address: true}, func(_ uint64, params []param) {
		for _, p := range params {
			list = append(list, provider.FieldText{Type: ctext(p.typ, maxNesting), Name: p.name})
		}
	})
	return list, nil
}
