package ktypes

import (
	"github.com/cilium/ebpf/btf"

	"github.com/gotrace/gotrace/lang/types"
)

// Convert is convert for tests: types that no name leads to.
func (k *Kernel) Convert(t btf.Type, space types.Space, trusted bool) types.Type {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.convert(t, space, trusted)
}
