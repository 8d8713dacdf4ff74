package cpio

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestArchiveIsReadByCpio unpacks with the system's own cpio, an independent
// reader of the format.
func TestArchiveIsReadByCpio(t *testing.T) {
	tool, err := exec.LookPath("cpio")
	if err != nil {
		t.Skip("cpio is not installed: an independent reader is needed")
	}
	var archive bytes.Buffer
	writeSample(t, &archive)
	dir := t.TempDir()
	cmd := exec.Command(tool, "-id", "--quiet")
	cmd.Dir, cmd.Stdin = dir, &archive
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cpio: %v\n%s", err, out)
	}
	content, err := os.ReadFile(filepath.Join(dir, "a/b/file"))
	if err != nil || string(content) != "hello" {
		t.Errorf("a/b/file = %q, %v", content, err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "a/link")); err != nil || target != "b/file" {
		t.Errorf("a/link -> %q, %v", target, err)
	}
}

func TestArchiveLayout(t *testing.T) {
	var archive bytes.Buffer
	writeSample(t, &archive)
	type entry struct{ name, content, mode string }
	want := []entry{
		{"a", "", "000041ed"},
		{"a/b", "", "000041ed"},
		{"a/b/file", "hello", "000081ed"},
		{"a/link", "b/file", "0000a1ff"},
		{trailer, "", "00000000"},
	}
	rest := archive.Bytes()
	if len(rest)%blockSize != 0 {
		t.Errorf("archive has %d bytes, not whole blocks", len(rest))
	}
	for _, w := range want {
		var got entry
		got.name, got.mode, got.content, rest = next(t, rest)
		if got != w {
			t.Errorf("entry %+v, want %+v", got, w)
		}
	}
	if strings.Trim(string(rest), "\x00") != "" {
		t.Errorf("bytes behind the trailer: %q", rest)
	}
}

// next splits off one entry as the kernel does: fixed header, name, data,
// each padded to four bytes.
func next(t *testing.T, b []byte) (name, mode, content string, rest []byte) {
	t.Helper()
	if string(b[:6]) != magic {
		t.Fatalf("no magic at %q", b[:6])
	}
	field := func(i int) int {
		n := 0
		for _, c := range b[6+8*i : 14+8*i] {
			n = n*16 + strings.IndexByte("0123456789abcdef", c)
		}
		return n
	}
	align := func(n int) int { return (n + 3) &^ 3 }
	size, nameSize := field(6), field(11)
	data := align(headerSize + nameSize)
	name = string(b[headerSize : headerSize+nameSize-1])
	return name, string(b[14:22]), string(b[data : data+size]), b[data+align(size):]
}

func writeSample(t *testing.T, out io.Writer) {
	t.Helper()
	w := NewWriter(out)
	for _, err := range []error{
		w.Bytes("/a/b/file", 0o755, []byte("hello")),
		w.Symlink("a/link", "b/file"),
		w.Dir("a/b"),
		w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNamesStayInside(t *testing.T) {
	for in, want := range map[string]string{
		"/etc/passwd":      "etc/passwd",
		"../../etc/passwd": "etc/passwd",
		"a/./../b//c":      "b/c",
	} {
		if got, err := clean(in); err != nil || got != want {
			t.Errorf("clean(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name string
		do   func(*Writer) error
	}{
		{"NUL in a name", func(w *Writer) error { return w.Dir("a\x00b") }},
		{"end mark as a name", func(w *Writer) error { return w.Bytes(trailer, 0, nil) }},
		{"name too long", func(w *Writer) error { return w.Dir(strings.Repeat("x", maxNameSize)) }},
		{"same file twice", func(w *Writer) error {
			return errors.Join(w.Bytes("f", 0, nil), w.Bytes("f", 0, nil))
		}},
		{"file as a directory", func(w *Writer) error {
			return errors.Join(w.Bytes("f", 0, nil), w.Bytes("f/g", 0, nil))
		}},
		{"root as a file", func(w *Writer) error { return w.Bytes("/", 0, nil) }},
		{"negative size", func(w *Writer) error { return w.File("f", 0, strings.NewReader(""), -1) }},
		{"size above 4 GiB", func(w *Writer) error { return w.File("f", 0, strings.NewReader(""), 1<<32) }},
		{"short content", func(w *Writer) error { return w.File("f", 0, strings.NewReader("ab"), 3) }},
		{"write after Close", func(w *Writer) error { return errors.Join(w.Close(), w.Dir("d")) }},
	}
	for _, tt := range tests {
		if err := tt.do(NewWriter(io.Discard)); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
}

func TestWriteErrorStays(t *testing.T) {
	w := NewWriter(failingWriter{})
	if err := w.Dir("a"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Dir: %v", err)
	}
	if err := w.Close(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Close: %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
