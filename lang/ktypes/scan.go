package ktypes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"slices"
)

// Kinds of BTF types, from include/uapi/linux/btf.h.
const (
	kindInt       = 1
	kindArray     = 3
	kindStruct    = 4
	kindUnion     = 5
	kindEnum      = 6
	kindFunc      = 12
	kindFuncProto = 13
	kindVar       = 14
	kindDatasec   = 15
	kindDeclTag   = 17
	kindEnum64    = 19
)

const (
	btfMagic  = 0xeb9f
	btfHeader = 24 // bytes of struct btf_header that are read
	typeSize  = 12 // bytes of struct btf_type
)

var errRawBTF = errors.New("malformed BTF")

// blob is BTF in the kernel's own format (Documentation/bpf/btf.rst), for
// questions that are about names only. It is little-endian.
type blob struct{ types, strings []byte }

// newBlob finds the sections of raw BTF.
func newBlob(data []byte) (*blob, error) {
	if len(data) < btfHeader || binary.LittleEndian.Uint16(data) != btfMagic {
		return nil, errRawBTF
	}
	word := func(off int) uint64 { return uint64(binary.LittleEndian.Uint32(data[off:])) }
	section := func(off, size uint64) ([]byte, bool) {
		start := word(4) + off // both 32 bits wide
		if start+size > uint64(len(data)) {
			return nil, false
		}
		return data[start : start+size], true
	}
	typ, ok1 := section(word(8), word(12))
	str, ok2 := section(word(16), word(20))
	if !ok1 || !ok2 {
		return nil, errRawBTF
	}
	return &blob{typ, str}, nil
}

// rawType is one record of the type section.
type rawType struct {
	id   uint32
	name uint32 // offset in the strings
	kind uint32
	data []byte // what follows struct btf_type
}

// all goes over the types up to the first malformed one.
func (b *blob) all() iter.Seq[rawType] {
	return func(yield func(rawType) bool) {
		rest := b.types
		for id := uint32(1); len(rest) >= typeSize; id++ {
			info := binary.LittleEndian.Uint32(rest[4:])
			t := rawType{id: id, name: binary.LittleEndian.Uint32(rest), kind: info >> 24 & 0x1f}
			n := dataLen(t.kind, int(info&0xffff))
			if n > len(rest)-typeSize {
				return
			}
			t.data = rest[typeSize : typeSize+n]
			if !yield(t) {
				return
			}
			rest = rest[typeSize+n:]
		}
	}
}

// dataLen returns how many bytes follow a struct btf_type.
func dataLen(kind uint32, vlen int) int {
	switch kind {
	case kindInt, kindVar, kindDeclTag:
		return 4
	case kindArray:
		return 12
	case kindStruct, kindUnion, kindDatasec, kindEnum64:
		return 12 * vlen
	case kindEnum, kindFuncProto:
		return 8 * vlen
	}
	return 0
}

// text returns the string at an offset, without a copy.
func (b *blob) text(off uint32) []byte {
	if uint64(off) >= uint64(len(b.strings)) {
		return nil
	}
	s := b.strings[off:]
	if i := bytes.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return nil
}

// offsets returns where a string is in the strings: as one of its own, or as
// the end of another.
func (b *blob) offsets(s string) []uint32 {
	var list []uint32
	want := []byte(s + "\x00")
	for at := 0; ; at++ {
		i := bytes.Index(b.strings[at:], want)
		if i < 0 {
			return list
		}
		at += i
		list = append(list, uint32(at))
	}
}

// enumWith returns the id of the first enum with a constant.
func (b *blob) enumWith(name string) (uint32, bool) {
	at := b.offsets(name)
	if len(at) == 0 {
		return 0, false
	}
	for t := range b.all() {
		step := enumStep(t.kind)
		for d := t.data; step > 0 && len(d) >= step; d = d[step:] {
			if slices.Contains(at, binary.LittleEndian.Uint32(d)) {
				return t.id, true
			}
		}
	}
	return 0, false
}

// names goes over the names that types of a kind have.
func (b *blob) names(kind uint32) iter.Seq[string] {
	return func(yield func(string) bool) {
		for t := range b.all() {
			if t.kind != kind || t.name == 0 {
				continue
			}
			if name := b.text(t.name); len(name) > 0 && !yield(string(name)) {
				return
			}
		}
	}
}
