package provider

import (
	"strings"

	"github.com/gotrace/gotrace/lang/target"
)

// Kind finds a provider by its name, in any case, or one of its short and old
// names, of which only U and u differ by case; see the table in section 3.1 of the language reference.
func Kind(name string) (target.Provider, bool) {
	if name == "U" {
		return target.USDT, true
	}
	switch strings.ToLower(name) {
	case "begin":
		return target.Begin, true
	case "end":
		return target.End, true
	case "self":
		return target.Self, true
	case "test":
		return target.Test, true
	case "bench":
		return target.Bench, true
	case "kprobe", "k":
		return target.Kprobe, true
	case "kretprobe", "kr":
		return target.Kretprobe, true
	case "fentry", "f", "kfunc":
		return target.Fentry, true
	case "fexit", "fr", "kretfunc":
		return target.Fexit, true
	case "uprobe", "u":
		return target.Uprobe, true
	case "uretprobe", "ur":
		return target.Uretprobe, true
	case "usdt":
		return target.USDT, true
	case "tracepoint", "t":
		return target.Tracepoint, true
	case "rawtracepoint", "rt":
		return target.RawTracepoint, true
	case "profile", "p":
		return target.Profile, true
	case "interval", "i":
		return target.Interval, true
	case "software", "s":
		return target.Software, true
	case "hardware", "h":
		return target.Hardware, true
	case "watchpoint", "w":
		return target.Watchpoint, true
	case "iter", "it":
		return target.Iter, true
	}
	return "", false
}

// Kinds lists the providers in the order of the language reference.
func Kinds() []target.Provider {
	return []target.Provider{
		target.Begin, target.End, target.Self, target.Test, target.Bench,
		target.Kprobe, target.Kretprobe, target.Fentry, target.Fexit,
		target.Uprobe, target.Uretprobe, target.USDT, target.Tracepoint, target.RawTracepoint,
		target.Profile, target.Interval, target.Software, target.Hardware, target.Watchpoint, target.Iter,
	}
}

// WildcardKinds lists the providers that a wildcard as provider stands for:
// those of the kernel, or of user space.
func WildcardKinds(user bool) []target.Provider {
	if user {
		return []target.Provider{target.Uprobe, target.Uretprobe, target.USDT}
	}
	return []target.Provider{
		target.Kprobe, target.Kretprobe, target.Fentry, target.Fexit,
		target.Tracepoint, target.RawTracepoint, target.Software, target.Hardware, target.Iter,
	}
}

// MatchName reports whether a full name such as "software:cpu:" is meant by a
// pattern of a listing: part by part, where missing parts at the end match
// everything.
func MatchName(p *Pattern, name string) bool {
	have := strings.Split(name, ":")[1:]
	if len(p.Parts) > len(have) {
		return len(have) == 0 && len(p.Parts) == 1 && Match(p.Parts[0].Text, "")
	}
	for i, part := range p.Parts {
		if !Match(part.Text, have[i]) {
			return false
		}
	}
	return true
}

// MatchFunc reports whether a listing's pattern with an optional module part
// means name in module.
func MatchFunc(p *Pattern, module, name string) bool {
	switch len(p.Parts) {
	case 0:
		return true
	case 1:
		return Match(p.Parts[0].Text, name)
	case 2:
		return Match(p.Parts[0].Text, module) && Match(p.Parts[1].Text, name)
	}
	return false
}
