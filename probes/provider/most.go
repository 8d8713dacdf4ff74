package provider

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/lang/target"
)

// maxRefused is how many targets the kernel may refuse while it takes none:
// what it does not like then is hardly a single place.
const maxRefused = 64

// AttachMost attaches groups of targets, each at once where the kernel takes all
// of it. Else the group is halved until those are found that it refuses. They
// are told to opt.Refused where a wildcard stands for them and something else is
// attached to; otherwise they are errors, and nothing stays attached.
func AttachMost(groups [][]*target.Target, opt *AttachOptions, attach func([]*target.Target) (io.Closer, error)) (io.Closer, error) {
	m := most{attach: attach, opt: opt}
	for _, group := range groups {
		if err := m.add(group); err != nil {
			return nil, errors.Join(err, m.links.Close())
		}
	}
	if len(m.links) == 0 {
		return nil, m.errs[0]
	}
	for i, t := range m.refused {
		opt.Refused(t, m.errs[i])
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
	refused []*target.Target
	errs    []error // for each of refused
}

func (m *most) add(group []*target.Target) error {
	link, err := m.attach(group)
	switch {
	case err == nil:
		m.links = append(m.links, link)
		return nil
	case len(group) == 1:
		return m.refuse(group[0], fmt.Errorf("attach to %s: %w", group[0].Name, err))
	case ofAll(err):
		return fmt.Errorf("attach to %s and %d more: %w", group[0].Name, len(group)-1, err)
	}
	half := len(group) / 2
	if err := m.add(group[:half]); err != nil {
		return err
	}
	return m.add(group[half:])
}

// refuse notes a target that the kernel refuses, or reports that the run can not
// do without it.
func (m *most) refuse(t *target.Target, err error) error {
	m.refused, m.errs = append(m.refused, t), append(m.errs, err)
	switch {
	case !t.Wildcard || m.opt.Refused == nil || ofAll(err):
		return err
	case len(m.links) == 0 && len(m.refused) > maxRefused:
		return m.errs[0]
	}
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
