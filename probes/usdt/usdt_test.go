package usdt

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes/host"
	"github.com/gotrace/gotrace/probes/host/hosttest"
	"github.com/gotrace/gotrace/probes/provider"
)

// library has the marker app:go; the notes are those of SystemTap's sys/sdt.h.
const library = `void work(void) {
	__asm__ volatile ("990: nop\n"
		".pushsection .note.stapsdt,\"\",\"note\"\n"
		".balign 4\n .4byte 992f-991f, 994f-993f, 3\n"
		"991: .asciz \"stapsdt\"\n 992: .balign 4\n"
		"993: .8byte 990b, 0, 0\n .asciz \"app\"\n .asciz \"go\"\n .asciz \"\"\n"
		"994: .balign 4\n .popsection");
}
`

// process is a machine with process 7, which has a program and the library
// mapped.
func process(t *testing.T) (h *host.Host, lib string) {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs a C compiler")
	}
	dir := t.TempDir()
	source, lib := filepath.Join(dir, "lib.c"), filepath.Join(dir, "lib.so")
	if err := os.WriteFile(source, []byte(library), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(gcc, "-shared", "-fPIC", "-o", lib, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	cfg := hosttest.Config()
	cfg.Root = os.DirFS("/")
	cfg.Proc = fstest.MapFS{"7/maps": {Data: []byte("1000-2000 r-xp 00000000 08:01 5   /bin/sh\n2000-3000 r-xp 00000000 08:01 6   " + lib + "\n")}}
	return host.New(cfg), lib
}

// Without a binary, markers are looked for in all that a process has mapped.
func TestMarkersOfLibraries(t *testing.T) {
	h, lib := process(t)
	find := func(text string) ([]*target.Target, error) {
		parts, err := provider.Split(text)
		if err != nil {
			t.Fatal(err)
		}
		return Provider{}.Resolve(h, &provider.Pattern{Text: text, Kind: target.USDT, Parts: parts[1:]}, &target.ResolveOptions{Pid: 7})
	}
	for _, text := range []string{"usdt::app:go", "usdt::go", "usdt:g*", "usdt:*:app:go"} {
		list, err := find(text)
		if err != nil || len(list) != 1 || list[0].Name != "usdt:"+lib+":app:go" {
			t.Errorf("%s: %+v, %v", text, list, err)
		}
	}
	if _, err := find("usdt::app:stop"); err == nil || !strings.Contains(err.Error(), "nor in 1 more") {
		t.Errorf("no marker: %v", err)
	}
}
