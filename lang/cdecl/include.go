package cdecl

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/gotrace/gotrace/lang/source"
)

// Bounds of what #include can reach.
const (
	maxInclude    = 64       // files that include one another
	maxFiles      = 4096     // files in all
	maxHeaderSize = 32 << 20 // bytes in all; errTooMuch and errTooMany say so too
)

// SystemDirs returns the directories in which a machine keeps its headers:
// those of the C library, then those of the kernel with a release (uname -r).
// arch is in the words of GOARCH.
func SystemDirs(arch, release string) []string {
	triplet, kernel := "x86_64-linux-gnu", "x86"
	if arch == "arm64" {
		triplet, kernel = "aarch64-linux-gnu", "arm64"
	}
	dirs := []string{"/usr/local/include", "/usr/include/" + triplet, "/usr/include"}
	if release == "" {
		return dirs
	}
	for _, root := range []string{"/lib/modules/" + release + "/build", "/lib/modules/" + release + "/source"} {
		for _, sub := range []string{"arch/" + kernel + "/include", "arch/" + kernel + "/include/generated", "include", "arch/" + kernel + "/include/uapi", "include/uapi"} {
			dirs = append(dirs, root+"/"+sub)
		}
	}
	return dirs
}

// include obeys an #include line; at is the whole line.
func (p *preprocessor) include(args []token, at source.Span, base uint32, text string) *failure {
	args, err := p.expandUnlessQuoted(args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return &failure{span: at, msg: "#include without a file"}
	}
	if t := args[0]; t.kind == tString && len(t.text) >= 2 {
		return p.includeName(t.text[1:len(t.text)-1], true, at)
	}
	last := args[len(args)-1]
	if !args[0].is("<") || !last.is(">") || args[0].span.Start < base || int(last.span.End-base) > len(text) {
		return &failure{span: at, msg: `#include takes "file" or <file>`}
	}
	return p.includeName(text[args[0].span.End-base:last.span.Start-base], false, at)
}

// expandUnlessQuoted allows a macro in the place of the file name.
func (p *preprocessor) expandUnlessQuoted(args []token) ([]token, *failure) {
	if len(args) > 0 && args[0].kind == tIdent {
		return p.expand(args)
	}
	return args, nil
}

// includeFile reads a header that an option or an import names.
func (p *preprocessor) includeFile(name string) {
	if err := p.includeName(name, true, source.Span{}); err != nil {
		p.u.report(err, false)
	}
}

// includeName finds a header and reads it, or takes note that it need not be
// read: the names of basic and of kernel headers are known by other means.
func (p *preprocessor) includeName(name string, quoted bool, at source.Span) *failure {
	if p.depth >= maxInclude {
		return &failure{span: at, msg: "#include nests too deeply: " + name}
	}
	err := p.local(name, quoted, at)
	if err == nil || p.satisfy(name) {
		return nil
	}
	for _, dir := range p.u.opts.System {
		next := p.read(filepath.Join(dir, name), true)
		if next == nil {
			return nil
		}
		err = worse(err, next)
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNoReader) {
		return &failure{span: at, msg: "header " + name + ": " + reason(err)}
	}
	msg := "header not found: " + name
	if kernelHeader(name) {
		msg += " (and the kernel has no BTF to take its types from)"
	}
	return &failure{span: at, msg: msg}
}

// worse returns of two errors in opening a header the one to report: any other
// than that it is not there.
func worse(a, b error) error {
	if errors.Is(a, fs.ErrNotExist) {
		return b
	}
	return a
}

