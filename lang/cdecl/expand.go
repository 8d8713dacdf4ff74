package cdecl

// maxExpansion bounds how deep macros name one another.
const maxExpansion = 100

// expand replaces macros. The tokens of a value take the place of the name in
// the source, so that errors are shown where the macro is used.
func (p *preprocessor) expand(toks []token) ([]token, *failure) {
	return p.expandIn(toks, nil)
}

// hidden is a list of the macros that are being expanded; they are not expanded
// again inside themselves.
type hidden struct {
	name  string
	outer *hidden
	depth int
}

func (h *hidden) has(name string) bool {
	for ; h != nil; h = h.outer {
		if h.name == name {
			return true
		}
	}
	return false
}

func (p *preprocessor) expandIn(toks []token, hide *hidden) ([]token, *failure) {
	var out []token
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		m := p.macros[t.text]
		if t.kind != tIdent || t.dead || m == nil {
			out = append(out, t)
			continue
		}
		if hide.has(t.text) {
			t.dead = true
			out = append(out, t)
			continue
		}
		body, used, err := p.value(m, toks[i:], hide)
		if err != nil {
			return nil, err
		}
		if used == 0 { // a macro with parameters, without arguments
			out = append(out, t)
			continue
		}
		if p.work += len(body); p.work > maxTokens {
			return nil, &failure{span: t.span, msg: "the macros expand to too much text"}
		}
		i += used - 1
		out = append(out, body...)
	}
	return out, nil
}

// value returns the expansion of the macro that toks starts with, and how many
// tokens it replaces.
func (p *preprocessor) value(m *macro, toks []token, hide *hidden) ([]token, int, *failure) {
	depth := 1
	if hide != nil {
		depth = hide.depth + 1
	}
	if depth > maxExpansion {
		return nil, 0, &failure{span: toks[0].span, msg: "macros nest too deeply"}
	}
	used := 1
	var args [][]token
	if m.params != nil {
		if args, used = arguments(toks); used == 0 {
			return nil, 0, nil
		}
	}
	body, err := p.substitute(m, args, toks[0], hide)
	if err != nil {
		return nil, 0, err
	}
	list, err := p.expandIn(body, &hidden{m.Name, hide, depth})
	return list, used, err
}

// arguments splits the arguments of a macro's use; 0 tokens when there are
// none.
func arguments(toks []token) ([][]token, int) {
	if len(toks) < 2 || !toks[1].is("(") {
		return nil, 0
	}
	var args [][]token
	depth, start := 0, 2
	for i := 1; i < len(toks); i++ {
		switch t := toks[i]; {
		case t.is("("):
			if depth++; depth > maxExpansion {
				return nil, 0
			}
		case t.is(",") && depth == 1:
			args = append(args, toks[start:i])
			start = i + 1
		case t.is(")"):
			if depth--; depth == 0 {
				return append(args, toks[start:i]), i + 1
			}
		}
	}
	return nil, 0
}

// substitute puts arguments in the place of parameters. Pasting, quoting and
// lists of arguments (##, #, ...) are for code, not for declarations, and
// refused.
func (p *preprocessor) substitute(m *macro, args [][]token, at token, hide *hidden) ([]token, *failure) {
	var out []token
	if len(args) > max(1, len(m.params)) {
		return nil, &failure{span: at.span, msg: "too many arguments for macro " + m.Name}
	}
	for _, t := range m.body {
		if m.params != nil && (t.is("#") || t.is("##")) {
			return nil, &failure{span: at.span, msg: "macro " + m.Name + " uses " + t.text + ", which gotrace does not support"}
		}
		if p.work++; p.work > maxTokens {
			return nil, &failure{span: at.span, msg: "the macros expand to too much text"}
		}
		n := index(m.params, t.text)
		if t.kind != tIdent || n < 0 {
			t.span, t.sys, t.pack, t.bol = at.span, at.sys, at.pack, false
			out = append(out, t)
			continue
		}
		if n >= len(args) {
			return nil, &failure{span: at.span, msg: "macro " + m.Name + " needs more arguments"}
		}
		arg, err := p.expandIn(args[n], hide)
		if err != nil {
			return nil, err
		}
		out = append(out, arg...)
	}
	return out, nil
}

func index(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}
