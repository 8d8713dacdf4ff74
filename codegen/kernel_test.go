package codegen_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/gotrace/gotrace/codegen"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/check"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// system answers with made-up facts.
type system struct{}

func (system) NumCPU() int                                       { return runtime.NumCPU() }
func (system) Arch() string                                      { return runtime.GOARCH }
func (system) KernelVersion() (int, int)                         { return 6, 18 }
func (system) HasKfunc(string) bool                              { return false }
func (system) Register(string) (int, bool)                       { return 0, true }
func (system) CgroupID(string) (uint64, error)                   { return 1, nil }
func (system) UserSymbol(string, string) (uint64, uint64, error) { return 0x1000, 4, nil }
func (system) KernelSymbol(string) (uint64, error)               { return 0xffffffff81000000, nil }

// live is the machine that tests run on.
var live = sync.OnceValue(host.Live)

// features are those of a release, 6.18 unless it is one of the older two.
func features(release string) codegen.Features {
	all := codegen.Features{
		Release: "6.18", BPFLoop: true, ForEachMapElem: true, TaskBTF: true, MapLookupPerCPU: true, NoPreallocSafe: true,
		KtimeTAI: true, AtomicFetch: true, PathInIter: true, SignExtend: true, LongKeys: true, LargeArrays: true,
	}
	switch release {
	case "5.10":
		return codegen.Features{Release: release}
	case "6.1":
		all.Release, all.SignExtend = release, false
	}
	return all
}

func checkScript(src string, f codegen.Features, helperErrors bool) (*typed.Program, *source.Set, error) {
	set := &source.Set{}
	tree, list := parse.File(set, set.Add("stdin", ".", src))
	if list.HasErrors() {
		return nil, nil, list
	}
	h := live()
	prog, list := check.Script(tree, check.Env{
		Files: set, Kernel: h.Kernel(), Resolver: probes.New(h), System: system{}, Parse: parse.File,
		ReadFile: os.ReadFile,
		ReadDir:  func(p string) ([]fs.DirEntry, error) { return os.ReadDir(p) },
		Resolve:  target.ResolveOptions{Cmd: true, Unsafe: true}, Unsafe: true,
		TaskBTF: f.TaskBTF, Release: h.Release(), HelperErrors: helperErrors,
	})
	return prog, set, list.Err()
}

func compileOpt(src string, f codegen.Features, opt int) (*object.Object, error) {
	return compileWith(src, f, opt, false)
}

func compileWith(src string, f codegen.Features, opt int, helperErrors bool) (*object.Object, error) {
	p, set, err := checkScript(src, f, helperErrors)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return compileTyped(p, set, f, opt, true)
}

func compileTyped(p *typed.Program, set *source.Set, f codegen.Features, opt int, verify bool) (*object.Object, error) {
	o := codegen.Options{Opt: opt, Files: set, Verify: verify, Dump: dump()}
	return codegen.Compile(p, codegen.Target{Arch: runtime.GOARCH, Features: f, NumCPU: runtime.NumCPU()}, o)
}

// dump prints the stages that GOTRACE_DUMP names.
func dump() func(stage, probe, text string) {
	want := os.Getenv("GOTRACE_DUMP")
	if want == "" {
		return nil
	}
	return func(stage, probe, text string) {
		for _, s := range strings.Split(want, ",") {
			if s == stage {
				fmt.Printf("--- %s %s\n%s\n", stage, probe, text)
			}
		}
	}
}

// loaded is an object in the kernel.
type loaded struct {
	obj   *object.Object
	maps  map[string]*ebpf.Map
	progs map[string]*ebpf.Program
}

func (l *loaded) close() {
	for _, m := range l.maps {
		m.Close()
	}
	for _, p := range l.progs {
		p.Close()
	}
}

func load(obj *object.Object) (*loaded, error) {
	l := &loaded{obj: obj, maps: map[string]*ebpf.Map{}, progs: map[string]*ebpf.Program{}}
	for _, m := range obj.Maps {
		km, err := createMap(m, obj)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("map %s: %w", m.Name, err)
		}
		l.maps[m.Name] = km
	}
	for _, p := range obj.Programs {
		prog, err := l.program(p)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("program %s: %w", p.Name, err)
		}
		l.progs[p.Name] = prog
	}
	return l, nil
}

