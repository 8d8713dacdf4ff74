package perfevent

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/provider"
)

// units are the units of interval and profile in the order of listings.
func units() []string { return []string{"hz", "ms", "s", "us"} }

// minPeriod is the shortest period in nanoseconds.
const minPeriod = 1000

// resolveTime resolves interval and profile.
func resolveTime(p *provider.Pattern) (*target.Target, error) {
	t := newTarget(p.Kind)
	switch len(p.Parts) {
	case 1:
		ns, err := provider.Duration(p.Parts[0].Text)
		if err != nil {
			return nil, target.Errorf(target.Syntax, "invalid rate of %s probe: %v", p.Kind, err)
		}
		if ns < minPeriod {
			return nil, target.Errorf(target.Syntax, "invalid rate of %s probe: shorter than %d ns", p.Kind, minPeriod)
		}
		t.Period = ns
		t.Name = fmt.Sprintf("%s:us:%d", p.Kind, ns/1000)
	case 2:
		return t, setRate(t, p.Parts[0].Text, p.Parts[1].Text)
	default:
		return nil, target.Errorf(target.Syntax, "%s probes have the form %s:UNIT:COUNT or %s:DURATION", p.Kind, p.Kind, p.Kind)
	}
	return t, checkPeriod(t)
}

// setRate sets the period of a target from a unit and a count.
func setRate(t *target.Target, unit, count string) error {
	n, err := provider.Number(count)
	if err != nil || n == 0 {
		return target.Errorf(target.Syntax, "invalid rate of %s probe: %q is not a positive integer", t.Provider, count)
	}
	t.Name = fmt.Sprintf("%s:%s:%d", t.Provider, unit, n)
	scale := uint64(1)
	switch unit {
	case "hz":
		t.Freq = true
	case "us":
		scale = 1e3
	case "ms":
		scale = 1e6
	case "s":
		scale = 1e9
	default:
		return target.Errorf(target.Syntax, "%q is not a unit of time", unit).Hint("units are hz, s, ms, us")
	}
	over, ns := bits.Mul64(n, scale)
	if over != 0 {
		ns = math.MaxUint64
	}
	t.Period = ns
	return checkPeriod(t)
}

// checkPeriod refuses what the kernel's timers can not hold: it treats the top
// bit of a period as an error.
func checkPeriod(t *target.Target) error {
	if t.Period > math.MaxInt64 {
		return target.Errorf(target.Syntax, "invalid rate of %s probe: too long", t.Provider)
	}
	return nil
}
