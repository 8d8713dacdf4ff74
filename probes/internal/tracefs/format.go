// Package tracefs reads the files of the kernel's tracing file system.
//
// Input are file contents as the kernel writes them, output plain structs. The
// text is not trusted: malformed files give errors.
package tracefs

import (
	"fmt"
	"strconv"
	"strings"
)

// Format is the layout of a trace event's record, from its format file.
type Format struct {
	Name   string
	ID     uint64
	Fields []Field // without the common_* ones
	Common []Field
}

// Field is one member of the record.
type Field struct {
	Name string
	// Type is the declaration without the name and without a location prefix,
	// such as "const char *" or "unsigned long".
	Type string
	// Elems is the number of elements of an array, -1 when the field is none. A
	// dynamic array has 0.
	Elems int
	// Loc tells that the field holds where its bytes lie.
	Loc          Location
	Offset, Size int // bytes
	Signed       bool
}

// Location is the kind of a field that refers to bytes elsewhere in the record.
type Location uint8

// The kinds of Location.
const (
	InPlace Location = iota
	DataLoc          // __data_loc: offset from the start of the record
	RelLoc           // __rel_loc: offset from the end of the field
)

// maxField bounds offsets and sizes: a record is at most a page of 64 KiB.
const maxField = 1 << 16

// ParseFormat reads a format file. The layout of the text is that of
// kernel/trace/trace_events.c, f_show.
func ParseFormat(text string) (*Format, error) {
	f := new(Format)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		switch key {
		case "name":
			f.Name = strings.TrimSpace(value)
		case "ID":
			id, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
			if err != nil {
				return nil, fmt.Errorf("event format: malformed ID %q", value)
			}
			f.ID = id
		case "field":
			field, err := parseField(value)
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(field.Name, "common_") {
				f.Common = append(f.Common, field)
			} else {
				f.Fields = append(f.Fields, field)
			}
		case "print fmt":
			return f, nil
		}
	}
	return f, nil
}

// parseField reads "DECL; offset:N; size:N; signed:N;".
func parseField(text string) (Field, error) {
	parts := strings.Split(text, ";")
	field, err := parseDecl(parts[0])
	if err != nil {
		return field, err
	}
	seen := 0
	for _, part := range parts[1:] {
		key, value, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxField {
			return field, fmt.Errorf("event format: field %s: malformed %s %q", field.Name, key, value)
		}
		seen++
		switch key {
		case "offset":
			field.Offset = n
		case "size":
			field.Size = n
		case "signed":
			field.Signed = n != 0
		default:
			seen--
		}
	}
	if seen != 3 {
		return field, fmt.Errorf("event format: field %s lacks offset, size or signedness", field.Name)
	}
	return field, nil
}

// parseDecl splits a C declaration such as "const char * name" or
// "__data_loc char[] name" or "u8 name[4]".
func parseDecl(text string) (Field, error) {
	f := Field{Elems: -1}
	text = strings.TrimSpace(text)
	for _, prefix := range []struct {
		word string
		loc  Location
	}{{"__data_loc ", DataLoc}, {"__rel_loc ", RelLoc}} {
		if rest, ok := strings.CutPrefix(text, prefix.word); ok {
			text, f.Loc = strings.TrimSpace(rest), prefix.loc
		}
	}
	if open := strings.IndexByte(text, '['); open >= 0 && strings.HasSuffix(text, "]") {
		f.Elems = arrayLen(text[open+1 : len(text)-1])
		text = strings.TrimSpace(text[:open])
	}
	end := len(text)
	for end > 0 && isName(text[end-1]) {
		end--
	}
	f.Name, f.Type = text[end:], strings.TrimSpace(text[:end])
	if elem, ok := strings.CutSuffix(f.Type, "[]"); ok {
		f.Type, f.Elems = strings.TrimSpace(elem), 0
	}
	if f.Name == "" || f.Type == "" {
		return f, fmt.Errorf("event format: malformed declaration %q", text)
	}
	return f, nil
}

// arrayLen reads the length of an array, 0 when it is no plain number: then the
// size of the field decides.
func arrayLen(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 || n > maxField {
		return 0
	}
	return n
}

func isName(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// Decl is the field's type as a listing shows it.
func (f *Field) Decl() string {
	switch {
	case f.Loc == DataLoc:
		return "__data_loc " + f.Type + "[]"
	case f.Loc == RelLoc:
		return "__rel_loc " + f.Type + "[]"
	}
	return f.Type
}

// DeclName is the field's name as a listing shows it, with an array's length.
func (f *Field) DeclName() string {
	if f.Elems > 0 && f.Loc == InPlace {
		return fmt.Sprintf("%s[%d]", f.Name, f.Elems)
	}
	return f.Name
}
