package symbol

import (
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// Limits for hostile names, in bytes. Longer mangled names stay as they are: the time for a row of pointers grows with the square of its
// length (60 ms for one of 4 KiB, 2 s for one of 16 KiB). Readable names are cut at 2^maxDemangled, as a short mangled name can stand
// for an enormous one.
const (
	maxMangled   = 1 << 12
	maxDemangled = 16
)

// Demangle returns the readable form of a C++ (Itanium ABI) or Rust (legacy and v0) name, or the name itself when it is neither
// or longer than 4 KiB.
func Demangle(name string) string {
	if (!strings.HasPrefix(name, "_Z") && !strings.HasPrefix(name, "_R")) || len(name) > maxMangled {
		return name
	}
	return demangle.Filter(name, demangle.MaxLength(maxDemangled))
}
