package session

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/target"
)

// What the kernel has no descriptors or memory for is no fault of the script,
// though the verifier has written a log.
func TestShortageIsNoRejection(t *testing.T) {
	s, p := &Session{}, &object.Program{Targets: []*target.Target{{Name: "begin"}}}
	for _, tt := range []struct {
		errno    unix.Errno
		rejected bool
	}{
		{unix.EMFILE, false}, {unix.ENFILE, false}, {unix.ENOMEM, false}, {unix.ENOSPC, false},
		{unix.EACCES, true}, {unix.EINVAL, true}, {unix.E2BIG, true}, {unix.EFAULT, true},
	} {
		err := s.loadError(p, &ebpf.VerifierError{Cause: tt.errno, Log: []string{"0: (95) exit", "R0 !read_ok", "processed 1 insns"}})
		var list *diag.List
		rejected := errors.As(err, &list) && list.Diags[0].Code == diag.VerifierRejected
		if rejected != tt.rejected || !rejected && err.Error() != "loading the program of begin: "+tt.errno.Error() {
			t.Errorf("%v: %v", tt.errno, err)
		}
	}
	if err := s.attachError(p, fmt.Errorf("create link: %w", unix.EMFILE)); err.Error() != "attaching to begin: too many open files" {
		t.Error(err)
	}
}

// Of several shortages one is enough.
func TestJoinShortages(t *testing.T) {
	other := errors.New("other")
	first, second := shortageOf("one", unix.EMFILE), shortageOf("two", unix.EMFILE)
	if err := joinReports(first, other, second); err.Error() != "one: too many open files\nother" {
		t.Error(err)
	}
}

// The limit is told for errors that the limit causes.
func TestFilesHint(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("creating map ring: too many open files (the limit is %d open files; ulimit -n sets it)", limit.Cur)
	if err := filesHint(fmt.Errorf("creating map ring: %w", unix.EMFILE)); err.Error() != want || !errors.Is(err, unix.EMFILE) {
		t.Error(err)
	}
	if err := filesHint(unix.EINVAL); err != unix.EINVAL {
		t.Error(err)
	}
}
