package perfevent

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/provider"
)

// modes lists the accesses that a machine can watch for, letters in the order
// of the alphabet.
func modes(arch string) []string {
	switch arch {
	case "amd64":
		return []string{"w", "rw", "x"}
	case "arm64":
		return []string{"r", "w", "rw", "x"}
	}
	return nil
}

// resolveWatch resolves watchpoint:ADDRESS:LENGTH:MODE.
func resolveWatch(h *host.Host, p *provider.Pattern, opt *target.ResolveOptions) (*target.Target, error) {
	if len(p.Parts) != 3 {
		return nil, target.Errorf(target.Syntax, "watchpoints have the form watchpoint:ADDRESS:LENGTH:MODE")
	}
	t := newTarget(p.Kind)
	var err error
	if t.Address, err = provider.Number(p.Parts[0].Text); err != nil {
		return nil, target.Errorf(target.Syntax, "invalid watchpoint address: %v", err)
	}
	if t.Address == 0 {
		return nil, target.Errorf(target.Syntax, "watchpoints need an address other than zero")
	}
	t.Length, err = strconv.Atoi(p.Parts[1].Text)
	if err != nil || !slices.Contains([]int{1, 2, 4, 8}, t.Length) {
		return nil, target.Errorf(target.Syntax, "invalid watchpoint length %q: must be 1, 2, 4 or 8", p.Parts[1].Text)
	}
	if t.Mode, err = parseMode(h.Arch(), p.Parts[2].Text); err != nil {
		return nil, err
	}
	if t.Address%uint64(t.Length) != 0 {
		return nil, target.Errorf(target.Syntax, "watchpoint address 0x%x is not aligned to its length %d", t.Address, t.Length)
	}
	t.Pid = opt.Pid
	t.Name = fmt.Sprintf("watchpoint:0x%x:%d:%s", t.Address, t.Length, t.Mode)
	return t, nil
}

func parseMode(arch, text string) (string, error) {
	letters := []byte(text)
	slices.Sort(letters)
	if len(slices.Compact(slices.Clone(letters))) != len(letters) {
		return "", target.Errorf(target.Syntax, "watchpoint mode %q repeats a letter", text)
	}
	if strings.Trim(text, "rwx") != "" || text == "" {
		return "", target.Errorf(target.Syntax, "unknown watchpoint mode %q: letters are r, w, x", text)
	}
	known := modes(arch)
	if !slices.Contains(known, string(letters)) {
		return "", target.Errorf(target.Syntax, "watchpoint mode %q is not supported on %s", text, arch).
			Hint("supported modes: %s", strings.Join(known, ", "))
	}
	return string(letters), nil
}
