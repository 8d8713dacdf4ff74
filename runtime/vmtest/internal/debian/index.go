package debian

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Package is what a Packages index says about one binary package.
type Package struct {
	Name, Version string
	Filename      string     // below the mirror's base URL
	Size          int64      // of the file, in bytes
	SHA256        string     // of the file, lower-case hexadecimal
	Depends       [][]string // Pre-Depends and Depends: names, any one of each row
	Provides      []string   // virtual packages
}

// Index is a parsed Packages file. Of several versions of a package it keeps
// the newest.
type Index struct {
	packages map[string]Package
	provides map[string][]string // virtual package -> providers, in file order
}

// Limits on a hostile index. The largest real line, a Provides field of a Rust
// package, has some 10 kB.
const (
	maxLine     = 1 << 20
	maxPackages = 1 << 20
)

// ParseIndex reads a Packages file. Packages without a usable Filename, Size
// or SHA256 are an error: they could not be fetched safely.
func ParseIndex(r io.Reader) (*Index, error) {
	index := &Index{packages: map[string]Package{}, provides: map[string][]string{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	stanza := map[string]string{}
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "":
			if err := index.add(stanza); err != nil {
				return nil, err
			}
			clear(stanza)
		case line[0] != ' ' && line[0] != '\t': // continuation lines hold nothing we need
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				return nil, fmt.Errorf("packages index: line %.60q is no field", line)
			}
			if wanted(key) {
				stanza[key] = strings.TrimSpace(value)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("packages index: %w", err)
	}
	return index, index.add(stanza)
}

func wanted(key string) bool {
	switch key {
	case "Package", "Version", "Filename", "Size", "SHA256", "Depends", "Pre-Depends", "Provides":
		return true
	}
	return false
}

func (x *Index) add(stanza map[string]string) error {
	if len(stanza) == 0 {
		return nil
	}
	p, err := newPackage(stanza)
	if err != nil {
		return fmt.Errorf("packages index: package %.60q: %w", stanza["Package"], err)
	}
	if len(x.packages) >= maxPackages {
		return fmt.Errorf("packages index: more than %d packages", maxPackages)
	}
	if old, ok := x.packages[p.Name]; ok && CompareVersions(old.Version, p.Version) >= 0 {
		return nil
	}
	x.packages[p.Name] = p
	for _, virtual := range p.Provides {
		x.provides[virtual] = append(x.provides[virtual], p.Name)
	}
	return nil
}

func newPackage(stanza map[string]string) (Package, error) {
	size, err := strconv.ParseInt(stanza["Size"], 10, 64)
	p := Package{
		Name:     stanza["Package"],
		Version:  stanza["Version"],
		Filename: stanza["Filename"],
		Size:     size,
		SHA256:   stanza["SHA256"],
		Depends:  append(relations(stanza["Pre-Depends"]), relations(stanza["Depends"])...),
	}
	for _, alternatives := range relations(stanza["Provides"]) {
		p.Provides = append(p.Provides, alternatives...)
	}
	switch {
	case !plainName(p.Name):
		return p, errors.New("bad name")
	case err != nil || size <= 0:
		return p, fmt.Errorf("bad size %.40q", stanza["Size"])
	case !plainPath(p.Filename):
		return p, fmt.Errorf("bad file name %.80q", p.Filename)
	case !isSHA256(p.SHA256):
		return p, fmt.Errorf("bad SHA256 %.80q", p.SHA256)
	}
	return p, nil
}

// relations parses a dependency field into rows of alternatives. Version and
// architecture restrictions are dropped: one suite is consistent in itself.
func relations(field string) [][]string {
	var rows [][]string
	for part := range strings.SplitSeq(field, ",") {
		var row []string
		for alternative := range strings.SplitSeq(part, "|") {
			name := strings.TrimSpace(alternative)
			if end := strings.IndexAny(name, " (["); end >= 0 {
				name = name[:end]
			}
			name, _, _ = strings.Cut(name, ":") // "python3:any"
			if name != "" {
				row = append(row, name)
			}
		}
		if len(row) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// plainName accepts the characters of package names (policy 5.6.1), so a name
// can be used as a file name.
func plainName(s string) bool {
	for _, c := range []byte(s) {
		if !isDigit(c) && (c < 'a' || c > 'z') && strings.IndexByte("+-.", c) < 0 {
			return false
		}
	}
	return len(s) > 1 && s[0] != '.' && s[0] != '-'
}

func plainPath(s string) bool {
	return s != "" && s[0] != '/' && path.Clean(s) == s && !strings.HasPrefix(s, "..") &&
		!strings.ContainsAny(s, "\x00\\?#%")
}

func isSHA256(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 64 && strings.ToLower(s) == s
}

// Lookup returns the package of this exact name.
func (x *Index) Lookup(name string) (Package, bool) {
	p, ok := x.packages[name]
	return p, ok
}

// Newest returns the package of the highest version whose name satisfies match.
func (x *Index) Newest(match func(name string) bool) (Package, bool) {
	var best Package
	for name, p := range x.packages {
		if !match(name) {
			continue
		}
		if c := CompareVersions(p.Version, best.Version); best.Name == "" || c > 0 || c == 0 && name < best.Name {
			best = p
		}
	}
	return best, best.Name != ""
}

// Closure returns the named packages and all that they depend on, each once,
// dependencies first. Of alternatives it takes one that is chosen already,
// else the first that exists; of providers of a virtual package the first.
func (x *Index) Closure(names ...string) ([]Package, error) {
	c := closure{index: x, state: map[string]bool{}}
	for _, name := range names {
		if err := c.add(name, []string{name}); err != nil {
			return nil, err
		}
	}
	return c.order, nil
}

type closure struct {
	index *Index
	state map[string]bool // packages that are chosen
	order []Package
}

func (c *closure) add(wantedBy string, alternatives []string) error {
	name, ok := c.choose(alternatives)
	if !ok {
		return fmt.Errorf("%s: no package %s in the index", wantedBy, strings.Join(alternatives, " or "))
	}
	if c.state[name] {
		return nil // chosen, or a dependency cycle, which Debian allows
	}
	c.state[name] = true
	p := c.index.packages[name]
	for _, row := range p.Depends {
		if err := c.add(name, row); err != nil {
			return err
		}
	}
	c.order = append(c.order, p)
	return nil
}

func (c *closure) choose(alternatives []string) (string, bool) {
	var first string
	for _, name := range alternatives {
		candidates := c.index.provides[name]
		if _, ok := c.index.packages[name]; ok {
			candidates = append([]string{name}, candidates...)
		}
		for _, candidate := range candidates {
			if c.state[candidate] {
				return candidate, true
			}
			if first == "" {
				first = candidate
			}
		}
	}
	return first, first != ""
}
