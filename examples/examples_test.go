// Package examples_test compiles and runs the scripts of this directory.
package examples_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gotrace/gotrace"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// example is one script with what shows that it works.
type example struct {
	file string
	// recorded tells that the machine of package hosttest has all its probes.
	recorded bool
	// needs is a file of the tracing file system: a kernel that lacks it, or does
	// not let it be opened, can not serve the script.
	needs string
	// command is traced; want matches what the script then prints.
	command []string
	want    string
}

func table() []example {
	return []example{
		{file: "opens.gt", recorded: true, command: []string{"cat", "/etc/hostname"}, want: `(?m)^\d+ +cat +\d+ /etc/hostname$`},
		{file: "read-sizes.gt", recorded: true, command: []string{"cat", "/etc/hostname"}, want: `@bytes\[cat\]:\n[[]`},
		{file: "syscall-latency.gt", recorded: true, command: []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1000"},
			want: `(?s)@microseconds\[\w+\]:\n[[].*@total_us\[\w+\]: \d+`},
		{file: "cpu-profile.gt", recorded: true, command: []string{"sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"},
			want: `@samples\[`},
		{file: "exec.gt", recorded: true, command: []string{"sh", "-c", "env true word"}, want: `sh +env true word\n`},
		{file: "run-queue.gt", command: []string{"sleep", "0.05"}, want: `@wait_us:\s+[[]`},
		{file: "malloc-sizes.gt", command: []string{"ls", "/"}, want: `@bytes\[ls\]:\s+[[]`},
		{file: "page-faults.gt", recorded: true, command: []string{"sleep", "0.01"}, want: `@faults\[sleep\]: \d+`},
		// A machine without a disk has no requests to show.
		{file: "block-io.gt", command: []string{"sync"}, want: ``},
		{file: "tcp-connect.gt", needs: "kprobe_events", command: refusedConnection(), want: `bash +127\.0\.0\.1 +1 +0\n`},
		{file: "tcp-connect-fentry.gt", needs: "available_filter_functions", command: refusedConnection(),
			want: `bash \(\d+\) to 127\.0\.0\.1 port 1: 0\n`},
		{file: "shop/shop.gt", command: []string{shopPath}, want: `@refused\[edsger\]: 100\n`},
	}
}

// refusedConnection connects to a port where nobody listens.
func refusedConnection() []string { return []string{"bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/1"} }

// shopPath is where shop.gt expects the program that it traces.
const shopPath = "/tmp/shop"

// The table of this test has every script of the directory.
func TestTable(t *testing.T) {
	known := map[string]bool{}
	for _, e := range table() {
		known[e.file] = true
	}
	for _, pattern := range []string{"*.gt", "*/*.gt"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no scripts match %s: %v", pattern, err)
		}
		for _, f := range files {
			if !known[filepath.ToSlash(f)] {
				t.Errorf("%s is not in the table", f)
			}
		}
	}
}

func TestFormatted(t *testing.T) {
	for _, e := range table() {
		src := read(t, e.file)
		got, err := gotrace.Format(e.file, src)
		if err != nil {
			t.Errorf("%v", err)
		} else if string(got) != src {
			t.Errorf("%s: run gotrace --fmt; it should read\n%s", e.file, got)
		}
	}
}

// Scripts compile without warnings for a machine that is not this one, with no
// privilege.
func TestCompileRecorded(t *testing.T) {
	for _, e := range table() {
		if e.recorded {
			compile(t, e, read(t, e.file), &gotrace.Config{Host: hosttest.New()})
		}
	}
}

// Scripts run on this machine and show what they are for.
func TestRun(t *testing.T) {
	hosttest.RequireBPF(t)
	tracefs := hosttest.RequireTracefs(t)
	for _, e := range table() {
		t.Run(e.file, func(t *testing.T) {
			if e.needs != "" {
				f, err := tracefs.Open(e.needs)
				if err != nil {
					t.Skipf("this kernel can not serve the probe: %v", err)
				}
				f.Close()
			}
			src := read(t, e.file)
			if e.command[0] == shopPath {
				src = withShop(t, src, &e)
			}
			if out := run(t, e, src); !regexp.MustCompile(e.want).MatchString(out) {
				t.Errorf("the output does not match %s:\n%s", e.want, out)
			}
		})
	}
}

// withShop builds the traced program and returns the script with its path.
func withShop(t *testing.T, src string, e *example) string {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("needs gcc to build the traced program")
	}
	path := filepath.Join(t.TempDir(), "shop")
	build := exec.Command("gcc", "-O1", "-g", "-fno-omit-frame-pointer", "-o", path, "shop/shop.c")
	if msg, err := build.CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, msg)
	}
	e.command = []string{path}
	return strings.ReplaceAll(src, shopPath, path)
}

// run traces the command of e and returns what the script printed.
func run(t *testing.T, e example, src string) string {
	prog := compile(t, e, src, &gotrace.Config{Command: true})
	if prog == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, msgs bytes.Buffer
	session, err := prog.Start(ctx, &gotrace.RunOptions{Command: e.command, Output: gotrace.Output{Out: &out, Err: &msgs}})
	if err != nil {
		t.Fatalf("%s: %v", e.file, err)
	}
	defer session.Close()
	if err := session.Wait(); err != nil {
		t.Errorf("%s: %v", e.file, err)
	}
	if ctx.Err() != nil {
		t.Errorf("%s: did not end with its command", e.file)
	}
	return out.String()
}

func compile(t *testing.T, e example, src string, cfg *gotrace.Config) *gotrace.Program {
	prog, err := gotrace.Compile(e.file, src, cfg)
	if err != nil {
		t.Errorf("%v", err)
		return nil
	}
	for _, w := range prog.Warnings().Diags {
		t.Errorf("%s: warning: %s", e.file, w.Msg)
	}
	if len(prog.Targets()) == 0 {
		t.Errorf("%s attaches to nothing", e.file)
	}
	return prog
}

func read(t *testing.T, file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