func createMap(m *object.Map, obj *object.Object) (*ebpf.Map, error) {
	spec := &ebpf.MapSpec{Type: m.Type, KeySize: uint32(m.KeySize), ValueSize: uint32(m.ValueSize), MaxEntries: uint32(m.MaxEntries), Flags: m.Flags}
	if m.Role == object.RoleRing {
		spec.MaxEntries = 1 << 18
		for slices.ContainsFunc(obj.Records, func(r *object.Record) bool { return r.Layout.Size > int(spec.MaxEntries)/2 }) {
			spec.MaxEntries *= 2
		}
	}
	if m.Data != nil {
		spec.Contents = []ebpf.MapKV{{Key: uint32(0), Value: m.Data}}
	}
	km, err := ebpf.NewMap(spec)
	if err == nil && m.Data != nil {
		err = km.Freeze()
	}
	return km, err
}

func (l *loaded) program(p *object.Program) (*ebpf.Program, error) {
	insns := append(asm.Instructions(nil), p.Insns...)
	for name, m := range l.maps {
		if err := insns.AssociateMap(name, m); err != nil && !errors.Is(err, asm.ErrUnreferencedSymbol) {
			return nil, err
		}
	}
	t := p.Targets[0]
	s := probes.New(live()).Spec(t, &target.ResolveOptions{})
	spec := &ebpf.ProgramSpec{Type: s.Type, AttachType: s.AttachType, AttachTo: s.AttachTo, Flags: s.Flags, Instructions: insns, License: "GPL"}
	return ebpf.NewProgram(spec)
}

// run runs the program of a probe once.
func (l *loaded) run(name string) error {
	_, err := l.progs[name].Run(&ebpf.RunOptions{Context: make([]byte, 8*12)})
	return err
}

// records returns the event records as text.
func (l *loaded) records() []string {
	ring := l.maps["ring"]
	if ring == nil {
		return nil
	}
	r, err := ringbuf.NewReader(ring)
	if err != nil {
		return []string{err.Error()}
	}
	defer r.Close()
	r.SetDeadline(time.Unix(1, 0))
	var out []string
	for {
		rec, err := r.Read()
		if err != nil {
			return out
		}
		out = append(out, l.text(rec.RawSample))
	}
}

func (l *loaded) text(raw []byte) string {
	head := layout.Value{Raw: raw}
	r := l.obj.Records[head.Uint32At(0)]
	parts := []string{r.Format}
	if r.Map != "" {
		parts = append(parts, r.Map)
	}
	for _, f := range r.Layout.Fields {
		parts = append(parts, show(layout.MakeValue(f.Type, raw[f.Off:])))
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// show prints a value for comparison.
func show(v layout.Value) string {
	switch t := v.Type.(type) {
	case types.String:
		return string(v.Text())
	case types.Buffer:
		return fmt.Sprintf("%q", v.Bytes())
	case types.Array:
		var parts []string
		for i := range t.Len {
			parts = append(parts, show(v.Index(i)))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case *types.Struct:
		var parts []string
		for _, f := range t.Fields() {
			parts = append(parts, show(v.Field(f)))
		}
		return "(" + strings.Join(parts, ", ") + ")"
	case types.Opaque, types.Stack:
		return fmt.Sprintf("%x", v.Raw)
	}
	if types.IsSigned(v.Type) {
		return fmt.Sprint(v.Int())
	}
	return fmt.Sprint(v.Uint())
}

// output compiles a script for a kernel, runs its begin probes and returns the
// records.
func output(t *testing.T, src string, f codegen.Features, opt int) []string {
	t.Helper()
	hosttest.RequireBPF(t)
	obj, err := compileOpt(src, f, opt)
	if err != nil {
		t.Fatalf("%s\n%v", src, err)
	}
	l, err := load(obj)
	if err != nil {
		t.Fatalf("%s\n%+v", src, verbose(err))
	}
	defer l.close()
	for _, p := range obj.Programs {
		if p.Targets[0].Provider == target.Begin {
			if err := l.run(p.Name); err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
		}
	}
	return l.records()
}

// verbose adds the end of the verifier's log to an error.
func verbose(err error) string {
	var ve *ebpf.VerifierError
	if !errors.As(err, &ve) {
		return err.Error()
	}
	n := max(0, len(ve.Log)-40)
	return err.Error() + "\n" + strings.Join(ve.Log[n:], "\n")
}
