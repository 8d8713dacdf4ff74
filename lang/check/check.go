// Package check turns a syntax tree into a typed program.
//
// It is a pure function of the tree and Env: it resolves attach points,
// expands macros and imports, folds constants, infers the types of variables
// and maps, and writes every conversion out. The result obeys the invariants
// of package typed.
//
// Types are inferred by iteration to a fixpoint. A pass checks the whole script
// with the types of variables and maps that the passes before it found, and
// joins what it sees assigned into them. Joins only widen, so the passes come
// to an end; the diagnostics and the tree of the last one are the result.
package check

import (
	"io/fs"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/config"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/ktypes"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
)

// Resolver finds the attach points that exist; package probes has the real one.
type Resolver interface {
	Resolve(text string, span source.Span, opt target.ResolveOptions) ([]*target.Target, error)
}

// Env is what a script is checked against.
type Env struct {
	Files    *source.Set
	Kernel   *ktypes.Kernel
	Resolver Resolver
	System   System
	// Parse reads a further file: an import.
	Parse func(*source.Set, *source.File) (*ast.Script, *diag.List)
	// ReadFile reads a file that the script imports or includes.
	ReadFile func(path string) ([]byte, error)
	ReadDir  func(path string) ([]fs.DirEntry, error)
	// WorldWritable tells whether everybody may write to a file; nil: no.
	WorldWritable func(path string) bool
	// Release is the kernel's, such as 6.18.44-amd64.
	Release string
	// TaskBTF tells that curtask can be a pointer that the verifier knows.
	TaskBTF bool

	// Params are the positional parameters, Options the named ones.
	Params  []string
	Options []string
	// Settings holds the settings that come from outside, by name; they win over
	// those of the script. One that IsSetting does not know is an error.
	Settings map[string]string

	Resolve      target.ResolveOptions
	Include      []string // directories
	IncludeFiles []string
	HelperErrors bool // -k
	Unsafe       bool
	Mode         Mode
	ProbeFilter  func(name string) bool // nil: all
}

// Mode says which probes of a script take part.
type Mode uint8

// The modes.
const (
	Trace Mode = iota
	Test       // test probes only
	Bench      // bench probes only
)

// System answers compile-time questions about the machine.
type System interface {
	NumCPU() int
	Arch() string
	KernelSymbol(name string) (addr uint64, err error)
	UserSymbol(path, name string) (addr, size uint64, err error)
	CgroupID(path string) (uint64, error)
	Register(name string) (offset int, ok bool)
	KernelVersion() (major, minor int)
	HasKfunc(name string) bool
}

// maxPasses bounds the fixpoint iteration. A join can widen one variable a few
// times only, so that a chain of assignments needs about its length; this many
// are not met but by scripts made for it.
const maxPasses = 100

// Script checks s. The program is nil if and only if the list holds an error.
func Script(s *ast.Script, env Env) (*typed.Program, *diag.List) {
	c := &checker{
		env:       env,
		diags:     &diag.List{Files: env.Files},
		infer:     newInference(),
		builtins:  builtinTable(),
		macroText: map[string]ast.Expr{},
	}
	if !c.prepare(s) {
		return nil, c.diags
	}
	for pass := 0; ; pass++ {
		c.beginPass()
		prog := c.program()
		switch {
		case c.cost.over:
			c.reportOver(c.fixed)
			return nil, c.fixed
		case c.infer.changed && (pass >= maxPasses || c.cost.passes > maxPassCost):
			c.fixed.Errorf(diag.TypeMismatch, c.infer.last, "the types of maps and variables depend on one another in too long a chain: they are not known after %d passes", pass+1).
				Hint("assign what others depend on further up, or declare types with let")
			return nil, c.fixed
		case c.infer.changed:
		case c.infer.settled:
			return c.finish(prog)
		case c.infer.waiting && !c.infer.oneSided:
			c.infer.oneSided = true
		default:
			c.infer.settled = true
		}
	}
}

// checker holds one check of a script. Fields above the line are settled by
// prepare; beginPass makes those below new for each pass, but for what the costs
// of all passes add up to.
type checker struct {
	env      Env
	cfg      config.Config
	unstab   unstable
	probes   []*probeGroup
	targets  int // of all probes
	links    int // that they take, what max_probes bounds
	faulty   int // attach points that have been reported
	macros   macroTable
	decls    map[string]*ast.MapDecl
	cdefs    cdefs
	builtins map[string]*builtin
	// headers are the .h files that the script imports.
	headers []string
	// macroText holds the values of C macros that have been parsed.
	macroText map[string]ast.Expr
	params    []param
	opts      *options
	infer     *inference
	fixed     *diag.List // diagnostics of prepare

	diags  *diag.List
	maps   map[string]*mapInfo
	order  []*mapInfo
	fn     *funcState
	expand []expansion
	cost   cost
	// outerMacro is the use of a macro in the text of the probe that is being
	// expanded, macroDepth how deep others are expanded in it.
	outerMacro macroUse
	macroDepth int
}

// beginPass forgets what the last pass produced but the inferred types.
func (c *checker) beginPass() {
	c.infer.changed, c.infer.waiting = false, false
	c.diags = &diag.List{Files: c.env.Files}
	c.maps = map[string]*mapInfo{}
	c.order, c.expand = nil, nil
	c.outerMacro, c.macroDepth = macroUse{}, 0
	c.cost.script, c.cost.probe = 0, 0
}

// program checks all probes once.
func (c *checker) program() *typed.Program {
	prog := &typed.Program{Config: c.cfg}
	for _, g := range c.probes {
		prog.Probes = append(prog.Probes, c.probe(g))
		if c.cost.endProbe(); c.cost.over {
			return nil
		}
	}
	for _, m := range c.order {
		prog.Maps = append(prog.Maps, c.finishMap(m))
	}
	return prog
}

// finish adds what can be told only after the last pass.
func (c *checker) finish(prog *typed.Program) (*typed.Program, *diag.List) {
	c.warnUnusedDecls()
	c.warnUnreadMaps()
	prog.Options = c.checkOptions()
	out := &diag.List{Files: c.env.Files}
	out.Diags = append(out.Diags, c.fixed.Diags...)
	out.Diags = append(out.Diags, dedupe(c.diags.Diags)...)
	if out.HasErrors() {
		return nil, out
	}
	return prog, out
}

// dedupe drops reports that are equal in place and text: a body that is
// checked once for each of several targets reports its faults once.
func dedupe(ds []diag.Diagnostic) []diag.Diagnostic {
	type key struct {
		span source.Span
		msg  string
	}
	seen := map[key]bool{}
	var out []diag.Diagnostic
	for _, d := range ds {
		k := key{d.Span, d.Msg}
		if !seen[k] {
			seen[k] = true
			out = append(out, d)
		}
	}
	return out
}
