package check

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/config"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
)

// probeGroup is a probe's body with the targets that it is compiled for once.
type probeGroup struct {
	ast     *ast.Probe
	targets []*target.Target
	span    source.Span // of the attach point
	inst    int
	name    string
	joined  map[string]bool // paths of targets that are attached to jointly
}

// takesLink reports whether a target is one more to attach to: the first of
// those that are attached to jointly counts for all.
func (g *probeGroup) takesLink(t *target.Target) bool {
	if !t.Joint {
		return true
	}
	if g.joined == nil {
		g.joined = map[string]bool{}
	}
	first := !g.joined[t.Path]
	g.joined[t.Path] = true
	return first
}

// prepare does what comes before types: configuration, imports, definitions,
// macros, attach points. It reports false if there were errors.
func (c *checker) prepare(s *ast.Script) bool {
	c.fixed = c.diags
	c.cfg = config.Default()
	c.cfg.HelperErrors = c.env.HelperErrors
	c.configure(s)
	scripts := c.loadImports(s)
	c.readDefinitions(s)
	c.params = parseParams(c.env.Params)
	c.opts = parseOptions(c.env.Options)
	c.collectMacros(scripts)
	c.collectDecls(scripts)
	if c.diags.HasErrors() {
		return false
	}
	for _, s := range scripts {
		for _, item := range s.Items {
			if p, ok := item.(*ast.Probe); ok && !c.enoughAttached() {
				c.resolveProbe(p)
			}
		}
	}
	if c.diags.HasErrors() {
		return false
	}
	c.checkIterators()
	c.checkLimits()
	return !c.diags.HasErrors()
}

// maxEntries is the largest size of a map: the kernel counts its elements with 32
// bits and rounds up to a power of two.
const maxEntries = 1<<31 - 1

// collectDecls gathers map declarations.
func (c *checker) collectDecls(scripts []*ast.Script) {
	c.decls = map[string]*ast.MapDecl{}
	for _, s := range scripts {
		for _, item := range s.Items {
			d, ok := item.(*ast.MapDecl)
			if !ok {
				continue
			}
			if old := c.decls[d.Map.Name]; old != nil {
				c.diags.Errorf(diag.BadMap, d.Pos(), "Redefinition of map %s", d.Map.Name).Note(old.Pos(), "first declared here")
			}
			if _, ok := mapKinds(d.Kind.Name); !ok {
				c.diags.Errorf(diag.BadMap, d.Kind.Pos(), "Invalid bpf map type: %s", d.Kind.Name).
					Hint("Valid map types: hash, lruhash, percpuhash, percpulruhash")
			}
			if n := d.Entries.Value; n == 0 || n > maxEntries {
				c.diags.Errorf(diag.BadMap, d.Entries.Pos(), "Map %s can have 1 to %d elements, not %d", d.Map.Name, maxEntries, n)
			}
			c.decls[d.Map.Name] = d
		}
	}
}

// resolveProbe expands the attach points of a probe and groups the targets
// that can share one compilation.
func (c *checker) resolveProbe(p *ast.Probe) {
	r := c.readsOf(p)
	opt := c.env.Resolve
	opt.NoArgs, opt.KernelStack = r&readsRecord == 0, r&readsKstack != 0
	groups := map[string]*probeGroup{}
	written := map[string]int{} // what is written twice fires twice
	for _, ap := range p.Attach {
		if c.enoughAttached() {
			return
		}
		seen := map[string]bool{}
		for _, t := range c.resolveAttach(ap, opt) {
			id := fmt.Sprintf("%s\x00%d\x00%d\x00%s", t.Name, t.Offset, t.Address, t.Path)
			if seen[id] || !c.takesPart(t) {
				continue
			}
			seen[id] = true
			c.checkUnique(t, ap)
			sig := signature(t, r)
			if n := written[id]; n > 0 {
				sig += fmt.Sprintf(" again %d", n) // one program attaches only once
			}
			written[id]++
			g := groups[sig]
			if g == nil {
				g = &probeGroup{ast: p, span: ap.Pos(), name: c.probeName(t)}
				g.inst = c.infer.instance(instKey{node: p, n: len(c.probes)})
				groups[sig] = g
				c.probes = append(c.probes, g)
			}
			g.targets = append(g.targets, t)
			c.targets++
			if g.takesLink(t) {
				c.links++
			}
		}
	}
}

