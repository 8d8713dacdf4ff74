package gotrace

import (
	"os"
	"slices"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/runtime/symbol"
)

// userSymbols names the addresses of processes.
func (p *Program) userSymbols(ro *RunOptions) (*symbol.User, error) {
	user := symbol.NewUser(symbol.UserOptions{
		Proc: p.host.Proc(), Root: os.DirFS("/"), DebugDirs: p.resolve.DebugDirs, Cache: p.cacheMode(ro),
	})
	if p.obj.Config.LazySymbols {
		return user, nil
	}
	return user, p.prefetch(user)
}

// prefetch reads the symbols of the processes that user probes are about, so
// that their addresses can be named when they have ended.
func (p *Program) prefetch(user *symbol.User) error {
	if pid := p.resolve.Pid; pid != 0 {
		return user.Prefetch(pid)
	}
	seen := map[string]bool{"": true}
	for _, t := range p.Targets() {
		if seen[t.Path] {
			continue
		}
		seen[t.Path] = true
		if err := user.PrefetchProgram(t.Path); err != nil {
			return err
		}
	}
	return nil
}

// remember returns what reads the mappings of the command while it runs, so that
// its stacks are named after its end, those in maps among them. What it maps
// after the last look, up to a second before its end, is not known, nor is a
// command that lives less than some milliseconds. nil: the script has no use
// for it.
func (p *Program) remember(user *symbol.User) func(pid int) {
	if !p.namesUserCode() {
		return nil
	}
	return func(pid int) {
		_ = user.Remember(pid) // of a process that is gone what was read stays
	}
}

// namesUserCode reports whether the script keeps or prints addresses of
// processes that are to be named.
func (p *Program) namesUserCode() bool {
	for _, m := range p.obj.Maps {
		if m.Role == object.RoleStacks && m.Stack.User || holdsUserSymbol(m.Key) || holdsUserSymbol(m.Value) {
			return true
		}
	}
	for _, r := range p.obj.Records {
		for _, f := range r.Layout.Fields {
			if holdsUserSymbol(f.Type) {
				return true
			}
		}
	}
	return false
}

func holdsUserSymbol(t types.Type) bool {
	switch t := t.(type) {
	case types.Opaque:
		return t.Kind == types.USym
	case types.Array:
		return holdsUserSymbol(t.Elem)
	case *types.Struct:
		return t.Kind == types.TupleKind && slices.ContainsFunc(t.Fields(), func(f types.Field) bool { return holdsUserSymbol(f.Type) })
	}
	return false
}

// cacheMode is the setting cache_user_symbols. With a command the mappings are
// shared by all processes of a program.
func (p *Program) cacheMode(ro *RunOptions) symbol.CacheMode {
	switch p.obj.Config.CacheUserSymbols {
	case "NONE":
		return symbol.CacheNone
	case "PER_PID":
		return symbol.CachePerPID
	case "PER_PROGRAM":
		return symbol.CachePerProgram
	}
	if len(ro.Command) > 0 {
		return symbol.CachePerProgram
	}
	return symbol.CachePerPID
}
