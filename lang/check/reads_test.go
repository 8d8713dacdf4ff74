package check

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// twoPlaces resolves every attach point to the same targets.
type twoPlaces struct {
	targets []*target.Target
	opt     target.ResolveOptions // of the last call
}

func (r *twoPlaces) Resolve(_ string, _ source.Span, opt target.ResolveOptions) ([]*target.Target, error) {
	r.opt = opt
	return r.targets, nil
}

// files is a machine where each file has its symbols elsewhere.
type files struct{ System }

func (files) NumCPU() int                         { return 4 }
func (files) Arch() string                        { return "amd64" }
func (files) KernelSymbol(string) (uint64, error) { return 0xffffffff81000000, nil }
func (files) CgroupID(string) (uint64, error)     { return 1, nil }
func (files) Register(string) (int, bool)         { return 8, true }
func (files) KernelVersion() (int, int)           { return 6, 18 }
func (files) HasKfunc(string) bool                { return true }
func (files) UserSymbol(path, _ string) (uint64, uint64, error) {
	return uint64(len(path)), 4, nil
}

// place is a target whose name and place hang on at, and whose arguments on args.
func place(p target.Provider, prog target.Program, at, args int) *target.Target {
	arg := func(name string, i int) target.Arg {
		return target.Arg{Name: name, Type: types.Int{Bits: 64}, Loc: target.Loc{Kind: target.LocCtx, Off: 8 * (i + 10*args), Size: 8}}
	}
	ret, fn := arg("retval", 1), arg("func", 2)
	return &target.Target{
		Provider: p, Name: fmt.Sprintf("%s:%d", p, at), Program: prog, Args: []target.Arg{arg("a", 0)}, Positional: []target.Arg{arg("arg0", 3)},
		Ret: &ret, Func: &fn, Address: uint64(at), Offset: uint64(args), Path: strings.Repeat("x", at), Event: fmt.Sprint(at), Symbol: fmt.Sprint(at),
	}
}

// TestSharedPrograms shows that each builtin tells what it reads of the attach
// point: where the table says that one program serves two of them, it is the
// program of either.
func TestSharedPrograms(t *testing.T) {
	kernel := hosttest.New().Kernel()
	names := []string{"arg0", "args.a"}
	for name := range builtinTable() {
		names = append(names, name)
	}
	uses := map[string]bool{}
	for _, kind := range []struct {
		provider target.Provider
		program  target.Program
	}{
		{target.Kprobe, target.ProgKprobe}, {target.Uprobe, target.ProgKprobe}, {target.Uretprobe, target.ProgKprobe},
		{target.Tracepoint, target.ProgTracepoint}, {target.RawTracepoint, target.ProgRaw}, {target.Profile, target.ProgPerfEvent},
		{target.Fentry, target.ProgTracing}, {target.Iter, target.ProgIter},
	} {
		a := place(kind.provider, kind.program, 1, 1)
		for _, b := range []*target.Target{place(kind.provider, kind.program, 2, 1), place(kind.provider, kind.program, 1, 2)} {
			for _, name := range names {
				for _, form := range []string{"%s", "%s()", "%s(1)", `%s("sp")`, "%s((uint64)nsecs)", "%s(@)", "%s((uint8*)1)", `%s("%%d", 1)`} {
					src := "probe:x { @ = 1; " + fmt.Sprintf(form, name) + "; }"
					tried, alike := shared(kernel, src, a, b)
					uses[name] = uses[name] || tried
					if tried && !alike {
						t.Errorf("%s: one program serves two attach points, which are not alike: %s", kind.provider, src)
					}
				}
			}
		}
	}
	for _, name := range strings.Fields("args args.a arg0 retval func ctx reg usermode probe probetype uaddr usym ksym ustack kstack pid printf") {
		if !uses[name] {
			t.Errorf("%s was not tried", name)
		}
	}
}

// shared reports whether a script may have each of two attach points, and if so
// whether one program for both, if they are given one, is what each would get.
func shared(kernel *ktypes.Kernel, src string, a, b *target.Target) (tried, alike bool) {
	first, second := bodies(kernel, src, a), bodies(kernel, src, b)
	if len(first) != 1 || len(second) != 1 {
		return false, false
	}
	return true, len(bodies(kernel, src, a, b)) != 1 || reflect.DeepEqual(first[0].Body, second[0].Body)
}

// TestResolveForReads shows what the registry is told of a body.
func TestResolveForReads(t *testing.T) {
	for body, want := range map[string][2]bool{ // NoArgs, KernelStack
		"print(pid)":                    {true, false},
		"print(args.a)":                 {false, false},
		"print(arg0)":                   {true, false},
		"print(kstack)":                 {true, true},
		"print(kstack(3)); print(args)": {false, true},
		"m()":                           {false, true},
	} {
		r := &twoPlaces{targets: []*target.Target{place(target.Kprobe, target.ProgKprobe, 1, 1)}}
		resolved(hosttest.New().Kernel(), "macro m() { n() } macro n() { print(kstack); print(args) } probe:x { "+body+" }", r)
		if got := [2]bool{r.opt.NoArgs, r.opt.KernelStack}; got != want {
			t.Errorf("%s: got %v, want %v", body, got, want)
		}
	}
}

// bodies returns the programs of a script whose attach points are targets, none
// if it is at fault.
func bodies(kernel *ktypes.Kernel, src string, targets ...*target.Target) []*typed.Probe {
	if p := resolved(kernel, src, &twoPlaces{targets: targets}); p != nil {
		return p.Probes
	}
	return nil
}

func resolved(kernel *ktypes.Kernel, src string, r Resolver) *typed.Program {
	set := &source.Set{}
	s, list := parse.File(set, set.Add("stdin", "/", src))
	if list.HasErrors() {
		return nil
	}
	p, _ := Script(s, Env{Files: set, Kernel: kernel, Resolver: r, System: files{}, Parse: parse.File, Unsafe: true})
	return p
}