// checkUnique refuses two tests or benchmarks of one name.
func (c *checker) checkUnique(t *target.Target, ap *ast.AttachPoint) {
	if t.Provider != target.Test && t.Provider != target.Bench {
		return
	}
	for _, g := range c.probes {
		for _, old := range g.targets {
			if old.Name == t.Name {
				c.diags.Errorf(diag.AttachSyntax, ap.Pos(), "%s is not unique: tests and benchmarks need names of their own", t.Name).
					Note(g.span, "this is the other instance")
			}
		}
	}
}

// takesPart tells whether a target runs in this mode.
func (c *checker) takesPart(t *target.Target) bool {
	switch t.Provider {
	case target.Test:
		return c.env.Mode == Test && c.named(t)
	case target.Bench:
		return c.env.Mode == Bench && c.named(t)
	}
	return c.env.Mode == Trace
}

func (c *checker) named(t *target.Target) bool {
	return c.env.ProbeFilter == nil || c.env.ProbeFilter(t.Event)
}

// resolveAttach finds the targets of one attach point.
func (c *checker) resolveAttach(ap *ast.AttachPoint, opt target.ResolveOptions) []*target.Target {
	text, ok := c.insertParams(ap)
	if !ok {
		return nil
	}
	ts, err := c.env.Resolver.Resolve(text, ap.Pos(), opt)
	if err == nil {
		return ts
	}
	code, kind, hints := diag.AttachSyntax, target.Syntax, []string(nil)
	var te *target.Error
	if errors.As(err, &te) {
		kind, hints = te.Kind, te.Hints
	}
	if kind == target.Missing {
		code = diag.NoSuchProbe
		switch c.cfg.MissingProbes {
		case "ignore":
			return nil
		case "warn":
			c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: diag.MissingProbe, Span: ap.Pos(), Msg: err.Error(), Hints: hints})
			return nil
		}
	}
	c.diags.Add(diag.Diagnostic{Code: code, Span: ap.Pos(), Msg: err.Error(), Hints: hints})
	if c.faulty++; c.faulty == maxFaulty {
		c.diags.Errorf(code, ap.Pos(), "%d attach points are at fault: those behind this one were not looked at", maxFaulty)
	}
	return nil
}

// insertParams puts the text of $N into an attach point.
func (c *checker) insertParams(ap *ast.AttachPoint) (string, bool) {
	text := ap.Text
	if !strings.Contains(text, "$") {
		return text, true
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		ch := text[i]
		if ch == '"' {
			quoted = !quoted
		}
		if ch != '$' || quoted {
			b.WriteByte(ch)
			continue
		}
		j := i + 1
		for j < len(text) && text[j] >= '0' && text[j] <= '9' {
			j++
		}
		if j == i+1 || j > i+7 {
			c.diags.Errorf(diag.AttachSyntax, ap.Pos(), "invalid trailing character for positional param: quote the text if it has a literal $").
				Hint("try \"...\" around the part with the $")
			return "", false
		}
		n := atoi(text[i+1 : j])
		if n == 0 {
			c.diags.Errorf(diag.BadParam, ap.Pos(), "positional parameters start at $1")
			return "", false
		}
		if n <= len(c.params) {
			b.WriteString(c.params[n-1].text)
		}
		i = j - 1
	}
	return b.String(), true
}

// checkIterators makes sure that an iterator is the only probe.
func (c *checker) checkIterators() {
	for i, g := range c.probes {
		if g.targets[0].Provider != target.Iter || c.targets == 1 {
			continue
		}
		at := g.span
		if i == 0 && c.probes[len(c.probes)-1].ast == g.ast {
			at = c.probes[len(c.probes)-1].span
		}
		c.diags.Errorf(diag.AttachSyntax, at, "iter probes must be the only probe of a program")
		return
	}
}

// maxExcess is how many probes beyond the limit are counted for the report.
// Looking further is of no use, and each attach point takes up to a millisecond.
const maxExcess = 4096

