// Package hosttest gives tests a machine that never changes: a host.Host made
// of recorded facts, and checks for what a test needs of the real one.
package hosttest

//go:generate go run gen.go

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/tools/txtar"

	"github.com/gotrace/gotrace/probes/host"
)

//go:embed testdata/vmlinux.btf.gz
var packedBTF []byte

//go:embed testdata/tracefs.txtar
var tracefsArchive []byte

// Config describes the recorded machine: amd64 with Linux 6.18 and four
// processors, some trace events and kernel types (see gen.go), and empty root
// and proc file systems. Tests change what they need and call host.New.
func Config() host.Config {
	raw := sync.OnceValues(unpack)
	return host.Config{
		Arch:    "amd64",
		Release: "6.18.0",
		Root:    fstest.MapFS{},
		Proc:    fstest.MapFS{"kallsyms": &fstest.MapFile{Data: []byte(kallsyms)}},
		Sys: fstest.MapFS{
			"devices/system/cpu/possible": &fstest.MapFile{Data: []byte("0-3\n")},
			"devices/system/cpu/online":   &fstest.MapFile{Data: []byte("0-3\n")},
		},
		Tracefs: func() (fs.FS, error) { return txtar.FS(txtar.Parse(tracefsArchive)) },
		BTF: func() (*btf.Spec, error) {
			data, err := raw()
			if err != nil {
				return nil, err
			}
			return btf.LoadSpecFromReader(bytes.NewReader(data))
		},
		RawBTF: raw,
		Getenv: func(string) string { return "" },
		Dir:    "/",
	}
}

const kallsyms = `ffffffff81000000 T _stext
ffffffff81001000 T vfs_read
ffffffff81002000 T vfs_write
ffffffff81003000 T do_sys_openat2
ffffffff81004000 t kill_it.isra.0
ffffffff81004800 D jiffies
ffffffffc0001000 t nf_register	[nf_tables]
`

// New returns the recorded machine.
func New() *host.Host { return host.New(Config()) }

// NoBTF returns the recorded machine without kernel types.
func NoBTF() *host.Host {
	cfg := Config()
	cfg.RawBTF = nil
	cfg.BTF = func() (*btf.Spec, error) { return nil, fmt.Errorf("kernel types: %w", fs.ErrNotExist) }
	return host.New(cfg)
}

func unpack() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packedBTF))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// RequireBPF skips a test that may not load programs here, and fails it on a
// kernel that lacks eBPF altogether.
func RequireBPF(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to load programs")
	}
	err := features.HaveProgramType(ebpf.RawTracepoint)
	switch {
	case errors.Is(err, os.ErrPermission):
		t.Skipf("needs the privilege to load programs: %v", err)
	case err != nil:
		t.Fatalf("raw tracepoint programs: %v", err)
	}
}

// RequireTracefs skips a test that can not read the tracing file system.
func RequireTracefs(t testing.TB) fs.FS {
	t.Helper()
	files, err := host.Live().Tracefs()
	if errors.Is(err, os.ErrPermission) || os.Geteuid() != 0 {
		t.Skipf("needs root for the tracing file system: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return files
}
