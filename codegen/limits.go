package codegen

import (
	"errors"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/typed"
)

// maxMaps is how many maps one program may use (MAX_USED_MAPS in
// include/linux/bpf_verifier.h).
const maxMaps = 64

// checkMaps reports a program that uses more maps than the kernel allows, at the
// first use of the map that is too much. The maps that gotrace itself needs
// count as well.
func (c *compiler) checkMaps(p *object.Program) error {
	used := map[string]bool{}
	var uses []source.Span // the first uses of the script's own maps
	inside := source.Span{}
	off, next := 0, 0 // next is an index of p.Sources
	for _, ins := range p.Insns {
		for next < len(p.Sources) && int(p.Sources[next].Off) <= off {
			inside = p.Sources[next].Span
			next++
		}
		if name := ins.Reference(); ins.IsLoadFromMap() && name != "" && !used[name] {
			used[name] = true
			if name[0] == '@' {
				uses = append(uses, inside)
			}
		}
		if off++; ins.OpCode.IsDWordLoad() {
			off++
		}
	}
	if len(used) <= maxMaps {
		return nil
	}
	own := len(used) - len(uses)
	list := &diag.List{Files: c.opt.Files}
	at := p.Span
	if room := max(0, maxMaps-own); room < len(uses) {
		at = uses[room]
	}
	list.Errorf(diag.TooLarge, at, "this probe uses %d maps, %d of them gotrace's own; the kernel allows %d", len(used), own, maxMaps).
		Hint("make one map of several, with a further part of the key to tell their elements apart")
	return list
}

// limit turns an error about a program that is beyond what eBPF allows into a
// report with its place. Others stay as they are.
func (c *compiler) limit(probe *typed.Probe, err error) error {
	var l *ir.LimitError
	if !errors.As(err, &l) {
		return err
	}
	at := l.Span
	if !at.IsValid() {
		at = probe.Span
	}
	list := &diag.List{Files: c.opt.Files}
	list.Errorf(diag.TooLarge, at, "the probe is too large: %s", l.Msg)
	return list
}
