package cdecl

import (
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/types"
)

// maxSize bounds the bytes of a type, so that sizes in bits fit an int.
const maxSize = 1 << 30

// member is a member of a struct as written.
type member struct {
	name    string
	typ     ctype
	span    source.Span
	bits    bool
	width   int // of a bit-field
	packed  bool
	aligned int // attribute of the member, 0: none
}

// attributes are those that change layouts.
type attributes struct {
	packed  bool
	aligned int
}

// placement is the layout of a struct: what gcc does on x86-64 and arm64 (the
// System V ABI of the processor, and finalize_record_size and place_field in
// gcc/stor-layout.c for the attributes).
type placement struct {
	size, align int
	members     []placed
}

// placed is a member and the bit it starts at.
type placed struct {
	member
	pos int
}

// layouter places the members of one struct after the other.
type layouter struct {
	union    bool
	packed   bool
	pack     int  // #pragma pack, 0: none
	anonBits bool // bit-fields without a name count for the alignment (arm64)
	pos, end int  // bits
	out      placement
}

func (l *layouter) add(m member) *failure {
	size, align, ok := m.typ.layout()
	if !ok {
		return &failure{span: m.span, msg: "member " + quoted(m.name) + " has an incomplete type"}
	}
	if l.union {
		l.pos = 0
	}
	width := 8 * size
	if m.bits {
		width = m.width
		l.startBits(&m, size, align)
	} else {
		a := l.memberAlign(m, align)
		l.pos = roundUp(l.pos, 8*a)
		l.out.align = max(l.out.align, a)
	}
	if m.name != "" || !m.bits {
		l.out.members = append(l.out.members, placed{m, l.pos})
	}
	l.pos += width
	if l.end = max(l.end, l.pos); l.end > 8*maxSize {
		return &failure{span: m.span, msg: "the type is too large"}
	}
	return nil
}

// startBits moves to where a bit-field starts: the next bit, unless it would
// straddle a word of its type.
func (l *layouter) startBits(m *member, size, align int) {
	word, unit := 8*size, 8*align
	counts := m.name != "" || l.anonBits
	switch {
	case m.width == 0:
		l.pos = roundUp(l.pos, unit)
	case l.pack > 0: // comes before packed in gcc
		align = min(align, l.pack)
	case l.packed || m.packed:
		align = 1
	case (l.pos%unit+m.width+unit-1)/unit > word/unit:
		l.pos = roundUp(l.pos, unit)
	}
	if m.aligned > 0 {
		l.pos = roundUp(l.pos, 8*m.aligned)
		align = max(align, m.aligned)
	}
	if counts {
		l.out.align = max(l.out.align, align)
	}
}

func (l *layouter) memberAlign(m member, align int) int {
	if l.packed || m.packed {
		align = 1
	}
	align = max(align, m.aligned)
	if l.pack > 0 {
		align = min(align, l.pack)
	}
	return align
}

// finish returns the layout of the whole, an error when alignment makes it too
// large.
func (l *layouter) finish(attr attributes, at source.Span) (placement, *failure) {
	l.out.align = max(1, l.out.align, attr.aligned)
	l.out.size = roundUp((l.end+7)/8, l.out.align)
	if l.out.size > maxSize {
		return placement{}, &failure{span: at, msg: "the type is too large"}
	}
	return l.out, nil
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// fields returns the members as the language has them. A bit-field that no word
// holds (more than 57 bits across nine bytes) is left out.
func (p *placement) fields() []types.Field {
	list := make([]types.Field, 0, len(p.members))
	for _, m := range p.members {
		f, ok := types.Field{Name: m.name, Type: m.typ.lang(), Offset: m.pos / 8}, true
		if m.bits {
			f, ok = types.BitField(m.name, f.Type, m.pos, m.width, p.size)
		}
		if ok {
			list = append(list, f)
		}
	}
	return list
}
