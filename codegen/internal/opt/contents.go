package opt

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// symKind is the kind of a sym.
type symKind uint8

const (
	symNumber symKind = iota // bytes of the number imm
	symValue                 // bytes of the value v
	symFill                  // bytes that v, or any equal helper call, has written
	symOpaque                // what was there when v ran
)

// sym names the contents of a range of memory: the bytes from off on of
// something. Ranges with equal syms and sizes hold equal bytes.
type sym struct {
	kind symKind
	v    *ir.Value
	imm  int64
	off  int64
}

func (s sym) from(n int64) sym {
	if s != (sym{}) { // zeros look the same everywhere
		s.off += n
	}
	return s
}

// place is a byte of a slot.
type place struct {
	slot *ir.Slot
	off  int64
}

// seg is a range of a slot whose contents are known. The same bytes may still
// be at from.
type seg struct {
	off, size int64
	sym       sym
	from      place
}

func (s seg) end() int64 { return s.off + s.size }

// part returns the part of s from off to end.
func (s seg) part(off, end int64) seg {
	n := off - s.off
	s.sym = s.sym.from(n)
	s.from.off += n
	s.off, s.size = off, end-off
	return s
}

// contents is what is known of a slot: disjoint ranges in order. It is never
// changed in place, so that states of several blocks can share it.
type contents []seg

// maxSegs bounds the ranges kept for one slot.
const maxSegs = 64

// without returns c without [off, end).
func (c contents) without(off, end int64) contents {
	var out contents
	for _, s := range c {
		if s.end() <= off || s.off >= end {
			out = append(out, s)
			continue
		}
		if s.off < off {
			out = append(out, s.part(s.off, off))
		}
		if s.end() > end {
			out = append(out, s.part(end, s.end()))
		}
	}
	return out
}

// with returns c with n in place of what was there.
func (c contents) with(n seg) contents {
	out := c.without(n.off, n.end())
	if n.size <= 0 || len(out) >= maxSegs {
		return out
	}
	i, _ := slices.BinarySearchFunc(out, n.off, func(s seg, off int64) int { return int(s.off - off) })
	out = slices.Insert(out, i, n)
	return out.joinZeros(i)
}

// joinZeros merges zeros at i with zeros beside them.
func (c contents) joinZeros(i int) contents {
	if c[i].sym != (sym{}) {
		return c
	}
	if j := i + 1; j < len(c) && c[j].sym == (sym{}) && c[j].off == c[i].end() {
		c[i].size += c[j].size
		c = slices.Delete(c, j, j+1)
	}
	if j := i - 1; j >= 0 && c[j].sym == (sym{}) && c[j].end() == c[i].off {
		c[j].size += c[i].size
		c = slices.Delete(c, i, i+1)
	}
	return c
}

// at returns the range [off, off+size) if it lies in one known range.
func (c contents) at(off, size int64) (seg, bool) {
	for _, s := range c {
		if s.off <= off && off+size <= s.end() {
			return s.part(off, off+size), true
		}
	}
	return seg{}, false
}

// unknown reports whether nothing is known of [off, off+size).
func (c contents) unknown(off, size int64) bool {
	for _, s := range c {
		if s.off < off+size && off < s.end() {
			return false
		}
	}
	return true
}

// named returns c with a name for all bytes of [off, end): where nothing is
// known, it is "what was there when v ran".
func (c contents) named(off, end int64, v *ir.Value) contents {
	for at := off; at < end; {
		next := end
		gap := true
		for _, s := range c {
			switch {
			case s.off <= at && at < s.end():
				next, gap = s.end(), false
			case at < s.off && s.off < next:
				next = s.off
			}
		}
		if gap {
			n := len(c)
			if c = c.with(seg{off: at, size: next - at, sym: sym{kind: symOpaque, v: v, off: at}}); len(c) <= n {
				return c
			}
		}
		at = next
	}
	return c
}

// signature returns a text that is equal for equal contents of size bytes from
// off on; it fails where something is not known.
func (c contents) signature(off, size int64) (string, bool) {
	var w strings.Builder
	end := off + size
	at := off
	for _, s := range c {
		if s.end() <= at || s.off >= end {
			continue
		}
		if s.off > at {
			return "", false
		}
		s = s.part(at, min(end, s.end()))
		id := int64(0)
		if s.sym.v != nil {
			id = int64(s.sym.v.ID)
		}
		for _, n := range []int64{s.size, int64(s.sym.kind), id, s.sym.imm, s.sym.off} {
			w.WriteString(strconv.FormatInt(n, 36))
			w.WriteByte(' ')
		}
		at = s.end()
	}
	return w.String(), at >= end
}

// meet returns what c and d agree on.
func (c contents) meet(d contents) contents {
	var out contents
	for i, j := 0, 0; i < len(c) && j < len(d); {
		a, b := c[i], d[j]
		switch {
		case a.off < b.off:
			i++
		case b.off < a.off:
			j++
		default:
			if a.size == b.size && a.sym == b.sym {
				if a.from != b.from {
					a.from = place{}
				}
				out = append(out, a)
			}
			i++
			j++
		}
	}
	return out
}
