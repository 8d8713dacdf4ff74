package ktypes

import "encoding/binary"

// maxScans is how many enum constants are looked for by a scan of all types. A
// script names few; one that names thousands gets an index of all, which takes
// as long as some ten scans and a few megabytes.
const maxScans = 16

// constIndex finds the enums of one blob by their constants.
type constIndex struct {
	scans int
	ids   map[string]uint32
}

// find returns the id of the first enum with a constant.
func (c *constIndex) find(b *blob, name string) (uint32, bool) {
	if c.scans < maxScans {
		c.scans++
		return b.enumWith(name)
	}
	if c.ids == nil {
		c.ids = b.constants()
	}
	id, ok := c.ids[name]
	return id, ok
}

// constants returns all enum constants with the first enum that has them.
func (b *blob) constants() map[string]uint32 {
	ids := map[string]uint32{}
	for t := range b.all() {
		step := enumStep(t.kind)
		for d := t.data; step > 0 && len(d) >= step; d = d[step:] {
			name := b.text(binary.LittleEndian.Uint32(d))
			if _, old := ids[string(name)]; !old {
				ids[string(name)] = t.id
			}
		}
	}
	return ids
}

// enumStep is the size of one constant of an enum, 0 for other kinds of types.
func enumStep(kind uint32) int {
	switch kind {
	case kindEnum:
		return 8
	case kindEnum64:
		return 12
	}
	return 0
}
