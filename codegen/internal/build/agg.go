package build

import (
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// maxInsertOnMiss is the size of an aggregation in bytes up to which the first
// value is built in memory and inserted; larger ones are inserted as zeros and
// then added to.
const maxInsertOnMiss = 16

// aggUpdate adds a value to an aggregation. Atomic operations are needed only
// where processors share it, see perCPU.
func (f *fn) aggUpdate(s *typed.AggUpdate) {
	m := f.maps[s.Map]
	if m.scalar() {
		x := f.aggArg(s)
		p := f.b.Map(ir.OpMapLookup, m.ir, 0, f.key(m, nil))
		f.when(p, 1, func() {
			f.accumulate(m, p, x)
			f.b.Store(p, m.present, f.num(1), 8)
		}, nil)
		return
	}
	key := f.key(m, s.Key)
	x := f.aggArg(s)
	p := f.b.Map(ir.OpMapLookup, m.ir, 0, key)
	f.when(p, 1, func() { f.accumulate(m, p, x) }, func() { f.aggInsert(m, key, x, s.Span) })
}

// aggArg returns what is added: of a histogram the index of the bucket.
func (f *fn) aggArg(s *typed.AggUpdate) *ir.Value {
	if s.X == nil {
		return nil
	}
	x := f.number(s.X)
	switch a := f.maps[s.Map].agg; a.Kind {
	case types.Hist:
		return f.histBucket(a, x)
	case types.LHist:
		return f.lhistBucket(a, x)
	}
	return x
}

func (f *fn) aggInsert(m *mapInfo, key, x *ir.Value, sp source.Span) {
	if m.obj.ValueSize <= maxInsertOnMiss {
		tmp := f.temp("value", m.obj.ValueSize)
		f.firstValue(m.agg, tmp, x)
		f.update(m, key, tmp.base, unix.BPF_ANY, sp)
		return
	}
	zero := f.b.Map(ir.OpMapValue, f.zeros(m.obj.ValueSize), 0)
	r := f.b.Map(ir.OpMapUpdate, m.ir, unix.BPF_NOEXIST, key, zero)
	p := f.b.Map(ir.OpMapLookup, m.ir, 0, key)
	f.when(p, 1, func() { f.accumulate(m, p, x) }, func() { f.full(r, sp) })
}

// firstValue fills the memory of a small aggregation with its first value.
func (f *fn) firstValue(a *types.Agg, p mem, x *ir.Value) {
	if a.Kind == types.Count {
		x = f.num(1)
	}
	f.b.Store(p.base, p.off+layout.AggValue, x, 8)
	if a.Kind != types.Count && a.Kind != types.Sum {
		f.b.Store(p.base, p.off+layout.AggCount, f.num(1), 8)
	}
}

// accumulate adds x to the aggregation at p.
func (f *fn) accumulate(m *mapInfo, p, x *ir.Value) {
	switch a := m.agg; a.Kind {
	case types.Count:
		f.addAt(p, layout.AggValue, f.num(1))
	case types.Sum:
		f.addAt(p, layout.AggValue, x)
	case types.Avg, types.Stats:
		f.addAt(p, layout.AggValue, x)
		f.addAt(p, layout.AggCount, f.num(1))
	case types.Min, types.Max:
		f.extreme(a, p, x)
	case types.Hist, types.LHist:
		f.addBucket(m, p, x)
	default:
		f.tseries(a, p, x)
	}
}

func (f *fn) addAt(p *ir.Value, off int64, n *ir.Value) {
	f.b.Store(p, off, f.b.Value(ir.OpAdd, f.b.Load(ir.I64, p, off, 8), n), 8)
}

// extreme keeps the smaller or larger value; the first one always.
func (f *fn) extreme(a *types.Agg, p, x *ir.Value) {
	old := f.b.Load(ir.I64, p, layout.AggValue, 8)
	set := func() { f.b.Store(p, layout.AggValue, x, 8) }
	op := typed.Lt
	if a.Kind == types.Max {
		op = typed.Gt
	}
	f.when(f.b.Load(ir.I64, p, layout.AggCount, 8), 1, func() {
		f.when(f.order(op, a.Signed, x, old), -1, set, nil)
	}, func() {
		set()
		f.b.Store(p, layout.AggCount, f.num(1), 8)
	})
}

// addBucket counts in bucket i, which the verifier knows to be within bounds.
func (f *fn) addBucket(m *mapInfo, p, i *ir.Value) {
	n := int64(m.agg.NumBuckets())
	// i is in range by construction; the verifier needs to see it.
	f.when(f.b.Value(ir.OpULt, i, f.num(n)), 1, func() {
		at := f.b.Value(ir.OpAdd, p, f.b.Value(ir.OpShl, i, f.num(3)))
		if m.obj.PerCPU {
			f.addAt(at, 0, f.num(1))
		} else {
			f.b.Atomic(ir.OpAtomicAdd, at, 0, f.num(1), 8)
		}
	}, nil)
}

// histBucket: negative values have bucket 0; n < 2^k has bucket n+1; else with
// e the position of the highest bit of n it is
// ((e-k+1)<<k) + ((n>>(e-k)) & (2^k-1)) + 1.
func (f *fn) histBucket(a *types.Agg, n *ir.Value) *ir.Value {
	k := int64(a.Bits)
	op := f.b.Value
	return f.choose(op(ir.OpSLt, n, f.num(0)), -1, ir.I64,
		func() *ir.Value { return f.num(0) },
		func() *ir.Value {
			return f.choose(op(ir.OpULt, n, f.num(1<<k)), 0, ir.I64,
				func() *ir.Value { return f.add(n, 1) },
				func() *ir.Value {
					e := f.log2(n)
					up := op(ir.OpShl, f.add(e, 1-k), f.num(k))
					if k == 0 {
						return f.add(up, 1)
					}
					low := op(ir.OpAnd, op(ir.OpLShr, n, f.add(e, -k)), f.num(1<<k-1))
					return f.add(op(ir.OpAdd, up, low), 1)
				})
		})
}

// log2 returns the position of the highest bit of n, which is above 0, by binary
// search. Differences are compared by their sign bit: branches would make the
// verifier walk 32 paths at each histogram.
func (f *fn) log2(n *ir.Value) *ir.Value {
	op := f.b.Value
	pos := f.num(0)
	for _, step := range []int64{5, 4, 3, 2, 1} {
		bits := int64(1) << step
		over := op(ir.OpLShr, op(ir.OpSub, f.num(1<<bits-1), n), f.num(63))
		shift := op(ir.OpShl, over, f.num(step))
		n = op(ir.OpLShr, n, shift)
		pos = op(ir.OpAdd, pos, shift)
	}
	return op(ir.OpAdd, pos, op(ir.OpLShr, n, f.num(1)))
}

// lhistBucket: below min the first bucket, from the last full step on the last
// one.
func (f *fn) lhistBucket(a *types.Agg, n *ir.Value) *ir.Value {
	steps := (a.Max - a.Min) / a.Step
	return f.choose(f.b.Value(ir.OpSLt, n, f.num(a.Min)), -1, ir.I64,
		func() *ir.Value { return f.num(0) },
		func() *ir.Value {
			return f.choose(f.b.Value(ir.OpSLe, f.num(a.Min+steps*a.Step), n), -1, ir.I64,
				func() *ir.Value { return f.num(steps + 1) },
				func() *ir.Value {
					return f.add(f.b.Value(ir.OpUDiv, f.add(n, -a.Min), f.num(a.Step)), 1)
				})
		})
}

// aggGet returns the combined number of an aggregation.
func (f *fn) aggGet(m *mapInfo, e *typed.MapGet) *ir.Value {
	if !f.opt.Features.MapLookupPerCPU {
		f.needs(e.Span, "reading an aggregation in the program", "5.18")
		return f.num(0)
	}
	return f.combine(m, f.key(m, e.Key), nil)
}

// combine sums up the parts of all processors. found, if not nil, is set to 1
// if there is an element.
func (f *fn) combine(m *mapInfo, key *ir.Value, found *ir.Var) *ir.Value {
	total, count := f.b.NewVar(ir.I64), f.b.NewVar(ir.I64)
	f.b.WriteVar(total, f.num(0))
	f.b.WriteVar(count, f.num(0))
	f.turns(int64(max(1, f.opt.NumCPU)), func(i *ir.Value, next, done *ir.Block) {
		p := f.call(asm.FnMapLookupPercpuElem, f.b.Map(ir.OpMapPtr, m.ir, 0), key, i)
		f.exit(f.b.Value(ir.OpEq, p, f.null()), -1, next)
		if found != nil {
			f.b.WriteVar(*found, f.num(1))
		}
		f.combineOne(m.agg, p, total, count)
	})
	x := f.b.ReadVar(total)
	if m.agg.Kind != types.Avg && m.agg.Kind != types.Stats {
		return x
	}
	n := f.b.ReadVar(count)
	return f.choose(n, 1, ir.I64, func() *ir.Value { return f.average(x, n, m.agg.Signed) },
		func() *ir.Value { return f.num(0) })
}

func (f *fn) combineOne(a *types.Agg, p *ir.Value, total, count ir.Var) {
	v := f.b.Load(ir.I64, p, layout.AggValue, 8)
	sum := func() { f.b.WriteVar(total, f.b.Value(ir.OpAdd, f.b.ReadVar(total), v)) }
	switch a.Kind {
	case types.Min, types.Max:
		op := typed.Lt
		if a.Kind == types.Max {
			op = typed.Gt
		}
		f.when(f.b.Load(ir.I64, p, layout.AggCount, 8), 0, func() {
			set := func() { f.b.WriteVar(total, v) }
			f.when(f.b.ReadVar(count), 0, func() {
				f.when(f.order(op, a.Signed, v, f.b.ReadVar(total)), 0, set, nil)
			}, set)
			f.b.WriteVar(count, f.num(1))
		}, nil)
	case types.Avg, types.Stats:
		sum()
		f.b.WriteVar(count, f.b.Value(ir.OpAdd, f.b.ReadVar(count), f.b.Load(ir.I64, p, layout.AggCount, 8)))
	default:
		sum()
	}
}

// average divides, truncating toward zero.
func (f *fn) average(total, n *ir.Value, signed bool) *ir.Value {
	div := func(x *ir.Value) *ir.Value { return f.b.Value(ir.OpUDiv, x, n) }
	if !signed {
		return div(total)
	}
	return f.choose(f.b.Value(ir.OpSLt, total, f.num(0)), 0, ir.I64,
		func() *ir.Value { return f.b.Value(ir.OpNeg, div(f.b.Value(ir.OpNeg, total))) },
		func() *ir.Value { return div(total) })
}

func (f *fn) aggFind(m *mapInfo, e *typed.MapFind) *ir.Value {
	if !f.opt.Features.MapLookupPerCPU {
		f.needs(e.Span, "reading an aggregation in the program", "5.18")
		return f.num(0)
	}
	found := f.b.NewVar(ir.I64)
	f.b.WriteVar(found, f.num(0))
	x := f.combine(m, f.key(m, e.Key), &found)
	f.when(f.b.ReadVar(found), 0, func() {
		f.writeVariable(e.Var, f.resize(x, types.Int{Bits: 64, Signed: true}, e.Var.Type))
	}, nil)
	return f.b.ReadVar(found)
}

// aggDelete clears the parts of all processors of a scalar aggregation.
func (f *fn) aggDelete(m *mapInfo) *ir.Value {
	was := f.b.NewVar(ir.I64)
	f.b.WriteVar(was, f.num(0))
	if !f.opt.Features.MapLookupPerCPU {
		f.needs(m.typed.Span, "delete() of a scalar aggregation", "5.18")
		return f.num(0)
	}
	key := f.key(m, nil)
	f.turns(int64(max(1, f.opt.NumCPU)), func(i *ir.Value, next, done *ir.Block) {
		p := f.call(asm.FnMapLookupPercpuElem, f.b.Map(ir.OpMapPtr, m.ir, 0), key, i)
		f.exit(f.b.Value(ir.OpEq, p, f.null()), -1, next)
		f.b.WriteVar(was, f.b.Value(ir.OpOr, f.b.ReadVar(was), f.truth(f.b.Load(ir.I64, p, m.present, 8))))
		f.b.Zero(p, 0, int64(m.obj.ValueSize))
	})
	return f.b.ReadVar(was)
}