// maxFaulty is how many attach points are reported as faulty before the others
// are not looked at: what is likely meant is searched for in long lists.
const maxFaulty = 50

// enoughAttached tells that what further attach points stand for does not
// matter.
func (c *checker) enoughAttached() bool {
	return c.links > c.cfg.MaxProbes+maxExcess || c.faulty >= maxFaulty
}

func (c *checker) checkLimits() {
	progs := 0
	for _, g := range c.probes {
		if p := g.targets[0].Provider; p != target.Begin && p != target.End {
			progs++
		}
	}
	if c.links > c.cfg.MaxProbes {
		c.diags.Errorf(diag.ProbeLimit, source.Span{}, "Can't attach to %d probes because it exceeds the current limit of %d probes.", c.links, c.cfg.MaxProbes).
			Hint("You can increase the limit through the max_probes setting (BPFTRACE_MAX_PROBES)")
	}
	if progs > c.cfg.MaxBPFProgs {
		c.diags.Errorf(diag.ProbeLimit, c.probes[len(c.probes)-1].span, "Your program is trying to generate more than %d BPF programs, which exceeds the current limit", c.cfg.MaxBPFProgs).
			Hint("You can increase the limit through the max_bpf_progs setting (BPFTRACE_MAX_BPF_PROGS)")
	}
}

// readsOf finds out by the names that a body mentions, those of the macros that
// it may call included.
func (c *checker) readsOf(p *ast.Probe) reads {
	var r reads
	seen := map[string]bool{}
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || seen[id.Name] {
			return true
		}
		seen[id.Name] = true
		if b, ok := c.lookupBuiltin(id.Name); ok {
			r |= b.reads
		}
		for _, m := range c.macros[id.Name] {
			ast.Inspect(m.ast.Body, visit)
		}
		return true
	}
	ast.Inspect(p, visit)
	return r
}

// signature is equal for targets that one compilation serves.
func signature(t *target.Target, r reads) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %d", t.Provider, t.Program, t.Space)
	if t.Program == target.ProgTracing || t.Program == target.ProgIter || t.Provider == target.Begin || t.Provider == target.End || t.Provider == target.Test || t.Provider == target.Bench {
		b.WriteString(t.Name) // the kernel loads one program for each
	}
	if t.Syscall != nil {
		fmt.Fprintf(&b, " syscall %v %v", t.Syscall.Exit, t.Syscall.Number < 0)
	}
	if r&readsName != 0 {
		b.WriteString(" " + t.Name)
	}
	if r&readsArgs != 0 {
		for _, a := range t.Args {
			fmt.Fprintf(&b, " %s:%s:%v", a.Name, a.Type, a.Loc)
		}
		for _, a := range t.Positional {
			fmt.Fprintf(&b, " %s:%v", a.Type, a.Loc)
		}
		if t.Ret != nil {
			fmt.Fprintf(&b, " ret %s:%v", t.Ret.Type, t.Ret.Loc)
		}
		if t.Func != nil {
			fmt.Fprintf(&b, " func %v", t.Func.Loc)
		}
	}
	return b.String()
}

// probeName is a name for the program, unique and fit for a symbol.
func (c *checker) probeName(t *target.Target) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, t.Name)
	return fmt.Sprintf("%s_%d", clean, len(c.probes)+1)
}

// probe checks the body of one group.
func (c *checker) probe(g *probeGroup) *typed.Probe {
	c.fn = &funcState{targets: g.targets, inst: g.inst}
	c.pushScope()
	out := &typed.Probe{Targets: g.targets, Span: g.span, Name: g.name, Returns: true}
	out.Body = &typed.Block{}
	if g.ast.Pred == nil {
		out.Body = c.bodyInScope(g.ast.Body)
	} else {
		cond := c.condition(c.value(g.ast.Pred), g.ast.Pred.Pos(), "predicate")
		add(out.Body, &typed.If{Cond: cond, Then: c.bodyInScope(g.ast.Body), Span: g.ast.Pred.Pos()})
	}
	c.popScope()
	return out
}

// target returns the target that stands for the group being checked.
func (c *checker) target() *target.Target { return c.fn.targets[0] }
