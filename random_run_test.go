package gotrace_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/codegen/progtest"
	"github.com/gotrace/gotrace/lang/check"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/types"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/runtime/maps"
)

// randomEnv is the machine that random programs are compiled for and run on.
type randomEnv struct {
	host       *host.Host
	kernel     *ktypes.Kernel
	features   codegen.Features
	constructs progtest.Features
	stage      string // to dump
	tooLarge   int    // programs that the verifier gave up on
}

func newRandomEnv(release string) *randomEnv {
	h := host.Live()
	has := h.Features().Helper
	at := h.Features().Release().AtLeast
	f := codegen.Features{
		Release: h.Release(), BPFLoop: has(asm.FnLoop), ForEachMapElem: has(asm.FnForEachMapElem),
		TaskBTF: has(asm.FnGetCurrentTaskBtf), MapLookupPerCPU: has(asm.FnMapLookupPercpuElem),
		NoPreallocSafe: at(6, 1), KtimeTAI: has(asm.FnKtimeGetTaiNs), AtomicFetch: at(5, 12),
		SignExtend: at(6, 6), LongKeys: at(5, 11), LargeArrays: at(6, 0),
	}
	switch release {
	case "5.10":
		f = codegen.Features{Release: release}
	case "6.1":
		f.SignExtend = false
	}
	return &randomEnv{
		host: h, kernel: h.Kernel(), features: f,
		constructs: progtest.Features{
			BPFLoop: f.BPFLoop, ForEachMapElem: f.ForEachMapElem, PerCPULookup: f.MapLookupPerCPU, LongKeys: f.LongKeys,
		},
	}
}

// task returns the current thread.
func task() progtest.Task {
	return progtest.Task{Comm: threadComm(), Pid: uint32(os.Getpid()), Tid: uint32(unix.Gettid())}
}

// Resolve implements check.Resolver: each event that random programs attach to
// is a raw tracepoint with the arguments of progtest.ArgTypes.
func (e *randomEnv) Resolve(text string, _ source.Span, _ target.ResolveOptions) ([]*target.Target, error) {
	t := &target.Target{Provider: target.RawTracepoint, Program: target.ProgRaw, Name: text, Space: types.Kernel}
	for i, a := range progtest.ArgTypes() {
		loc := target.Loc{Kind: target.LocCtx, Off: 8 * i, Size: a.Bits / 8, Signed: a.Signed}
		t.Args = append(t.Args, target.Arg{Name: a.Name, Type: types.Int{Bits: a.Bits, Signed: a.Signed}, Loc: loc})
		t.Positional = append(t.Positional, target.Arg{Type: types.Int{Bits: 64}, Loc: target.Loc{Kind: target.LocCtx, Off: 8 * i, Size: 8}})
	}
	return []*target.Target{t}, nil
}

func (e *randomEnv) compile(src string, level int) (obj *object.Object, f *fault) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			obj, f = nil, &fault{errorKind("compiler", err), err.Error()}
		}
	}()
	set := &source.Set{}
	tree, list := parse.File(set, set.Add("random", ".", src))
	if list.HasErrors() {
		return nil, &fault{errorKind("parse", list), list.Error()}
	}
	prog, list := check.Script(tree, check.Env{
		Files: set, Kernel: e.kernel, Resolver: e, Parse: parse.File, TaskBTF: e.features.TaskBTF, Release: e.features.Release,
	})
	if list.HasErrors() {
		return nil, &fault{errorKind("check", list), list.Error()}
	}
	obj, err := codegen.Compile(prog, codegen.Target{Arch: runtime.GOARCH, Features: e.features, NumCPU: ebpf.MustPossibleCPU()},
		codegen.Options{Opt: level, Files: set, Verify: true, Dump: e.dump(level)})
	var reports *diag.List
	switch {
	case err == nil:
		return obj, nil
	case !e.features.BPFLoop && errors.As(err, &reports) && reports.Diags[0].Code == diag.NeedsKernel: // has too many turns for the verifier
		return nil, &fault{tooLarge, err.Error()}
	}
	return nil, &fault{errorKind("codegen", err), err.Error()}
}

// dump prints the stage that the flag names.
func (e *randomEnv) dump(level int) func(stage, probe, text string) {
	if e.stage == "" {
		return nil
	}
	return func(stage, probe, text string) {
		if stage == e.stage {
			fmt.Printf("--- level %d, %s of %s\n%s\n", level, stage, probe, text)
		}
	}
}

