package build

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// Names of the internal maps; those of scripts start with @.
const (
	ringName     = "ring"
	scratchName  = "scratch"
	countersName = "counters"
	paramsName   = "params"
	zeroName     = "zero"
)

// script is what the probes of a script share: the maps and event records of
// the object.
type script struct {
	typed *typed.Program
	opt   Options
	obj   *object.Object
	errs  *diag.List

	maps     map[*typed.Map]*mapInfo
	irMaps   map[*object.Map]*ir.Map
	internal map[string]*object.Map
	helpers  map[asm.BuiltinFunc]*ir.Helper
	consts   map[string]*object.Map
	strings  map[string]int
	emits    map[*typed.Emit]int
	sites    map[site]int

	scratch  *object.Map
	zeroSize int
	// lost are the addresses of the counters of lost records, whose offset
	// depends on the number of records.
	lost []lostCounter
}

// site identifies a run-time message of the compiler's own.
type site struct {
	action types.Action
	text   string
	span   source.Span
}

type lostCounter struct {
	addr   *ir.Value
	record int
}

// mapInfo is a map of the script.
type mapInfo struct {
	typed   *typed.Map
	obj     *object.Map
	ir      *ir.Map
	agg     *types.Agg // nil for plain values
	present int64      // offset of the mark of presence; -1 in keyed maps
}

func (m *mapInfo) scalar() bool { return m.typed.Key == nil }

func newScript(p *typed.Program, o Options) *script {
	s := &script{
		typed: p, opt: o,
		obj:      &object.Object{Config: p.Config},
		errs:     &diag.List{Files: o.Files},
		maps:     map[*typed.Map]*mapInfo{},
		irMaps:   map[*object.Map]*ir.Map{},
		internal: map[string]*object.Map{},
		helpers:  map[asm.BuiltinFunc]*ir.Helper{},
		consts:   map[string]*object.Map{},
		strings:  map[string]int{},
		emits:    map[*typed.Emit]int{},
		sites:    map[site]int{},
	}
	for _, m := range p.Maps {
		s.addMap(m)
	}
	s.scratch = &object.Map{Name: scratchName, Role: object.RoleScratch, Type: ebpf.PerCPUArray,
		KeySize: 4, MaxEntries: max(1, len(p.Probes)), Present: -1, PerCPU: true}
	return s
}

func (s *script) addMap(m *typed.Map) {
	size, present := layout.MapValue(m.Key, m.Value)
	info := &mapInfo{typed: m, present: int64(present)}
	if agg, ok := m.Value.(types.Agg); ok {
		info.agg = &agg
	}
	info.obj = &object.Map{
		Name: m.Name, Role: object.RoleScript, Key: m.Key, Value: m.Value, Present: present, Span: m.Span,
		KeySize: layout.MapKey(m.Key), ValueSize: size, MaxEntries: m.Entries,
		PerCPU: info.agg != nil && perCPU(m.Key != nil, *info.agg),
	}
	info.obj.Type = mapType(m, info.obj.PerCPU)
	if m.Key == nil {
		info.obj.MaxEntries = 1
	}
	if s.onDemand(info.obj) {
		info.obj.Flags = unix.BPF_F_NO_PREALLOC
	}
	if info.obj.PerCPU && size > maxPerCPUValue {
		s.errs.Errorf(diag.Unsupported, m.Span, "%s takes %d bytes for each element; the kernel allows %d", info.agg, size, maxPerCPUValue)
	}
	s.checkSize(info)
	s.obj.Maps = append(s.obj.Maps, info.obj)
	info.ir = s.irMap(info.obj)
	s.maps[m] = info
}

// perCPU reports whether each processor keeps an aggregation of its own. For the
// histograms of a map with keys that takes too much memory to reserve, and more
// than the kernel can give out in a burst of new keys.
func perCPU(keyed bool, a types.Agg) bool {
	return !keyed || a.Kind != types.Hist && a.Kind != types.LHist
}

// maxReserved is how many bytes the elements of a map may take together if the
// kernel is to reserve them in advance.
const maxReserved = 32 << 20

// onDemand reports whether the kernel had better give out the elements of m as
// they come. It is not for maps with a part for each processor unless they are
// huge: bpf_mem_alloc in kernel/bpf/memalloc.c refills its stock of such parts
// from what pages are there (GFP_NOWAIT), and that does not last for many new
// keys at once.
func (s *script) onDemand(m *object.Map) bool {
	if !s.opt.Features.NoPreallocSafe {
		return false
	}
	switch m.Type {
	case ebpf.PerCPUHash:
		return m.MaxEntries*(m.KeySize+m.ValueSize*max(1, s.opt.NumCPU)) > maxReserved
	case ebpf.Hash:
		return m.KeySize+m.ValueSize > maxPlainElement
	}
	return false
}

// maxPlainElement is the size of key and value in bytes above which it takes too
// long to reserve the elements of an ordinary hash.
const maxPlainElement = 256

