package vmtest

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gotrace/gotrace/runtime/vmtest/internal/cpio"
	"github.com/gotrace/gotrace/runtime/vmtest/internal/kmod"
)

func TestInitramfsHoldsEverything(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "tree/sub/file"))
	if err := os.Symlink("sub/file", filepath.Join(dir, "tree/link")); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	modules := []kmod.Module{{Name: "virtio", Image: []byte("module one")}, {Name: "virtio_pci", Image: []byte("module two")}}
	err := writeInitramfs(cpio.NewWriter(&archive), modules, map[string]string{filepath.Join(dir, "tree"): "/data"})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"data/sub/file\x00", "data/link\x00", "module one", "proc\x00",
		`{"Modules":["/.vmtest/modules/virtio.ko","/.vmtest/modules/virtio_pci.ko"]}`, "TRAILER!!!",
	} {
		if !bytes.Contains(archive.Bytes(), []byte(part)) {
			t.Errorf("the archive lacks %q", part)
		}
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	socket, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for name, files := range map[string]map[string]string{
		"socket":         {filepath.Join(dir, "socket"): "/socket"},
		"below a tree":   {dir: "/dir"},
		"missing":        {filepath.Join(dir, "absent"): "/absent"},
		"relative place": {"image_test.go": "image_test.go"},
		"over the agent": {"image_test.go": "/.vmtest/config.json"},
	} {
		if err := writeInitramfs(cpio.NewWriter(&bytes.Buffer{}), nil, files); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestQEMUVersion(t *testing.T) {
	if got, err := parseQEMUVersion("QEMU emulator version 11.1.2 (Debian 1:11.1.2+ds-3)\nCopyright"); err != nil || got != 11 {
		t.Errorf("version %d, %v", got, err)
	}
	for _, text := range []string{"", "version", "version eleven.1", "version 11", "QEMU 11.1"} {
		if got, err := parseQEMUVersion(text); err == nil {
			t.Errorf("%q: version %d", text, got)
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var all bytes.Buffer
	console := tail{next: &all}
	for range 3 {
		if n, err := console.Write([]byte(strings.Repeat("x", tailSize))); n != tailSize || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := console.Write([]byte("end")); err != nil {
		t.Fatal(err)
	}
	if got := console.String(); len(got) != tailSize || !strings.HasSuffix(got, "xend") {
		t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-4:])
	}
	if all.Len() != 3*tailSize+3 {
		t.Errorf("%d bytes were passed on", all.Len())
	}
}
