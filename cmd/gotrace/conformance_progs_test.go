package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
)

// buildConformanceProgs compiles the traced programs of src into dst. C++ ones
// are left out without g++; the cases that use them require it.
func buildConformanceProgs(src, dst string) error {
	if err := os.MkdirAll(dst, 0o755); err != nil {
		return err
	}
	sources, err := filepath.Glob(filepath.Join(src, "*.c*"))
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return fmt.Errorf("%s: no programs", src)
	}
	faults := make([]error, len(sources))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, path := range sources {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			faults[i] = buildConformanceProg(path, dst)
		})
	}
	wg.Wait()
	return errors.Join(faults...)
}

// buildConformanceProg compiles one program. A line "// cflags: ..." at its
// head gives the compiler's options, "// shared" asks for a shared library.
func buildConformanceProg(path, dst string) error {
	compiler := "gcc"
	if filepath.Ext(path) == ".cc" {
		if compiler = "g++"; tryCommand(compiler) != nil {
			return nil
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head := string(text[:min(len(text), 400)])
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	flags := []string{"-O0", "-g"}
	if m := regexp.MustCompile(`//\s*cflags:(.*)`).FindStringSubmatch(head); m != nil {
		flags = strings.Fields(m[1])
	}
	if regexp.MustCompile(`//\s*shared`).MatchString(head) {
		flags = append(flags, "-shared", "-fPIC")
		name += ".so"
	}
	var args, libraries []string
	for _, flag := range flags {
		if strings.HasPrefix(flag, "-l") {
			libraries = append(libraries, flag) // the linker wants them behind their users
		} else {
			args = append(args, flag)
		}
	}
	args = append(args, "-I", filepath.Dir(path), "-o", filepath.Join(dst, name), path)
	if out, err := exec.Command(compiler, append(args, libraries...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", path, err, out)
	}
	return nil
}