// maxPerCPUValue is the largest value of a per-CPU map in bytes
// (PCPU_MIN_UNIT_SIZE).
const maxPerCPUValue = 32 << 10

func mapType(m *typed.Map, perCPU bool) ebpf.MapType {
	switch {
	case m.Key == nil && perCPU:
		return ebpf.PerCPUArray
	case m.Key == nil:
		return ebpf.Array
	case perCPU && (m.Kind == typed.LRUHash || m.Kind == typed.PerCPULRUHash):
		return ebpf.LRUCPUHash
	case perCPU:
		return ebpf.PerCPUHash
	case m.Kind == typed.LRUHash || m.Kind == typed.PerCPULRUHash:
		return ebpf.LRUHash
	}
	return ebpf.Hash
}

// irMap returns the operand that stands for m.
func (s *script) irMap(m *object.Map) *ir.Map {
	x := s.irMaps[m]
	if x == nil {
		x = &ir.Map{Name: m.Name, KeySize: m.KeySize, ValueSize: m.ValueSize}
		s.irMaps[m] = x
	}
	return x
}

// internalMap returns the map called name, made by create when it is first used.
func (s *script) internalMap(name string, create func() *object.Map) *ir.Map {
	m := s.internal[name]
	if m == nil {
		m = create()
		m.Name, m.Present = name, -1
		s.internal[name] = m
		s.obj.Maps = append(s.obj.Maps, m)
	}
	return s.irMap(m)
}

func (s *script) ring() *ir.Map {
	return s.internalMap(ringName, func() *object.Map {
		return &object.Map{Role: object.RoleRing, Type: ebpf.RingBuf, MaxEntries: s.typed.Config.PerfRBPages * 4096}
	})
}

func (s *script) counters() *ir.Map {
	return s.internalMap(countersName, func() *object.Map {
		return &object.Map{Role: object.RoleCounters, Type: ebpf.Array, KeySize: 4, ValueSize: object.CounterKinds, MaxEntries: 1}
	})
}

func (s *script) params() *ir.Map {
	return s.internalMap(paramsName, func() *object.Map {
		return &object.Map{Role: object.RoleParams, Type: ebpf.Array, KeySize: 4, ValueSize: object.ParamSize, MaxEntries: 1}
	})
}

// constant returns a read-only map that holds data. A prefix of an earlier one
// is not looked for: tables are few.
func (s *script) constant(data []byte) *ir.Map {
	m := s.consts[string(data)]
	if m == nil {
		m = constMap(data)
		m.Name = fmt.Sprintf("const%d", len(s.consts))
		s.consts[string(data)] = m
		s.obj.Maps = append(s.obj.Maps, m)
	}
	return s.irMap(m)
}

func constMap(data []byte) *object.Map {
	return &object.Map{Role: object.RoleConst, Type: ebpf.Array, KeySize: 4, ValueSize: len(data),
		MaxEntries: 1, Flags: unix.BPF_F_RDONLY_PROG, Data: data, Present: -1}
}

// zeros returns a read-only map of at least size zero bytes.
func (s *script) zeros(size int) *ir.Map {
	s.zeroSize = max(s.zeroSize, size, 8)
	m := s.internalMap(zeroName, func() *object.Map { return constMap(nil) })
	m.ValueSize = s.zeroSize
	return m
}

// textIndex returns the index of t in the strings of the object.
func (s *script) textIndex(t string) int {
	i, ok := s.strings[t]
	if !ok {
		i = len(s.obj.Strings)
		s.strings[t] = i
		s.obj.Strings = append(s.obj.Strings, t)
	}
	return i
}

// finish fills in what depends on the number of records.
func (s *script) finish() {
	n := len(s.obj.Records)
	if m := s.internal[countersName]; m != nil {
		m.ValueSize = object.CounterKinds + 16*n
		s.irMap(m).ValueSize = m.ValueSize
	}
	for _, l := range s.lost {
		l.addr.Imm = int64(object.CounterKinds + 8*n + 8*l.record)
	}
	if m := s.internal[zeroName]; m != nil {
		m.ValueSize = s.zeroSize
		m.Data = make([]byte, s.zeroSize)
	}
}

// position resolves a span for messages of a run.
func (s *script) position(sp source.Span) object.Position {
	if s.opt.Files == nil || !sp.IsValid() {
		return object.Position{}
	}
	from := s.opt.Files.Position(sp.Start)
	to := s.opt.Files.Position(sp.End)
	if from.File == nil || to.File == nil {
		return object.Position{}
	}
	p := object.Position{File: from.File.Name, Line: from.Line, Col: from.Col, EndCol: to.Col, Line2: to.Line}
	var lines []string
	for n := from.Line; n <= to.Line; n++ {
		lines = append(lines, from.File.Line(n))
	}
	p.SourceLine = strings.Join(lines, "\n")
	return p
}