// local looks for a header beside the including file and in the directories
// given with -I, and reads it. It returns nil once it is read.
func (p *preprocessor) local(name string, quoted bool, at source.Span) error {
	var dirs []string
	if quoted {
		dir := p.dir
		if f := p.u.opts.Files.File(at.Start); f != nil && p.depth == 0 {
			dir = f.Dir
		}
		dirs = append(dirs, dir)
	}
	err := fs.ErrNotExist
	for i, dir := range append(dirs, p.u.opts.Include...) {
		path := filepath.Join(dir, name)
		if filepath.IsAbs(name) {
			path = name
		}
		fromSystem := p.sys && quoted && i == 0
		next := p.read(path, fromSystem)
		if next == nil {
			return nil
		}
		err = worse(err, next)
	}
	return err
}

// Why a header is not read.
var (
	errNoReader = errors.New("no header can be read")
	errTooMuch  = errors.New("the headers are more than 32 MiB together")
	errTooMany  = errors.New("more than 4096 headers are included")
)

// reason is an error without the path that the report has anyway.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// read reads the header at path, each but once.
func (p *preprocessor) read(path string, sys bool) error {
	path = filepath.Clean(path)
	if p.seen[path] {
		return nil
	}
	if p.u.opts.ReadFile == nil {
		return errNoReader
	}
	data, err := p.u.opts.ReadFile(path)
	if err != nil {
		return err
	}
	p.size += len(data)
	switch {
	case p.size > maxHeaderSize:
		return errTooMuch
	case len(p.seen) >= maxFiles:
		return errTooMany
	}
	p.seen[path] = true
	outer, depth := p.file, len(p.conds)
	dir := filepath.Dir(path)
	p.file = file{dir: dir, depth: outer.depth + 1, sys: sys}
	f := p.u.opts.Files.Add(path, dir, string(data))
	p.text(f.Text, f.Base())
	p.closeConds(depth)
	p.file = outer
	return nil
}

// satisfy reports whether a header need not be read.
func (p *preprocessor) satisfy(name string) bool {
	kernel := kernelHeader(name) && p.u.hasBTF()
	if !kernel && !basicHeader(name) {
		return false
	}
	p.satisfied = true
	if kernel && !p.kernelish {
		p.kernelish = true
		p.predefine(annotations)
	}
	return true
}

// kernelHeader reports whether a header belongs to the kernel.
func kernelHeader(name string) bool {
	dir, _, ok := strings.Cut(strings.TrimPrefix(name, "uapi/"), "/")
	if !ok {
		return name == "vmlinux.h"
	}
	switch dir {
	case "linux", "net", "asm", "asm-generic", "uapi", "trace", "crypto", "drm", "scsi", "sound", "rdma", "xen",
		"video", "acpi", "vdso", "soc", "media", "target", "keys", "kvm", "generated", "cxl", "ras", "misc",
		"clocksource", "mtd", "memory", "pcmcia", "bpf":
		return true
	}
	return false
}

// basicHeader reports whether a header declares nothing but what gotrace knows
// by itself: fixed width types and well-known constants.
func basicHeader(name string) bool {
	switch name {
	case "stddef.h", "stdint.h", "stdbool.h", "stdarg.h", "limits.h", "float.h", "inttypes.h", "errno.h", "fcntl.h",
		"signal.h", "sys/types.h", "sys/socket.h", "sys/stat.h", "sys/mman.h", "netinet/in.h",
		"netinet/tcp.h", "arpa/inet.h", "linux/types.h", "linux/errno.h", "linux/fcntl.h", "linux/stat.h",
		"linux/socket.h", "linux/in.h", "linux/in6.h", "linux/limits.h", "linux/stddef.h", "linux/const.h",
		"linux/posix_types.h", "linux/signal.h", "asm/types.h", "asm/posix_types.h", "asm/errno.h",
		"asm/fcntl.h", "asm/signal.h", "asm/byteorder.h", "asm/bitsperlong.h", "asm-generic/int-ll64.h",
		"asm-generic/types.h", "asm-generic/errno.h", "asm-generic/errno-base.h", "asm-generic/fcntl.h",
		"asm-generic/posix_types.h", "asm-generic/bitsperlong.h":
		return true
	}
	return false
}
