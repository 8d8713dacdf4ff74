package uprobe

import (
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
	return func(yield func(provider.Entry, error) bool) {
		q := *p
		if len(q.Parts) == 0 || len(q.Parts) == 1 && opt.Pid == 0 {
			return
		}
		if last := q.Parts[len(q.Parts)-1]; last.Text == "" {
			q.Parts = append(slices.Clone(q.Parts[:len(q.Parts)-1]), provider.Part{Text: "*", At: -1})
		}
		list, err := u.Resolve(h, &q, opt)
		if err != nil {
			return
		}
		for _, t := range list {
			entry := provider.Entry{Name: t.Name}
			if len(t.Args) > 0 {
				entry.Fields = func() []provider.FieldText { return fieldTexts(h, t, opt) }
			}
			if !yield(entry, nil) {
				return
			}
		}
	}
}

// fieldTexts is the parameters of a function as its program declares them. They
// are read again from the file, as targets hold only the language's types.
func fieldTexts(h *host.Host, t *target.Target, opt *target.ResolveOptions) []provider.FieldText {
	path, _, _ := strings.Cut(strings.TrimPrefix(t.Name, string(t.Provider)+":"), ":")
	bin, err := elfsym.Open(h, path)
	if err != nil {
		return nil
	}
	defer bin.Close()
	f := &file{File: bin, debug: elfsym.OpenDebug(h, bin, path, opt.DebugDirs)}
	if f.debug != nil {
		defer f.debug.Close()
	}
	d, ok := f.dwarf(false)
	if !ok {
		return nil
	}
	var list []provider.FieldText
	forFunctions(d, map[uint64]bool{t.Address: true}, func(_ uint64, params []param) {
		for _, p := range params {
			list = append(list, provider.FieldText{Type: ctext(p.typ, maxNesting), Name: p.name})
		}
	})
	return list
}
