// Command vmtest runs a command, or packages' tests, in virtual machines with
// Debian's kernels. See package vmtest.
//
//	go run ./runtime/vmtest/cmd -kernel 6.1 -- uname -a
//	go run ./runtime/vmtest/cmd -kernel 6.1 -file ./gotrace:/bin/gotrace -- gotrace -e 'begin { exit() }'
//	go run ./runtime/vmtest/cmd -kernel 6.1,6.12 -test ./probes/... -test ./runtime/... -- -test.run Attach
//	go run ./runtime/vmtest/cmd -kernel 6.1,6.12 -fetch
//
// The exit status is that of the command, 1 if tests fail, 124 at the time
// limit, 125 if a guest does not boot and 2 for wrong usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/gotrace/gotrace/runtime/vmtest"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	status := run(ctx, os.Args[1:])
	cancel()
	os.Exit(status)
}

// invocation is the parsed command line.
type invocation struct {
	kernels  []string
	packages []string
	fetch    bool
	times    bool
	options  vmtest.Options
}

func run(ctx context.Context, args []string) int {
	inv, err := parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "vmtest:", err)
		return 2
	}
	if len(inv.packages) > 0 {
		dir, err := os.MkdirTemp("", "vmtest-tests-")
		if err != nil {
			fmt.Fprintln(os.Stderr, "vmtest:", err)
			return vmtest.StatusNoGuest
		}
		defer os.RemoveAll(dir)
		return each(ctx, inv, func(ctx context.Context, o vmtest.Options) (int, error) {
			return runTests(ctx, inv, o, dir)
		})
	}
	if inv.fetch {
		return each(ctx, inv, fetch)
	}
	return each(ctx, inv, func(ctx context.Context, o vmtest.Options) (int, error) {
		result, err := vmtest.Run(ctx, o)
		if inv.times {
			fmt.Fprintf(os.Stderr, "vmtest: kernel %s: booted in %v, all %v\n", result.Release,
				result.Boot.Round(time.Millisecond), result.Elapsed.Round(time.Millisecond))
		}
		return result.Status, err
	})
}

// each does something with every kernel and returns the last bad status.
func each(ctx context.Context, inv invocation, do func(context.Context, vmtest.Options) (int, error)) int {
	status := 0
	for _, kernel := range inv.kernels {
		o := inv.options
		o.Kernel = kernel
		code, err := do(ctx, o)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		if code != 0 {
			status = code
		}
	}
	return status
}

func fetch(ctx context.Context, o vmtest.Options) (int, error) {
	image, err := vmtest.Prepare(ctx, o)
	if err != nil {
		return vmtest.StatusNoGuest, err
	}
	fmt.Println(image.Kernel.Image)
	return 0, image.Close()
}

func runTests(ctx context.Context, inv invocation, o vmtest.Options, dir string) (int, error) {
	binaries, err := vmtest.BuildTests(ctx, dir, o.Files, inv.packages...)
	if err != nil {
		return vmtest.StatusNoGuest, err
	}
	image, err := vmtest.Prepare(ctx, o)
	if err != nil {
		return vmtest.StatusNoGuest, err
	}
	defer image.Close()
	vm, err := image.Boot(ctx)
	if err != nil {
		return vmtest.StatusNoGuest, err
	}
	defer vm.Close()
	status := 0
	for _, b := range binaries {
		fmt.Fprintf(os.Stdout, "=== kernel %s: %s\n", vm.Release, b.Package)
		limited, cancel := context.WithTimeout(ctx, o.Timeout)
		code, err := vm.RunTests(limited, b, os.Stdout, o.Command...)
		cancel()
		fmt.Fprintf(os.Stdout, "=== kernel %s: %s: status %d\n", vm.Release, b.Package, code)
		if code != 0 {
			status = code
		}
		if err != nil {
			return status, err
		}
	}
	return status, nil
}

func parse(args []string) (invocation, error) {
	inv := invocation{options: vmtest.Options{Files: map[string]string{}, Stdout: os.Stdout, Stderr: os.Stderr}}
	o := &inv.options
	o.Log = func(format string, args ...any) { fmt.Fprintf(os.Stderr, "vmtest: "+format+"\n", args...) }
	flags := flag.NewFlagSet("vmtest", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	kernels := flags.String("kernel", "6.1,6.12", "versions or paths of kernels, separated by commas")
	modules := flags.String("modules", "", "kernel modules to load, separated by commas")
	console := flags.Bool("console", false, "show the kernels' messages")
	flags.BoolVar(&inv.fetch, "fetch", false, "only fetch what is missing")
	flags.BoolVar(&inv.times, "times", false, "tell how long booting took")
	flags.IntVar(&o.Memory, "memory", vmtest.DefaultMemory, "the guests' memory in MiB")
	flags.IntVar(&o.CPUs, "cpus", vmtest.DefaultCPUs, "the guests' number of processors")
	flags.DurationVar(&o.Timeout, "timeout", vmtest.DefaultTimeout, "time limit of the command, or of each package's tests")
	flags.Func("file", "add a file or directory, as HOST[:GUEST]", func(value string) error { return addFile(o.Files, value) })
	flags.Func("test", "run the tests of these packages", func(value string) error {
		inv.packages = append(inv.packages, value)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		var usage strings.Builder
		flags.SetOutput(&usage)
		flags.PrintDefaults()
		return inv, fmt.Errorf("%w\nusage: vmtest [OPTION]... -- COMMAND [ARGUMENT]...\n%s", err, &usage)
	}
	inv.kernels, o.Command = list(*kernels), flags.Args()
	o.Modules = list(*modules)
	if *console {
		o.Console = os.Stderr
	}
	if len(o.Command) == 0 && len(inv.packages) == 0 && !inv.fetch {
		return inv, fmt.Errorf("no command")
	}
	return inv, nil
}

func addFile(files map[string]string, value string) error {
	host, guest, ok := strings.Cut(value, ":")
	if !ok {
		absolute, err := filepath.Abs(host)
		if err != nil {
			return err
		}
		guest = absolute
	}
	files[host] = guest
	return nil
}

func list(commaSeparated string) []string {
	return strings.FieldsFunc(commaSeparated, func(r rune) bool { return r == ',' })
}
