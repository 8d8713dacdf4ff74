// Package source holds script text and maps byte offsets to lines and columns.
//
// All files of one compilation (the script and what it imports) live in one
// Set and share a single offset space, as in go/token: a Span is two 32-bit
// offsets, small enough for every syntax tree node, and still names its file.
// Offset 0 belongs to no file, so the zero Span means "no position".
package source

import (
	"fmt"
	"sort"
	"strings"
)

// Span is the half-open byte range [Start, End) in the offset space of a Set.
type Span struct{ Start, End uint32 }

// IsValid reports whether the span names a place.
func (s Span) IsValid() bool { return s.Start != 0 }

// Cover returns the smallest span that holds both s and t; an invalid span
// adds nothing.
func (s Span) Cover(t Span) Span {
	switch {
	case !s.IsValid():
		return t
	case !t.IsValid():
		return s
	}
	return Span{min(s.Start, t.Start), max(s.End, t.End)}
}

// Position is a resolved offset. Line and Col count from 1, Col in bytes.
type Position struct {
	File *File
	Line int
	Col  int
}

// String returns file:line:col.
func (p Position) String() string {
	if p.File == nil {
		return "-"
	}
	return fmt.Sprintf("%s:%d:%d", p.File.Name, p.Line, p.Col)
}

// File is one source text of a Set.
type File struct {
	// Name is what diagnostics show: the path as given, or "stdin".
	Name string
	// Dir is the directory that relative imports start from.
	Dir  string
	Text string

	base  uint32
	lines []uint32 // offsets in Text of the first byte of each line
}

// Base returns the offset of the first byte of the file in its Set.
func (f *File) Base() uint32 { return f.base }

// Span turns a byte range of Text into a Span.
func (f *File) Span(start, end int) Span {
	return Span{f.base + uint32(start), f.base + uint32(end)}
}

// Slice returns the text below s, which must lie within f.
func (f *File) Slice(s Span) string {
	return f.Text[s.Start-f.base : s.End-f.base]
}

// Line returns the text of line n (from 1) without its line end, or "" when
// there is no such line.
func (f *File) Line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	line := f.Text[f.lines[n-1]:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	return strings.TrimSuffix(line, "\r")
}

func (f *File) position(pos uint32) Position {
	off := pos - f.base
	i := sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > off })
	return Position{File: f, Line: i, Col: int(off-f.lines[i-1]) + 1}
}

// Set is the files of one compilation. It only grows; it is not safe for use
// from several goroutines while files are added.
type Set struct{ files []*File }

// Add appends a file. Texts of together 4 GiB and more do not fit the offset
// space; callers bound the size of what they read.
func (s *Set) Add(name, dir, text string) *File {
	f := &File{Name: name, Dir: dir, Text: text, base: 1, lines: []uint32{0}}
	if n := len(s.files); n > 0 {
		last := s.files[n-1]
		f.base = last.base + uint32(len(last.Text)) + 1
	}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			f.lines = append(f.lines, uint32(i+1))
		}
	}
	s.files = append(s.files, f)
	return f
}

// File returns the file that pos lies in, or nil.
func (s *Set) File(pos uint32) *File {
	if s == nil || pos == 0 {
		return nil
	}
	i := sort.Search(len(s.files), func(i int) bool { return s.files[i].base > pos })
	if i == 0 {
		return nil
	}
	f := s.files[i-1]
	if pos > f.base+uint32(len(f.Text)) {
		return nil
	}
	return f
}

// Position resolves an offset; the zero Position means there is none.
func (s *Set) Position(pos uint32) Position {
	f := s.File(pos)
	if f == nil {
		return Position{}
	}
	return f.position(pos)
}

// Text returns the source below a span, or "".
func (s *Set) Text(sp Span) string {
	f := s.File(sp.Start)
	if f == nil || sp.End < sp.Start || sp.End > f.base+uint32(len(f.Text)) {
		return ""
	}
	return f.Slice(sp)
}
