package opt

import (
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// deadstore removes writes of slots that are overwritten before anything reads
// them or that nothing reads any more, and makes zeroing no longer than it has
// to be.
func deadstore(f *ir.Func) bool {
	m := analyse(f)
	d := &storeKiller{mem: m, flow: flowOf(f, m), uses: ir.UseCounts(f)}
	for _, b := range ir.RPO(f) {
		d.block(b)
	}
	return d.changed
}

type storeKiller struct {
	mem     *memory
	flow    *slotFlow
	uses    []int32
	blk     *ir.Block
	dead    map[*ir.Slot]ranges // what is not read before it is written again
	changed bool
}

// interval is the bytes [lo, hi).
type interval struct{ lo, hi int64 }

// ranges is disjoint intervals in order.
type ranges []interval

const (
	minusInf = -1 << 62
	plusInf  = 1 << 62
)

func (r ranges) add(n interval) ranges {
	var out ranges
	for _, i := range r {
		switch {
		case i.hi < n.lo || i.lo > n.hi:
			out = append(out, i)
		default:
			n = interval{min(i.lo, n.lo), max(i.hi, n.hi)}
		}
	}
	if len(out) >= maxSegs {
		return r
	}
	at, _ := slices.BinarySearchFunc(out, n.lo, func(i interval, lo int64) int {
		if i.lo < lo {
			return -1
		}
		return 1
	})
	return slices.Insert(out, at, n)
}

func (r ranges) remove(n interval) ranges {
	var out ranges
	for _, i := range r {
		if i.hi <= n.lo || i.lo >= n.hi {
			out = append(out, i)
			continue
		}
		if i.lo < n.lo {
			out = append(out, interval{i.lo, n.lo})
		}
		if i.hi > n.hi {
			out = append(out, interval{n.hi, i.hi})
		}
	}
	return out
}

// trim returns what of n is not covered at its ends.
func (r ranges) trim(n interval) interval {
	for _, i := range r {
		if i.lo <= n.lo && i.hi > n.lo {
			n.lo = min(i.hi, n.hi)
		}
		if i.hi >= n.hi && i.lo < n.hi {
			n.hi = max(i.lo, n.lo)
		}
	}
	return n
}

func (d *storeKiller) block(b *ir.Block) {
	d.blk, d.dead = b, map[*ir.Slot]ranges{}
	n := len(b.Values)
	kept := n
	for i := n - 1; i >= 0; i-- {
		v := b.Values[i]
		if d.isDead(v) {
			for _, a := range v.Args {
				d.uses[a.ID]--
			}
			continue
		}
		d.update(v)
		kept--
		b.Values[kept] = v
	}
	if kept > 0 {
		b.Values = slices.Delete(b.Values, 0, kept)
		d.changed = true
	}
}

func (d *storeKiller) get(slot *ir.Slot) ranges {
	r, ok := d.dead[slot]
	if !ok && !d.flow.neededAfter(slot, d.blk) {
		return ranges{{minusInf, plusInf}}
	}
	return r
}

// isDead reports whether v only writes what is not read; it shortens zeroing.
func (d *storeKiller) isDead(v *ir.Value) bool {
	slot := d.mem.fills(v)
	if slot == nil || d.uses[v.ID] > 0 {
		return false
	}
	for _, a := range d.mem.accesses(v) {
		if !a.write {
			continue
		}
		r := d.get(slot)
		n := interval{a.off, a.off + a.size}
		switch {
		case !a.exact:
			n = interval{minusInf, plusInf}
		case a.size < 0:
			n.hi = plusInf
		}
		left := r.trim(n)
		if left.lo >= left.hi {
			return true
		}
		if v.Op == ir.OpZero && left != n && a.known() {
			d.shorten(v, n, left)
		}
	}
	return false
}

// shorten cuts dead bytes off a zeroing, in units of 8 so that it stays made
// of wide stores.
func (d *storeKiller) shorten(v *ir.Value, n, left interval) {
	lo := n.lo + (left.lo-n.lo)&^7
	hi := n.hi - (n.hi-left.hi)&^7
	if lo == n.lo && hi == n.hi {
		return
	}
	v.Imm += lo - n.lo
	v.Size = hi - lo
	d.changed = true
}

// update goes backward over v.
func (d *storeKiller) update(v *ir.Value) {
	accesses := d.mem.accesses(v)
	for _, a := range accesses {
		if slot := a.slot(); slot != nil && a.full && a.known() {
			d.dead[slot] = d.get(slot).add(interval{a.off, a.off + a.size})
		}
	}
	for _, a := range accesses {
		slot := a.slot()
		if slot == nil || !a.read {
			continue
		}
		n := interval{minusInf, plusInf}
		if a.known() {
			n = interval{a.off, a.off + a.size}
		}
		d.dead[slot] = d.get(slot).remove(n)
	}
}
