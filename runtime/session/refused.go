package session

import (
	"fmt"

	"github.com/gotrace/gotrace/runtime/event"
)

// maxNamed is how many targets that the kernel refuses are named.
const maxNamed = 5

// reportRefused tells what is left out of wildcards, for any setting of
// missing_probes but ignore, and takes it off the count of probes.
func (s *Session) reportRefused(count *int) error {
	*count -= len(s.refused)
	if s.obj.Config.MissingProbes == "ignore" {
		return nil
	}
	named := s.refused
	if len(named) > maxNamed+1 {
		named = named[:maxNamed]
	}
	for _, err := range named {
		if err := s.emit(&event.Warning{Msg: fmt.Sprintf("can not %v. Skipping", err)}); err != nil {
			return err
		}
	}
	if n := len(s.refused) - len(named); n > 0 {
		return s.emit(&event.Warning{Msg: fmt.Sprintf("can not attach to %d more probes. Skipping", n)})
	}
	return nil
}
