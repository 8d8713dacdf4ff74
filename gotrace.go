package gotrace

import (
	"path/filepath"
	"strings"

	"github.com/gotrace/gotrace/codegen"
	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/check"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/format"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/probes"
	"github.com/gotrace/gotrace/probes/host"
)

// Version is the version of the language and the API.
const Version = "0.1.0"

// OptLevel is how much is done for the speed of the programs.
type OptLevel uint8

// The levels. The zero value is full optimisation.
const (
	OptFull OptLevel = iota
	OptNone          // only what the kernel needs
)

// Mode says which probes of a script take part.
type Mode uint8

// The modes.
const (
	ModeTrace Mode = iota // all but test: and bench: probes
	ModeTest              // test: probes only
	ModeBench             // bench: probes only
)

// Config holds what a compilation depends on besides the source. The zero
// value, and nil, compile for the running machine with full optimisation.
type Config struct {
	// Host is the machine to compile for; nil: the running one.
	Host *host.Host
	// Args are the positional parameters of the script, from $1 on.
	Args []string
	// Options are the named parameters, --name or --name=value.
	Options []string
	// Opt is how much is done for the speed of the programs, Mode which probes
	// take part.
	Opt  OptLevel
	Mode Mode
	// Settings are settings of the config block by name, such as max_strlen;
	// they win over the script's. One that IsSetting does not know is an error.
	Settings map[string]string
	// Unsafe allows functions and targets that can harm the machine.
	Unsafe bool
	// HelperErrors has the run report helpers of the kernel that fail.
	HelperErrors bool
	// Pid restricts user probes to a process; the run ends with it.
	Pid int
	// Command tells that RunOptions.Command will be given, to which user, profile,
	// software and hardware probes are restricted. Start demands that both agree.
	Command bool
	// Include are directories that are searched for headers of C definitions,
	// IncludeFiles headers that the script is to include besides its own.
	Include, IncludeFiles []string
	// DebugDirs are searched for separate debug files, before /usr/lib/debug.
	DebugDirs []string
	// Traceable is a file with the kernel functions that may be traced, one a
	// line; "": the kernel's own list, available_filter_functions.
	Traceable string
	// NoKprobeMulti and NoUprobeMulti attach by an event for each function, also
	// where the kernel has links for many (kprobe_multi since Linux 5.18,
	// uprobe_multi since 6.6).
	NoKprobeMulti, NoUprobeMulti bool
	// ProbeFilter chooses tests and benchmarks by name; nil: all.
	ProbeFilter func(name string) bool
	// Dump, if not nil, gets the text of a stage: "ast", "types", "ir", "ir=PASS"
	// for each of Passes that changed something, "lower", "regalloc", "asm".
	Dump func(stage, probe, text string)
}

// IsSetting reports whether Config.Settings may have this name.
func IsSetting(name string) bool { return check.IsSetting(name) }

// Passes returns the names of the optimiser's passes, for Config.Dump.
func Passes() []string { return codegen.Passes() }

// Program is a compiled script. It is immutable and safe for concurrent use.
type Program struct {
	obj     *object.Object
	files   *source.Set
	list    *diag.List
	host    *host.Host
	reg     *probes.Registry
	resolve target.ResolveOptions
	mode    Mode
	help    string
}

// Compile compiles the script src. name is its path, for messages; relative
// imports start at its directory. A script that is no file may have any name,
// such as "stdin", in the directory that it stands for. If the script is at
// fault the error is a *DiagnosticList.
func Compile(name, src string, cfg *Config) (*Program, error) {
	if cfg == nil {
		cfg = &Config{}
	}
	c := newCompilation(cfg)
	var err error
	if c.system, err = newSystem(c.host, cfg.DebugDirs); err != nil {
		return nil, err
	}
	tree, list := parse.File(c.files, c.files.Add(name, filepath.Dir(c.host.Abs(name)), src))
	if list.HasErrors() {
		return nil, list
	}
	c.dump("ast", func() string { return ast.Dump(tree) })
	resolver := &resolver{reg: c.reg}
	checked, list := check.Script(tree, c.env(resolver))
	list.Diags = append(list.Diags, resolver.problems.Diags...)
	if checked == nil {
		return nil, list
	}
	c.dump("types", func() string { return typed.Dump(checked) })
	obj, err := codegen.Compile(checked, c.target(), c.codegenOptions())
	if err != nil {
		return nil, err
	}
	return &Program{
		help: helpText(checked.Options), obj: obj, files: c.files, list: list, host: c.host, reg: c.reg, resolve: c.resolveOptions(), mode: cfg.Mode,
	}, nil
}

// Object returns the compiled programs and maps. It must not be changed.
func (p *Program) Object() *object.Object { return p.obj }

// Warnings returns what the compiler has to say about a script that it
// accepts.
func (p *Program) Warnings() *DiagnosticList { return p.list }

// Targets returns the attach points of the script by their full names, in the
// order of the script.
func (p *Program) Targets() []*target.Target {
	var list []*target.Target
	for _, prog := range p.obj.Programs {
		list = append(list, prog.Targets...)
	}
	return list
}

// HelpText describes the named parameters of the script, "" if it has none.
func (p *Program) HelpText() string { return p.help }

// helpText describes named parameters, one a line.
func helpText(list []typed.Option) string {
	var b strings.Builder
	for _, o := range list {
		b.WriteString("--" + o.Name)
		if o.Text != "" {
			b.WriteString(": " + o.Text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Format returns the script in the canonical layout. The error is a
// *DiagnosticList if src can not be parsed.
func Format(name, src string) ([]byte, error) {
	set := &source.Set{}
	tree, list := parse.File(set, set.Add(name, "", src))
	if list.HasErrors() {
		return nil, list
	}
	return format.Source(tree), nil
}
