package vmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles a main package for a guest, statically linked. It calls the go
// command in the current directory, which must be inside this module.
func Build(ctx context.Context, pkg, output string) error {
	_, err := goTool(ctx, "build", "-trimpath", "-ldflags=-s -w", "-o", output, pkg)
	return err
}

// TestBinary is a package's compiled tests.
type TestBinary struct {
	Package string // import path
	Guest   string // path of the program in the guest
	Dir     string // its working directory there
}

// BuildTests compiles the tests of packages, which are patterns as for go test,
// statically into dir. It adds the programs and the packages' testdata to
// files, a map as in Options. Packages without tests are left out; if none has
// any, that is an error.
func BuildTests(ctx context.Context, dir string, files map[string]string, patterns ...string) ([]TestBinary, error) {
	packages, err := listPackages(ctx, patterns)
	if err != nil {
		return nil, err
	}
	var binaries []TestBinary
	for _, p := range packages {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		output := filepath.Join(dir, fmt.Sprintf("%d.test", len(binaries)))
		if _, err := goTool(ctx, "test", "-c", "-trimpath", "-o", output, p.ImportPath); err != nil {
			return nil, err
		}
		b := TestBinary{Package: p.ImportPath, Dir: "/test/" + p.ImportPath}
		b.Guest = b.Dir + "/" + filepath.Base(p.ImportPath) + ".test"
		files[output] = b.Guest
		data := filepath.Join(p.Dir, "testdata")
		if _, err := os.Stat(data); err == nil {
			files[data] = b.Dir + "/testdata"
		}
		binaries = append(binaries, b)
	}
	if len(binaries) == 0 {
		return nil, fmt.Errorf("vmtest: no tests in %q", patterns)
	}
	return binaries, nil
}

// RunTests runs a package's tests in the guest, with -test.v and further
// arguments. The returned status is that of the test program.
func (vm *VM) RunTests(ctx context.Context, b TestBinary, output io.Writer, args ...string) (int, error) {
	return vm.Exec(ctx, Command{
		Args: append([]string{b.Guest, "-test.v", "-test.paniconexit0"}, args...),
		Dir:  b.Dir, Stdout: output, Stderr: output,
	})
}

type goPackage struct {
	ImportPath, Dir           string
	TestGoFiles, XTestGoFiles []string
}

func listPackages(ctx context.Context, patterns []string) ([]goPackage, error) {
	out, err := goTool(ctx, append([]string{"list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("vmtest: go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// goTool runs the go command for the guests' platform, without cgo so that
// programs are linked statically, and returns its standard output.
func goTool(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("vmtest: go %s: %w\n%s", args[0], err, said.Bytes())
	}
	return out, nil
}
