package provider

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
)

// link counts what is attached.
type link struct{ *kernel }

func (l link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attached--
	return nil
}

// kernel refuses some targets, and groups with one of them.
type kernel struct {
	refuses  map[string]error
	mu       sync.Mutex
	attached int // links
	calls    int
}

func (k *kernel) attach(group []*target.Target) (io.Closer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	for _, t := range group {
		if err := k.refuses[t.Name]; err != nil {
			return nil, err
		}
	}
	k.attached++
	return link{k}, nil
}

// many are targets that a wildcard stands for, but the one named last.
func many(n int) []*target.Target {
	list := make([]*target.Target, n)
	for i := range list {
		list[i] = &target.Target{Name: fmt.Sprint(i), Wildcard: true}
	}
	list[n-1] = &target.Target{Name: "last"}
	return list
}

func TestWhatTheKernelRefusesIsLeftOut(t *testing.T) {
	k := &kernel{refuses: map[string]error{"3": unix.EOPNOTSUPP, "700": unix.EINVAL}}
	var refused []string
	opt := &AttachOptions{Refused: func(t *target.Target, err error) { refused = append(refused, t.Name+" "+err.Error()) }}
	links, err := AttachMost([][]*target.Target{many(1000)}, opt, k.attach)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(refused, ", "); got != "3 attach to 3: operation not supported, 700 attach to 700: invalid argument" {
		t.Errorf("refused: %s", got)
	}
	if k.calls > 50 {
		t.Errorf("%d calls for 2 of 1000", k.calls)
	}
	if err := links.Close(); err != nil || k.attached != 0 {
		t.Errorf("%v, %d links are left", err, k.attached)
	}
}

func TestRefusalsThatAreErrors(t *testing.T) {
	all := map[string]error{}
	for _, t := range many(1000) {
		all[t.Name] = unix.EINVAL
	}
	for name, test := range map[string]struct {
		refuses map[string]error
		want    string
		calls   int // at most
	}{
		"what is named":     {map[string]error{"last": unix.EINVAL}, "attach to last: invalid argument", 50},
		"for lack of right": {map[string]error{"3": unix.EPERM}, "attach to 0 and 999 more: operation not permitted", 1},
		"all":               {all, "attach to 0 and 6 more: invalid argument", 300},
	} {
		k := &kernel{refuses: test.refuses}
		opt := &AttachOptions{Refused: func(*target.Target, error) {}}
		_, err := AttachMost([][]*target.Target{many(1000)}, opt, k.attach)
		if err == nil || err.Error() != test.want || k.attached != 0 || k.calls > test.calls {
			t.Errorf("%s: %v; %d links are left, %d calls", name, err, k.attached, k.calls)
		}
	}
	k := &kernel{refuses: map[string]error{"last": unix.EINVAL}}
	opt := &AttachOptions{Refused: func(*target.Target, error) {}, Tolerant: true}
	if _, err := AttachMost([][]*target.Target{many(1000)}, opt, k.attach); err != nil {
		t.Errorf("what is named, with tolerance: %v", err)
	}
	k = &kernel{refuses: map[string]error{"3": unix.EINVAL}}
	if _, err := AttachMost([][]*target.Target{many(10)}, &AttachOptions{}, k.attach); !errors.Is(err, unix.EINVAL) {
		t.Errorf("nobody is told: %v", err)
	}
}