// execute compiles src, loads it and runs its probes on each input. warnings
// lists the run-time warnings, which the model does not know.
func (e *randomEnv) execute(src string, level int, inputs []progtest.Input) (out *progtest.Transcript, warnings []string, f *fault) {
	obj, f := e.compile(src, level)
	if f != nil {
		return nil, nil, f
	}
	return e.load(obj, inputs, maxRuns)
}

// maxRuns bounds how often a program is run anew when the kernel has no memory.
const maxRuns = 5

// load runs a compiled program.
func (e *randomEnv) load(obj *object.Object, inputs []progtest.Input, tries int) (out *progtest.Transcript, warnings []string, f *fault) {
	l, err := loadRandom(obj)
	if errors.Is(err, unix.E2BIG) && strings.Contains(verbose(err).Error(), "BPF program is too large") {
		return nil, nil, &fault{tooLarge, verbose(err).Error()}
	}
	if err != nil {
		return nil, nil, &fault{errorKind("load", err), verbose(err).Error()}
	}
	defer l.close()
	for _, in := range inputs {
		for _, p := range l.progs {
			ctx := []byte{}
			for _, a := range in.Args {
				ctx = binary.NativeEndian.AppendUint64(ctx, a)
			}
			result, err := p.Run(&ebpf.RunOptions{Context: ctx})
			if err == nil {
				l.out.Results = append(l.out.Results, result)
				err = l.readEvents()
			}
			if errors.Is(err, errNoMemory) && tries > 1 {
				time.Sleep(20 * time.Millisecond) // the kernel refills its reserve meanwhile
				return e.load(obj, inputs, tries-1)
			}
			if err != nil {
				return nil, nil, &fault{errorKind("run", err), err.Error()}
			}
		}
	}
	if err := l.readMaps(); err != nil {
		return nil, nil, &fault{errorKind("maps", err), err.Error()}
	}
	return &l.out, l.warnings, nil
}

// logTail is how many lines of the verifier's log are shown.
const logTail = 12

func verbose(err error) error {
	var v *ebpf.VerifierError
	if errors.As(err, &v) {
		return fmt.Errorf("%w\n%s", v.Cause, strings.Join(v.Log[max(0, len(v.Log)-logTail):], "\n"))
	}
	return err
}

// randomRun is a random program in the kernel.
type randomRun struct {
	obj      *object.Object
	maps     []*ebpf.Map // of obj.Maps
	progs    []*ebpf.Program
	ring     *ringbuf.Reader
	out      progtest.Transcript
	warnings []string
}

