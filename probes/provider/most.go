package provider

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
)

// AttachMost attaches groups of targets, each at once where the kernel takes all
// of it. Else the group is halved until those are found that it refuses. They
// are told to opt.Refused where the run can do without them and something else
// is attached to; otherwise they are errors, and nothing stays attached.
func AttachMost(groups [][]*target.Target, opt *AttachOptions, attach func([]*target.Target) (io.Closer, error)) (io.Closer, error) {
	m := most{attach: attach, opt: opt}
	for len(groups) > 0 {
		var err error
		if groups, err = m.round(groups); err != nil {
			return nil, errors.Join(err, m.links.Close())
		}
	}
	if len(m.links) == 0 {
		return nil, m.refused[0].err
	}
	slices.SortFunc(m.refused, func(a, b refusal) int { return strings.Compare(a.target.Name, b.target.Name) })
	for _, r := range m.refused {
		opt.Refused(r.target, r.err)
	}
	return m.links, nil
}

// Singles makes a group of each target.
func Singles(targets []*target.Target) [][]*target.Target {
	groups := make([][]*target.Target, len(targets))
	for i := range targets {
		groups[i] = targets[i : i+1]
	}
	return groups
}

// most is the state of AttachMost.
type most struct {
	attach  func([]*target.Target) (io.Closer, error)
	opt     *AttachOptions
	links   Closers
	refused []refusal
}

type refusal struct {
	target *target.Target
	err    error
}

// attaching bounds how many groups are attached at once.
const attaching = 64

// maxFutile is how many groups the kernel may refuse in a round while it has
// taken none: what it does not like then is hardly a single place.
const maxFutile = 64

// round attaches groups and returns the halves of those that the kernel refuses.
// It does so at the same time: a refusal takes the kernel a grace period.
func (m *most) round(groups [][]*target.Target) (halves [][]*target.Target, err error) {
	links, errs := m.attachAll(groups)
	for _, link := range links {
		if link != nil {
			m.links = append(m.links, link)
		}
	}
	for i, group := range groups {
		switch {
		case errs[i] == nil:
		case len(group) == 1:
			if err := m.refuse(group[0], fmt.Errorf("attach to %s: %w", group[0].Name, errs[i])); err != nil {
				return nil, err
			}
		case ofAll(errs[i]), len(m.links) == 0 && len(groups) > maxFutile:
			return nil, fmt.Errorf("attach to %s and %d more: %w", group[0].Name, len(group)-1, errs[i])
		default:
			half := len(group) / 2
			halves = append(halves, group[:half], group[half:])
		}
	}
	return halves, nil
}

func (m *most) attachAll(groups [][]*target.Target) (links []io.Closer, errs []error) {
	links, errs = make([]io.Closer, len(groups)), make([]error, len(groups))
	slots := make(chan struct{}, attaching)
	var wg sync.WaitGroup
	for i, group := range groups {
		slots <- struct{}{}
		wg.Go(func() {
			link, err := m.attach(group)
			if errs[i] = err; err == nil {
				links[i] = link
			}
			<-slots
		})
	}
	wg.Wait()
	return links, errs
}

// refuse notes a target that the kernel refuses, or reports that the run can not
// do without it.
func (m *most) refuse(t *target.Target, err error) error {
	if m.opt.Refused == nil || !t.Wildcard && !m.opt.Tolerant || ofAll(err) {
		return err
	}
	m.refused = append(m.refused, refusal{t, err})
	return nil
}

// ofAll reports whether an error is about the process or the machine rather than
// about a place.
func ofAll(err error) bool {
	for _, e := range []error{unix.EPERM, unix.EACCES, unix.ENOMEM, unix.EMFILE, unix.ENFILE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
