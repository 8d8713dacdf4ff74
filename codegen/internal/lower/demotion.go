package lower

import (
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// demotion moves some values of one function into slots in scratch memory.
type demotion struct {
	*Demoter
	f    *ir.Func
	home map[*ir.Value]*ir.Slot
	// pass has for parameters what the edges leave there: memory of its own,
	// because the value before may still be needed for another parameter.
	pass map[*ir.Value]*ir.Slot
}

func newDemotion(all *Demoter, f *ir.Func, values []*ir.Value) *demotion {
	d := &demotion{Demoter: all, f: f, home: map[*ir.Value]*ir.Slot{}, pass: map[*ir.Value]*ir.Slot{}}
	for _, v := range values {
		d.home[v] = f.NewSlot("demoted", 8, 8)
		if v.Op == ir.OpParam {
			d.pass[v] = f.NewSlot("passed", 8, 8)
		}
	}
	return d
}

func (d *demotion) run() {
	if d.base[d.f] == nil {
		d.base[d.f] = lookupAt(d.f, d.f.Blocks[0], 0, d.p, d.key())
		expandMaps(d.f)
	}
	for _, b := range d.f.Blocks {
		d.block(b)
	}
	d.f.RemoveParams(func(v *ir.Value) bool { return d.home[v] != nil })
	d.place()
	foldAddresses(d.f)
	fitOffsets(d.f)
	dropDead(d.f)
}

// key returns a slot for the key of the lookup, which stands at the start of
// the function, where nothing is held that its failure would leak: the slot of
// a lookup further down, if there is one, as it is needed for the call only.
func (d *demotion) key() *ir.Slot {
	if i := slices.IndexFunc(d.f.Slots, func(s *ir.Slot) bool { return s.Name == scratchKey }); i >= 0 {
		return d.f.Slots[i]
	}
	key := d.f.NewSlot(scratchKey, 4, 4)
	d.f.Frame += 8
	key.Off = -int64(d.f.Frame)
	return key
}

// place puts the new slots behind what the program has of scratch memory.
func (d *demotion) place() {
	pl := &placement{f: d.f, scratch: map[*ir.Slot]int64{}, ranges: slotRanges(d.f)}
	base := roundUp(int64(d.p.ScratchSize))
	for _, s := range d.f.Slots {
		if s.Off == 0 && pl.ranges[s.ID].last >= 0 {
			pl.scratch[s] = base + pl.memory.take(s.Size, pl.ranges[s.ID]).off
		}
	}
	d.p.ScratchSize = int(base + pl.memory.size)
	addressScratch(pl, d.base[d.f])
}

// block inserts the loads and stores of one block.
func (d *demotion) block(b *ir.Block) {
	r := &rewriter{f: d.f, at: &ir.Value{Span: b.Term.Span}}
	for _, p := range b.Params {
		if s := d.home[p]; s != nil {
			d.store(r, s, d.load(r, d.pass[p]))
		}
	}
	for _, v := range b.Values {
		r.at = v
		d.loadAll(r, v.Args)
		r.keep(v)
		if s := d.home[v]; s != nil {
			d.store(r, s, v)
		}
	}
	r.at = &ir.Value{Span: b.Term.Span}
	if c := b.Term.Cond; c != nil {
		cond := []*ir.Value{c}
		d.loadAll(r, cond)
		b.Term.Cond = cond[0]
	}
	for _, e := range b.Term.Succs {
		d.edge(r, e)
	}
	for _, v := range r.out {
		v.Block = b
	}
	b.Values = r.out
}

// edge stores what e passes for parameters in memory, and loads the rest.
func (d *demotion) edge(r *rewriter, e ir.Edge) {
	for i, p := range e.To.Params {
		if s := d.pass[p]; s != nil {
			arg := []*ir.Value{e.Args[i]}
			d.loadAll(r, arg)
			d.store(r, s, arg[0])
		}
	}
	for i, p := range e.To.Params {
		if d.pass[p] == nil {
			d.loadAll(r, e.Args[i:i+1])
		}
	}
}

// loadAll replaces the demoted ones among args by loads; one that occurs twice
// is loaded once.
func (d *demotion) loadAll(r *rewriter, args []*ir.Value) {
	for i, v := range args {
		s := d.home[v]
		if s == nil {
			continue
		}
		x := d.load(r, s)
		for j := i; j < len(args); j++ {
			if args[j] == v {
				args[j] = x
			}
		}
	}
}

func (d *demotion) load(r *rewriter, s *ir.Slot) *ir.Value {
	v := r.access(ir.OpLoad, ir.I64, 0, 8, r.refer(ir.OpSlotAddr, s))
	d.own[v] = true
	return v
}

func (d *demotion) store(r *rewriter, s *ir.Slot, v *ir.Value) {
	r.access(ir.OpStore, ir.Void, 0, 8, r.refer(ir.OpSlotAddr, s), v)
}
