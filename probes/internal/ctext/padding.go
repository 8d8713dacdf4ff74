package ctext

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// wordBits is the size of a pointer. Kernels with BPF that gotrace traces have
// 64-bit pointers.
const wordBits = 64

// padType is a type that unnamed members fill gaps with.
type padType struct {
	name string
	bits int
}

// padTypes lists them, the largest first.
func padTypes() [4]padType {
	return [...]padType{{"long", wordBits}, {"int", 32}, {"short", 16}, {"char", 8}}
}

// gap is a run of bits of a struct that no member with a name has.
type gap struct {
	from, to int
	align    int  // bytes, of what follows
	bitfield bool // bit-fields on both sides
}

// maxGap is the widest gap in bits that is written: types may be malformed.
const maxGap = 1 << 20

// pad writes the unnamed members that a compiler needs to leave the gap, and
// nothing where the alignment of what follows leaves it.
func pad(b *strings.Builder, g gap, indent string) {
	put := func(name string, bits int) { fmt.Fprintf(b, "%s%s: %d;\n", indent, name, bits) }
	at := g.from
	if at >= g.to || g.to-at > maxGap {
		return
	}
	fill, boundary := padType{}, 0
	for _, fill = range padTypes() {
		if boundary = roundUp(at, fill.bits); boundary <= g.to {
			break
		}
	}
	if boundary > at && boundary <= g.to {
		// Up to the boundary of the type the compiler pads by itself where
		// something that needs it follows.
		natural := roundUp(at, 8*g.align) == boundary
		switch {
		case g.bitfield:
			put(fill.name, boundary-at)
		case boundary == g.to && !natural, boundary != g.to && g.to-boundary <= boundary-at:
			put(fill.name, 0)
		}
		at = boundary
	}
	for ; g.to-at >= fill.bits; at += fill.bits {
		put(fill.name, fill.bits)
	}
	if rest := g.to - at; rest > 0 {
		put(smallest(rest), rest)
	}
}

// smallest is the smallest type that holds some bits.
func smallest(bits int) string {
	types := padTypes()
	for i := len(types) - 1; i > 0; i-- {
		if types[i].bits >= bits {
			return types[i].name
		}
	}
	return types[0].name
}

func roundUp(n, to int) int {
	if to <= 0 {
		return n
	}
	return (n + to - 1) / to * to
}

// layouts remembers how types are aligned, in bytes: they nest, and may do so in
// circles where they are malformed.
type layouts map[btf.Type]int

// of is the alignment of a type. Structs whose layout is not the one that their
// members ask for are packed: any place suits them.
func (l layouts) of(t btf.Type) int {
	t = btf.UnderlyingType(t)
	if align, ok := l[t]; ok {
		return align
	}
	l[t] = 1
	l[t] = l.compute(t)
	return l[t]
}

func (l layouts) compute(t btf.Type) int {
	word := func(size uint32) int { return min(max(1, int(size)), wordBits/8) }
	switch t := t.(type) {
	case *btf.Int:
		return word(t.Size)
	case *btf.Enum:
		return word(t.Size)
	case *btf.Float:
		return word(t.Size)
	case *btf.Pointer:
		return wordBits / 8
	case *btf.Array:
		return l.of(t.Type)
	case *btf.Struct:
		if align, natural := l.members(t.Members, t.Size); natural {
			return align
		}
	case *btf.Union:
		if align, natural := l.members(t.Members, t.Size); natural {
			return align
		}
	}
	return 1
}

// members is the alignment that the members of a type ask for, and whether it
// has the layout that follows from it.
func (l layouts) members(list []btf.Member, size uint32) (align int, natural bool) {
	align, natural = 1, true
	for _, m := range list {
		own := l.of(m.Type)
		align = max(align, own)
		natural = natural && (m.BitfieldSize > 0 || int(m.Offset)%(8*own) == 0)
	}
	return align, natural && int(size)%align == 0
}

// bits is the size of a member.
func bits(m btf.Member) int {
	if m.BitfieldSize > 0 {
		return int(m.BitfieldSize)
	}
	n, err := btf.Sizeof(m.Type)
	if err != nil {
		return 0
	}
	return 8 * n
}
