package gotrace

import (
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// A kernel has the probes that it has a source of events for.
func TestInfoOfProbes(t *testing.T) {
	cfg := hosttest.Config()
	cfg.Sys = fstest.MapFS{"bus/event_source/devices/uprobe/type": {Data: []byte("8\n")}}
	cfg.Tracefs = func() (fs.FS, error) { return fstest.MapFS{}, nil }
	want := []infoRow{{"kprobe", false}, {"fentry", false}, {"uprobe", true}}
	if got := probeKinds(host.New(cfg)); !slices.Equal(got, want) {
		t.Errorf("probes %v, want %v", got, want)
	}
}
