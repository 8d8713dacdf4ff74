package cdecl

// errNotMine is what conditional returns for other lines.
var errNotMine = &failure{msg: "no conditional"}

// conditional obeys the lines that decide which text is read.
func (p *preprocessor) conditional(name token, args []token) *failure {
	switch name.text {
	case "if", "ifdef", "ifndef":
		return p.open(name, args)
	case "elif", "elifdef", "elifndef", "else":
		return p.branch(name, args)
	case "endif":
		if len(p.conds) == 0 {
			return &failure{span: name.span, msg: "#endif without #if"}
		}
		p.conds = p.conds[:len(p.conds)-1]
		return nil
	}
	return errNotMine
}

// maxConds bounds how deep #if nest.
const maxConds = 1000

func (p *preprocessor) open(name token, args []token) *failure {
	if len(p.conds) >= maxConds {
		return &failure{span: name.span, msg: "#if nest too deeply"}
	}
	c := cond{span: name.span, outer: p.live()}
	var err *failure
	if c.outer {
		c.live, err = p.test(name, args)
		c.taken = c.live
	}
	p.conds = append(p.conds, c)
	return err
}

func (p *preprocessor) branch(name token, args []token) *failure {
	if len(p.conds) == 0 {
		return &failure{span: name.span, msg: "#" + name.text + " without #if"}
	}
	c := &p.conds[len(p.conds)-1]
	if c.other {
		return &failure{span: name.span, msg: "#" + name.text + " behind #else"}
	}
	c.live = false
	if name.text == "else" {
		c.other = true
		c.live = c.outer && !c.taken
		c.taken = true
		return nil
	}
	if !c.outer || c.taken {
		return nil
	}
	live, err := p.test(name, args)
	c.live, c.taken = live, live
	return err
}

// test evaluates the condition of a line.
func (p *preprocessor) test(name token, args []token) (bool, *failure) {
	switch name.text {
	case "ifdef", "ifndef", "elifdef", "elifndef":
		if len(args) == 0 || args[0].kind != tIdent {
			return false, &failure{span: name.span, msg: "#" + name.text + " without a name"}
		}
		negative := name.text == "ifndef" || name.text == "elifndef"
		return p.isDefined(args[0].text) != negative, nil
	}
	toks, err := p.expand(p.replaceDefined(args))
	if err != nil {
		return false, err
	}
	if len(toks) == 0 {
		return false, &failure{span: name.span, msg: "#" + name.text + " without a condition"}
	}
	e := &parser{unit: p.u, toks: toks, directive: true}
	v, err := e.expr()
	if err == nil && e.pos < len(toks) {
		err = e.unexpected("in a condition")
	}
	return v.v != 0, err
}

// replaceDefined evaluates defined X and defined(X), before macros are
// expanded.
func (p *preprocessor) replaceDefined(args []token) []token {
	var out []token
	for i := 0; i < len(args); i++ {
		name := i + 1
		paren := name < len(args) && args[name].is("(")
		if paren {
			name++
		}
		if !args[i].is("defined") || name >= len(args) || paren && (name+1 >= len(args) || !args[name+1].is(")")) {
			out = append(out, args[i])
			continue
		}
		t := args[i]
		t.kind, t.text = tNumber, "0"
		if p.isDefined(args[name].text) {
			t.text = "1"
		}
		out = append(out, t)
		i = name
		if paren {
			i++
		}
	}
	return out
}

// isDefined reports whether a macro has a name. Whether the kernel has BTF is
// found out when it is asked for.
func (p *preprocessor) isDefined(name string) bool {
	if _, ok := p.macros[name]; ok {
		return true
	}
	if name == haveBTF {
		return p.u.hasBTF()
	}
	if !p.satisfied {
		return false
	}
	_, ok := WellKnown(name, p.u.opts.Arch)
	return ok
}

// haveBTF is the macro that tells of the kernel's types.
const haveBTF = "BPFTRACE_HAVE_BTF"

func (u *unit) hasBTF() bool { return u.opts.Kernel != nil && u.opts.Kernel.Available() == nil }
