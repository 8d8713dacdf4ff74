package codegen

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/internal/opt"
)

// Passes returns the names of the optimiser's passes, in the order in which they
// first run: the stages "ir=PASS" of Options.Dump.
func Passes() []string {
	var names []string
	for _, p := range opt.Passes() {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// dumper passes the text of the stages on, one at a time.
type dumper struct {
	mu sync.Mutex
	to func(stage, probe, text string)
}

// stage dumps what text returns, if anyone wants it.
func (d *dumper) stage(stage, probe string, text func() string) {
	if d.to == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to(stage, probe, text())
}

// passes returns the hook of the optimiser for one probe.
func (d *dumper) passes(probe string) func(pass, text string) {
	if d.to == nil {
		return nil
	}
	return func(pass, text string) { d.stage("ir="+pass, probe, func() string { return text }) }
}

// listing prints instructions with their raw offsets.
func listing(insns asm.Instructions) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", insns)
	return b.String()
}
