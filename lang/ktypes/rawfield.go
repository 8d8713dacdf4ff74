package ktypes

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Kinds that stand for another type; from include/uapi/linux/btf.h.
const (
	kindTypedef  = 8
	kindVolatile = 9
	kindConst    = 10
	kindTypeTag  = 18
)

// maxIndirection bounds chains of typedefs and qualifiers.
const maxIndirection = 32

// member is a field of a struct in raw BTF.
type member struct {
	typ uint32
	bit uint32 // offset from the start of the struct
}

// fieldOffset answers Kernel.FieldOffset from raw BTF, which spares decoding
// the graph of types that a struct such as task_struct reaches. It knows
// members by their own names only, not those inside anonymous ones.
func (b *blob) fieldOffset(structName, path string) (off, size int, ok bool) {
	index := b.index()
	id, ok := b.structNamed(structName, index)
	if !ok {
		return 0, 0, false
	}
	for _, name := range strings.Split(path, ".") {
		m, ok := b.memberNamed(index, id, name)
		if !ok || m.bit%8 != 0 {
			return 0, 0, false
		}
		off += int(m.bit / 8)
		if id, ok = b.strip(index, m.typ); !ok {
			return 0, 0, false
		}
	}
	info, size, _ := b.header(index, id)
	switch info >> 24 & 0x1f {
	case kindInt, kindStruct, kindUnion, kindEnum, kindEnum64:
		return off, size, true
	}
	return 0, 0, false
}

// index returns where each type lies; that of number 1 is index[1].
func (b *blob) index() []int {
	index := []int{0}
	at := 0
	for t := range b.all() {
		index = append(index, at)
		at += typeSize + len(t.data)
	}
	return index
}

// header returns the info word and the size or type of a struct btf_type.
func (b *blob) header(index []int, id uint32) (info uint32, size int, at int) {
	if id == 0 || int(id) >= len(index) {
		return 0, 0, -1
	}
	at = index[id]
	t := b.types[at:]
	return binary.LittleEndian.Uint32(t[4:]), int(binary.LittleEndian.Uint32(t[8:])), at
}

func (b *blob) structNamed(name string, index []int) (uint32, bool) {
	names := b.offsets(name)
	for id := 1; id < len(index); id++ {
		t := b.types[index[id]:]
		if binary.LittleEndian.Uint32(t[4:])>>24&0x1f == kindStruct && slices.Contains(names, binary.LittleEndian.Uint32(t)) {
			return uint32(id), true
		}
	}
	return 0, false
}

// memberNamed finds a member that is no bit-field.
func (b *blob) memberNamed(index []int, id uint32, name string) (member, bool) {
	info, _, at := b.header(index, id)
	if kind := info >> 24 & 0x1f; at < 0 || kind != kindStruct && kind != kindUnion {
		return member{}, false
	}
	data := b.types[at+typeSize:]
	for i := range int(info & 0xffff) {
		m := data[12*i:]
		if string(b.text(binary.LittleEndian.Uint32(m))) != name {
			continue
		}
		bit := binary.LittleEndian.Uint32(m[8:])
		if info>>31 == 1 { // the upper 8 bits are the width of a bit-field
			if bit>>24 != 0 {
				return member{}, false
			}
			bit &= 0xffffff
		}
		return member{binary.LittleEndian.Uint32(m[4:]), bit}, true
	}
	return member{}, false
}

// strip follows typedefs and qualifiers.
func (b *blob) strip(index []int, id uint32) (uint32, bool) {
	for range maxIndirection {
		info, to, at := b.header(index, id)
		if at < 0 {
			return 0, false
		}
		switch info >> 24 & 0x1f {
		case kindTypedef, kindVolatile, kindConst, kindTypeTag:
			id = uint32(to)
		default:
			return id, true
		}
	}
	return 0, false
}
