package build

import (
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// record returns the index of the record that e sends.
func (s *script) record(e *typed.Emit) int {
	if i, ok := s.emits[e]; ok {
		return i
	}
	var args []types.Type
	for _, a := range e.Args {
		args = append(args, a.Type())
	}
	if e.Action == types.ActJoin {
		args = []types.Type{types.Array{Elem: types.Int{Bits: 8}, Len: layout.JoinSize}}
	}
	l := layout.Record(args)
	if e.Action == types.ActJoin {
		l.Fields[0].Off = layout.HeaderSize
	}
	r := &object.Record{Action: e.Action, Format: e.Format, Top: e.Top, Div: e.Div, Layout: l, Pos: s.position(e.Span)}
	if e.Map != nil {
		r.Map = e.Map.Name
	}
	s.emits[e] = s.addRecord(r)
	return s.emits[e]
}

func (s *script) addRecord(r *object.Record) int {
	s.ring()
	s.counters()
	s.obj.Records = append(s.obj.Records, r)
	return len(s.obj.Records) - 1
}

// emit sends a record. Arguments without effects are built straight in the
// ring buffer; others first, in their order.
func (f *fn) emit(e *typed.Emit) {
	if f.target.Pinned() {
		f.seqPrintf(e)
		return
	}
	index := f.record(e)
	l := f.obj.Records[index].Layout
	if e.Action == types.ActJoin {
		f.join(index, l, f.value(e.Args[0]), e.Args[0].Type())
		return
	}
	impure := false
	for _, a := range e.Args {
		impure = impure || effects(a)
	}
	values := make([]*ir.Value, len(e.Args))
	built := make([]mem, len(e.Args))
	for i, a := range e.Args {
		switch {
		case types.IsScalar(a.Type()):
			values[i] = f.value(a)
		case impure:
			built[i] = f.built(a)
		}
	}
	f.send(index, l, func(rec *ir.Value) {
		for i, a := range e.Args {
			dst := mem{kind: direct, base: rec, off: int64(l.Fields[i].Off)}
			switch {
			case values[i] != nil:
				f.storeScalar(dst, values[i], a.Type())
			case impure:
				f.copyMem(dst, built[i], int64(a.Type().Size()))
			default:
				f.buildInto(dst, a, false)
			}
		}
	})
}

// send reserves a record, lets fill write its fields and submits it. What does
// not fit the ring buffer is counted.
func (f *fn) send(index int, l layout.Struct, fill func(rec *ir.Value)) {
	rec := f.call(asm.FnRingbufReserve, f.b.Map(ir.OpMapPtr, f.ring(), 0), f.num(int64(l.Size)), f.num(0))
	f.when(rec, 1, func() {
		f.b.Store(rec, 0, f.num(int64(index)), layout.HeaderSize)
		f.gaps(rec, l)
		fill(rec)
		f.call(asm.FnRingbufSubmit, rec, f.num(0))
	}, func() { f.countLost(index) })
}

// gaps clears the bytes between the fields of a record.
func (f *fn) gaps(rec *ir.Value, l layout.Struct) {
	end := layout.HeaderSize
	for _, field := range l.Fields {
		if field.Off > end {
			f.b.Zero(rec, int64(end), int64(field.Off-end))
		}
		end = field.Off + field.Size
	}
	if l.Size > end {
		f.b.Zero(rec, int64(end), int64(l.Size-end))
	}
}

func (f *fn) countLost(index int) {
	one := f.num(1)
	all := f.b.Map(ir.OpMapValue, f.counters(), object.CounterLost)
	f.b.Atomic(ir.OpAtomicAdd, all, 0, one, 8)
	own := f.b.Map(ir.OpMapValue, f.counters(), 0)
	f.lost = append(f.lost, lostCounter{own, index})
	f.b.Atomic(ir.OpAtomicAdd, own, 0, one, 8)
}

// warn sends a run-time message once per place. code is the error of a helper,
// else nil. Nobody is there to be told of a pinned iterator.
func (f *fn) warn(a types.Action, text string, sp source.Span, code *ir.Value) {
	if f.target.Pinned() {
		return
	}
	index := f.siteRecord(site{a, text, sp}, code != nil)
	seen := f.b.Map(ir.OpMapValue, f.counters(), object.CounterKinds+8*int64(index))
	one := f.num(1)
	var old *ir.Value
	if f.opt.Features.AtomicFetch {
		old = f.b.Atomic(ir.OpAtomicFetchAdd, seen, 0, one, 8)
	} else {
		old = f.b.Load(ir.I64, seen, 0, 8)
		f.b.Atomic(ir.OpAtomicAdd, seen, 0, one, 8)
	}
	f.when(old, 1, func() {}, func() {
		l := f.obj.Records[index].Layout
		f.send(index, l, func(rec *ir.Value) {
			if code != nil {
				f.b.Store(rec, int64(l.Fields[0].Off), code, 8)
			}
		})
	})
}

func (s *script) siteRecord(at site, code bool) int {
	if i, ok := s.sites[at]; ok {
		return i
	}
	var args []types.Type
	if code {
		args = []types.Type{types.Int{Bits: 64, Signed: true}}
	}
	i := s.addRecord(&object.Record{Action: at.action, Format: at.text, Layout: layout.Record(args), Pos: s.position(at.span)})
	s.sites[at] = i
	return i
}

// join reads the strings that an array of pointers leads to, up to a null.
func (f *fn) join(index int, l layout.Struct, array *ir.Value, t types.Type) {
	space := types.NoSpace
	if p, ok := t.(types.Pointer); ok {
		space = p.Space
	}
	array = f.as(array, ir.I64)
	f.send(index, l, func(rec *ir.Value) {
		count := f.b.NewVar(ir.I64)
		f.b.WriteVar(count, f.num(0))
		base := int64(l.Fields[0].Off)
		f.turns(types.JoinMax, func(i *ir.Value, _, done *ir.Block) {
			at := f.b.Value(ir.OpAdd, array, f.b.Value(ir.OpShl, i, f.num(3)))
			text := f.loadScalar(mem{kind: remote, base: at, space: space}, types.Int{Bits: 64}, false)
			f.exit(f.b.Value(ir.OpEq, text, f.num(0)), -1, done)
			dst := f.b.Value(ir.OpAdd, rec, f.b.Value(ir.OpMul, i, f.num(types.JoinCap)))
			f.readVar(mem{kind: direct, base: dst, off: base + layout.JoinData}, mem{kind: remote, base: text, space: space},
				f.num(types.JoinCap), asm.FnProbeReadKernelStr, asm.FnProbeReadUserStr)
			f.b.WriteVar(count, f.add(i, 1))
		})
		f.b.Store(rec, base+layout.JoinCount, f.b.ReadVar(count), 8)
	})
}
