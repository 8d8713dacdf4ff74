package cdecl

import "strings"

// Tags returns the tags that the program defines; kind is struct, union or
// enum.
func (r *Result) Tags(kind string) []string {
	var list []string
	for key := range r.u.tags {
		if tag, ok := strings.CutPrefix(key, kind+" "); ok && tag != "" {
			list = append(list, tag)
		}
	}
	return list
}
