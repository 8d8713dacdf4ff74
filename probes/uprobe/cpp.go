package uprobe

import (
	"strings"

	"github.com/ianlancetaylor/demangle"

	"github.com/gotrace/gotrace/probes/provider"
)

// matchCPP reports whether a pattern means a symbol: as it is, which is how
// C++ programs name what is extern "C", or demangled. A pattern without
// parameters means all overloads.
func matchCPP(pattern, symbol string) bool {
	if provider.Match(pattern, symbol) {
		return true
	}
	if !strings.HasPrefix(symbol, "_Z") {
		return false
	}
	full, err := demangle.ToString(symbol)
	if err != nil {
		return false
	}
	return provider.Match(pattern, full) || provider.Match(pattern, full[:parameters(full)])
}

// parameters is the index of the parenthesis that opens the parameter list of a
// demangled name, or its length: names may hold further parentheses, as in
// operator()(int).
func parameters(name string) int {
	end := strings.LastIndexByte(name, ')')
	depth := 0
	for i := end; i >= 0; i-- {
		switch name[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(name)
}
