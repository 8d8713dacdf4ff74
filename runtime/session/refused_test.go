package session

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/runtime/event"
)

// What wildcards go without is named, as far as the screen bears it, and does
// not count as attached.
func TestRefusedProbesAreTold(t *testing.T) {
	for _, test := range []struct {
		setting  string
		refused  int
		warnings int
		last     string
	}{
		{"error", 2, 2, "can not attach to uprobe:x:1: no. Skipping"},
		{"warn", maxNamed + 1, maxNamed + 1, "uprobe:x:5"},
		{"error", 20, maxNamed + 1, "15 more probes"},
		{"ignore", 20, 0, ""},
	} {
		sink := &recorder{}
		s := &Session{obj: &object.Object{}, opt: Options{Sink: sink}}
		s.obj.Config.MissingProbes = test.setting
		for i := range test.refused {
			s.refused = append(s.refused, fmt.Errorf("attach to uprobe:x:%d: no", i))
		}
		count := 100
		if err := s.reportRefused(&count); err != nil {
			t.Fatal(err)
		}
		last := ""
		for _, e := range sink.events {
			last = e.(*event.Warning).Msg
		}
		if count != 100-test.refused || len(sink.events) != test.warnings || !strings.Contains(last, test.last) {
			t.Errorf("%s, %d refused: %d are attached, %d warnings, the last: %s", test.setting, test.refused, count, len(sink.events), last)
		}
	}
}