func loadRandom(obj *object.Object) (*randomRun, error) {
	l := &randomRun{obj: obj}
	if err := l.load(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *randomRun) load() error {
	for _, m := range l.obj.Maps {
		if err := l.createMap(m); err != nil {
			return fmt.Errorf("map %s: %w", m.Name, err)
		}
	}
	for _, p := range l.obj.Programs {
		insns := slices.Clone(p.Insns)
		for i, m := range l.obj.Maps {
			if err := insns.AssociateMap(m.Name, l.maps[i]); err != nil && !errors.Is(err, asm.ErrUnreferencedSymbol) {
				return err
			}
		}
		prog, err := loadProgram(&ebpf.ProgramSpec{Type: ebpf.RawTracepoint, Instructions: insns, License: "GPL"})
		if err != nil {
			return err
		}
		l.progs = append(l.progs, prog)
	}
	return nil
}

// loadProgram asks for the verifier's log only if it is of use: faults of the
// verifier itself have none, and the library would try ever larger buffers.
func loadProgram(spec *ebpf.ProgramSpec) (*ebpf.Program, error) {
	prog, err := ebpf.NewProgramWithOptions(spec, ebpf.ProgramOptions{LogDisabled: true})
	if err == nil || errors.Is(err, unix.EFAULT) {
		return prog, err
	}
	return ebpf.NewProgram(spec)
}

func (l *randomRun) createMap(m *object.Map) error {
	spec := &ebpf.MapSpec{Type: m.Type, KeySize: uint32(m.KeySize), ValueSize: uint32(m.ValueSize), MaxEntries: uint32(m.MaxEntries), Flags: m.Flags}
	if m.Role == object.RoleRing {
		spec.MaxEntries = 1 << 20
	}
	if m.Data != nil {
		spec.Contents = []ebpf.MapKV{{Key: uint32(0), Value: m.Data}}
	}
	km, err := ebpf.NewMap(spec)
	if err != nil {
		return err
	}
	l.maps = append(l.maps, km)
	if m.Data != nil {
		return km.Freeze()
	}
	if m.Role == object.RoleRing {
		l.ring, err = ringbuf.NewReader(km)
	}
	return err
}

func (l *randomRun) close() {
	if l.ring != nil {
		l.ring.Close()
	}
	for _, m := range l.maps {
		m.Close()
	}
	for _, p := range l.progs {
		p.Close()
	}
}

// readEvents takes what is in the ring buffer.
func (l *randomRun) readEvents() error {
	if l.ring == nil {
		return nil
	}
	l.ring.SetDeadline(time.Unix(1, 0))
	for {
		rec, err := l.ring.Read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := l.event(rec.RawSample); err != nil {
			return err
		}
	}
}

func (l *randomRun) event(raw []byte) error {
	head := layout.Value{Raw: raw}
	kind := head.Uint32At(0)
	if int(kind) >= len(l.obj.Records) || len(raw) < l.obj.Records[kind].Layout.Size {
		return fmt.Errorf("malformed record % x", raw)
	}
	r := l.obj.Records[kind]
	var args []string
	for _, f := range r.Layout.Fields {
		args = append(args, valueText(layout.MakeValue(f.Type, raw[f.Off:])))
	}
	names := map[types.Action]string{types.ActPrintf: "printf " + r.Format, types.ActPrint: "print", types.ActPrintMap: "print", types.ActClear: "clear", types.ActZero: "zero", types.ActExit: "exit"}
	switch r.Action {
	case types.ActPrintMap, types.ActClear, types.ActZero:
		args = append(args, r.Map)
	case types.ActHelper: // only if the kernel has no memory for an element at the moment
		return fmt.Errorf("helper %s: %w", r.Format, errNoMemory)
	case types.ActWarning:
		l.warnings = append(l.warnings, fmt.Sprint(r.Pos.Line, r.Pos.Col, r.Format))
		return nil
	}
	l.out.Events = append(l.out.Events, progtest.EventText(names[r.Action], args))
	return nil
}

// errNoMemory is the error of runs that tell nothing about the program.
var errNoMemory = errors.New("no memory")

// readMaps lists the elements of the script's maps.
func (l *randomRun) readMaps() error {
	for i, m := range l.obj.Maps {
		if m.Role != object.RoleScript {
			continue
		}
		snap, err := maps.Read(l.maps[i], m)
		if err != nil {
			return err
		}
		for _, e := range snap.Entries {
			key := ""
			if !snap.Scalar() {
				key = valueText(e.Key)
			}
			value := ""
			if a := e.Agg; a != nil {
				kind := strings.TrimSuffix(strings.TrimPrefix(a.Type.String(), "u"), "_t")
				n := a.Value
				if a.Buckets != nil {
					n = 0
				}
				value = progtest.AggText(kind, a.Type.Signed, n, a.Count, a.Total, a.Buckets)
			} else {
				value = valueText(e.Value)
			}
			l.out.Maps = append(l.out.Maps, progtest.ElementText(m.Name, key, value))
		}
	}
	slices.Sort(l.out.Maps)
	return nil
}

// valueText is the form of a value in a transcript.
func valueText(v layout.Value) string {
	switch t := v.Type.(type) {
	case types.Bool:
		return strconv.FormatBool(v.Uint() != 0)
	case types.String:
		return strconv.Quote(string(v.Text()))
	case types.Array:
		var parts []string
		for i := range t.Len {
			parts = append(parts, valueText(v.Index(i)))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case *types.Struct:
		var parts []string
		for _, f := range t.Fields() {
			part := valueText(v.Field(f))
			if t.Kind == types.RecordKind {
				part = "." + f.Name + "=" + part
			}
			parts = append(parts, part)
		}
		return "(" + strings.Join(parts, ",") + ")"
	}
	if types.IsSigned(v.Type) {
		return strconv.FormatInt(v.Int(), 10)
	}
	return strconv.FormatUint(v.Uint(), 10)
}
