package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gotrace/gotrace/probes/host"
)

// within fails the test if f, which is about files that may block, takes long.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("blocked")
	}
}

func TestFilesThatAreNotRead(t *testing.T) {
	dir := t.TempDir()
	fifo, huge, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "huge"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(huge, nil, 0o600), os.Truncate(huge, 1<<40), os.Symlink("/dev/zero", link)); err != nil {
		t.Fatal(err)
	}
	h := host.Live()
	for path, want := range map[string]string{
		"/dev/zero":                 "not a regular file",
		"/dev/tty":                  "not a regular file",
		link:                        "not a regular file",
		fifo:                        "not a regular file",
		dir:                         "is a directory",
		huge:                        "larger than 16 MiB",
		"/proc/kmsg":                "file of the kernel",
		"/proc/self/mem":            "file of the kernel",
		filepath.Join(dir, "none"):  "no such file",
		filepath.Join(huge, "none"): "not a directory",
	} {
		within(t, func() {
			if _, err := h.ReadFile(path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("ReadFile(%s): %v, want %q", path, err, want)
			}
		})
	}
	within(t, func() {
		if _, err := h.Open(fifo); err == nil {
			t.Error("a named pipe is opened")
		}
		if _, err := h.ReadFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a missing file: %v", err)
		}
	})
}

// A shell's <(command) is a pipe that the process has open already.
func TestPipesOfTheProcessAreRead(t *testing.T) {
	for _, size := range []int{0, 10, host.MaxFile, host.MaxFile + 1} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		go func() {
			defer w.Close()
			w.WriteString(strings.Repeat("x", size)) // fails once nobody reads any more
		}()
		within(t, func() {
			data, err := host.Live().ReadFile(fmt.Sprintf("/dev/fd/%d", r.Fd()))
			if tooLarge := size > host.MaxFile; (err != nil) != tooLarge || !tooLarge && len(data) != size {
				t.Errorf("%d of %d bytes, %v", len(data), size, err)
			}
		})
	}
}
