package build

import (
	"fmt"

	"github.com/gotrace/gotrace/lang/diag"
)

// Limits of the kernel on the sizes of map elements in bytes.
const (
	maxOldKey  = 512         // key, before Linux 5.11 (MAX_BPF_STACK)
	maxElement = 4<<20 - 128 // key and value of a hash map, with a header (KMALLOC_MAX_SIZE)
)

// checkSize reports a map whose elements the kernel does not take.
func (s *script) checkSize(m *mapInfo) {
	key, size := m.obj.KeySize, m.obj.KeySize+m.obj.ValueSize
	switch {
	case key > maxOldKey && !s.opt.Features.LongKeys:
		s.needs(m.typed.Span, fmt.Sprintf("a key of %d bytes (more than %d; see max_strlen)", key, maxOldKey), "5.11")
	case !m.scalar() && size > maxElement:
		s.errs.Errorf(diag.Unsupported, m.typed.Span, "an element of %s takes %d bytes; the kernel allows %d (see max_strlen)", m.typed.Name, size, maxElement)
	}
}
