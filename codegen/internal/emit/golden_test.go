package emit_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/tools/txtar"

	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/internal/regalloc"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// helpers is what programs in testdata may call.
func helpers(name string) *ir.Helper {
	h := &ir.Helper{Name: name, Effect: ir.Emit, Result: ir.I64, Writes: -1, SizeArg: -1}
	switch name {
	case "get_current_pid_tgid":
		h.Fn = asm.FnGetCurrentPidTgid
	case "ktime_get_ns":
		h.Fn = asm.FnKtimeGetNs
	case "get_current_comm":
		h.Fn, h.Writes, h.SizeArg = asm.FnGetCurrentComm, 0, 1
	case "probe_read_kernel":
		h.Fn, h.Writes, h.SizeArg = asm.FnProbeReadKernel, 0, 1
	case "ringbuf_reserve":
		h.Fn, h.Result = asm.FnRingbufReserve, ir.Ptr
	case "ringbuf_submit":
		h.Fn, h.Result = asm.FnRingbufSubmit, ir.Void
	case "bpf_loop":
		h.Fn = asm.FnLoop
	default:
		return nil
	}
	return h
}

// TestGolden compares the lowered IR and the instructions of the programs in
// testdata with what is recorded there.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ir.Parse(string(section(ar, "in")), helpers)
	if err != nil {
		t.Fatal(err)
	}
	insns, _, err := compile(p, regalloc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"lowered": p.String(), "asm": listing(insns)}
	if *update {
		ar.Files = slices.DeleteFunc(ar.Files, func(f txtar.File) bool { return f.Name != "in" })
		for _, name := range []string{"lowered", "asm"} {
			ar.Files = append(ar.Files, txtar.File{Name: name, Data: []byte(got[name])})
		}
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for name, text := range got {
		if want := string(section(ar, name)); text != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, text, want)
		}
	}
}

func section(ar *txtar.Archive, name string) []byte {
	for _, f := range ar.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

// listing prints one instruction a line with its raw offset.
func listing(insns asm.Instructions) string {
	var b strings.Builder
	iter := insns.Iterate()
	for iter.Next() {
		if s := iter.Ins.Symbol(); s != "" {
			fmt.Fprintf(&b, "%s:\n", s)
		}
		fmt.Fprintf(&b, "%3d: %v\n", iter.Offset, *iter.Ins)
	}
	return b.String()
}
