package main

import (
	"fmt"
	"strconv"
	"strings"
)

// options is the command line.
type options struct {
	program    string
	hasProgram bool
	file       string // "-" is standard input
	params     []string
	named      []string

	list        bool
	pattern     string
	verbose     int
	help        bool
	version     bool
	info        bool
	pid         string
	command     string
	hasCommand  bool
	debugDirs   string
	output      string
	format      string
	buffering   string
	quiet       bool
	warnings    int
	noWarnings  bool
	include     []string
	includeFile []string
	traceable   string
	unsafe      bool
	noFeature   string
	mode        string
	filter      string
	dryRun      bool
	dump        []string
}

// usageError is a fault in the command line.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// flag is one option. Exactly one of the setters is not nil.
type flag struct {
	long, short string
	arg         string // name of the argument in the help, "" without one
	optional    bool   // the argument may be left out
	help        string
	set         func(o *options, value string) error
}

// text, on and mode make setters for common cases.
func text(to func(*options) *string) func(*options, string) error {
	return func(o *options, v string) error { *to(o) = v; return nil }
}

func on(to func(*options) *bool) func(*options, string) error {
	return func(o *options, _ string) error { *to(o) = true; return nil }
}

func mode(name string) func(*options, string) error {
	return func(o *options, _ string) error { return o.setMode(name) }
}

func (o *options) setMode(name string) error {
	switch name {
	case "test", "bench", "format", "codegen":
	case "compiler-bench":
		return usagef("--mode compiler-bench is not supported by gotrace")
	default:
		return usagef("unknown --mode %q: use codegen, bench, test or format", name)
	}
	if o.mode != "" && o.mode != name {
		return usagef("--%s conflicts with --%s", name, o.mode)
	}
	o.mode = name
	return nil
}

func refused(name, why string) func(*options, string) error {
	return func(*options, string) error { return usagef("%s is not supported by gotrace: %s", name, why) }
}

// flags is the table of options, in the order of the help.
func flags() []flag {
	return []flag{
		{short: "e", arg: "PROGRAM", help: "run this program", set: func(o *options, v string) error { o.program, o.hasProgram = v, true; return nil }},
		{long: "list", short: "l", arg: "PATTERN", optional: true, help: "list probes; with -v their arguments", set: on(func(o *options) *bool { return &o.list })},
		{long: "verbose", short: "v", help: "more messages", set: func(o *options, _ string) error { o.verbose++; return nil }},
		{long: "help", short: "h", help: "show this help", set: on(func(o *options) *bool { return &o.help })},
		{long: "version", short: "V", help: "show the version", set: on(func(o *options) *bool { return &o.version })},
		{long: "info", help: "show what the system supports", set: on(func(o *options) *bool { return &o.info })},
		{long: "pid", short: "p", arg: "PID", help: "trace only this process, but with the begin, end and interval probes; ends with it", set: text(func(o *options) *string { return &o.pid })},
		{long: "cmd", short: "c", arg: "COMMAND", help: "run a command and trace until it ends; user, profile, software and hardware probes only in it; split at blanks, quotes have no meaning", set: func(o *options, v string) error { o.command, o.hasCommand = v, true; return nil }},
		{long: "dwarf-pid", arg: "PID", help: "not supported", set: refused("--dwarf-pid", "it has no dw_ustack")},
		{long: "usdt-file-activation", help: "always so: the kernel raises semaphores in all processes of the file", set: func(*options, string) error { return nil }},
		{long: "output", short: "o", arg: "FILE", help: "write output to a file", set: text(func(o *options) *string { return &o.output })},
		{short: "f", arg: "FORMAT", help: "output format: text or json", set: text(func(o *options) *string { return &o.format })},
		{short: "B", arg: "MODE", help: "buffering: line, full or none", set: text(func(o *options) *string { return &o.buffering })},
		{long: "quiet", short: "q", help: "do not say how many probes are attached", set: on(func(o *options) *bool { return &o.quiet })},
		{long: "warnings", short: "k", help: "warn about failed helpers", set: func(o *options, _ string) error { o.warnings++; return nil }},
		{long: "no-warnings", help: "no warnings", set: on(func(o *options) *bool { return &o.noWarnings })},
		{short: "I", arg: "DIR", help: "search this directory for headers", set: func(o *options, v string) error { o.include = append(o.include, v); return nil }},
		{long: "include", arg: "FILE", help: "include this header", set: func(o *options, v string) error { o.includeFile = append(o.includeFile, v); return nil }},
		{long: "debuginfo", arg: "DIR[:DIR]", help: "search these directories for debug files", set: text(func(o *options) *string { return &o.debugDirs })},
		{long: "traceable-functions", arg: "FILE", help: "kernel functions that may be traced", set: text(func(o *options) *string { return &o.traceable })},
		{long: "unsafe", help: "allow unsafe functions and targets", set: on(func(o *options) *bool { return &o.unsafe })},
		{long: "no-feature", arg: "F[,F]", help: "do without kprobe_multi, kprobe_session, uprobe_multi", set: text(func(o *options) *string { return &o.noFeature })},
		{long: "mode", arg: "MODE", help: "codegen, bench, test or format", set: func(o *options, v string) error { return o.setMode(v) }},
		{long: "test", help: "run the test probes", set: mode("test")},
		{long: "bench", help: "run the bench probes", set: mode("bench")},
		{long: "fmt", help: "print the program in the canonical layout", set: mode("format")},
		{long: "probe-filter", arg: "REGEX", help: "only tests and benchmarks of this name", set: text(func(o *options) *string { return &o.filter })},
		{long: "dry-run", help: "attach everything, run nothing, leave", set: on(func(o *options) *bool { return &o.dryRun })},
		{long: "debug", short: "d", arg: "STAGE", help: "dump a stage: " + stageNames(), set: func(o *options, v string) error { o.dump = append(o.dump, strings.Split(v, ",")...); return nil }},
		{long: "emit-elf", arg: "FILE", help: "not supported", set: refused("--emit-elf", "objects are not written yet")},
		{long: "emit-llvm", arg: "FILE", help: "not supported", set: refused("--emit-llvm", "it does not use LLVM")},
		{long: "verify-llvm-ir", help: "no effect", set: func(*options, string) error { return nil }},
		{long: "aot", arg: "FILE", help: "not supported", set: refused("--aot", "it starts in milliseconds without")},
		{long: "btf", short: "b", help: "no effect", set: func(*options, string) error { return nil }},
	}
}

// parser reads a command line, options and operands in any order.
type parser struct {
	table []flag
	opt   *options
	args  []string
}

// parseArgs reads the command line. Behind "--" stand the parameters of the
// script: named ones, and positional ones between them.
func parseArgs(args []string) (*options, error) {
	p := &parser{table: flags(), opt: &options{}, args: args}
	for len(p.args) > 0 {
		a := p.args[0]
		p.args = p.args[1:]
		var err error
		switch {
		case a == "--":
			p.rest()
		case strings.HasPrefix(a, "--"):
			err = p.long(a[2:])
		case len(a) > 1 && a[0] == '-':
			err = p.short(a[1:])
		default:
			p.operand(a)
		}
		if err != nil {
			return nil, err
		}
	}
	return p.opt, p.opt.check()
}

func (p *parser) rest() {
	for _, a := range p.args {
		if strings.HasPrefix(a, "--") {
			p.opt.named = append(p.opt.named, a)
		} else {
			p.operand(a)
		}
	}
	p.args = nil
}

// operand is the file, if no program was given, else a positional parameter.
func (p *parser) operand(a string) {
	p.opt.params = append(p.opt.params, a)
}

func (p *parser) long(name string) error {
	name, value, has := strings.Cut(name, "=")
	var found []flag
	for _, f := range p.table {
		if f.long == name && name != "" {
			found = []flag{f}
			break
		}
		if f.long != "" && strings.HasPrefix(f.long, name) {
			found = append(found, f)
		}
	}
	switch {
	case len(found) == 0:
		return usagef("unknown option --%s", name)
	case len(found) > 1:
		return usagef("option --%s is ambiguous: --%s or --%s", name, found[0].long, found[1].long)
	}
	return p.apply(found[0], "--"+found[0].long, value, has)
}

func (p *parser) short(letters string) error {
	for i := 0; i < len(letters); i++ {
		name := letters[i : i+1]
		f, ok := p.byLetter(name)
		if !ok {
			return usagef("unknown option -%s", name)
		}
		if f.arg == "" || f.optional {
			if err := p.apply(f, "-"+name, "", false); err != nil {
				return err
			}
			continue
		}
		rest := letters[i+1:]
		return p.apply(f, "-"+name, rest, rest != "")
	}
	return nil
}

func (p *parser) byLetter(name string) (flag, bool) {
	for _, f := range p.table {
		if f.short == name {
			return f, true
		}
	}
	return flag{}, false
}

func (p *parser) apply(f flag, name, value string, has bool) error {
	switch {
	case f.arg == "" && has:
		return usagef("option %s takes no argument", name)
	case f.optional:
		if has {
			p.opt.pattern = value
		}
		return f.set(p.opt, value)
	case f.arg != "" && !has:
		if len(p.args) == 0 {
			return usagef("option %s needs an argument: %s", name, f.arg)
		}
		value, p.args = p.args[0], p.args[1:]
	}
	return f.set(p.opt, value)
}

// check finds combinations that make no sense and sorts the operands.
func (o *options) check() error {
	if o.help || o.version || o.info {
		return nil
	}
	if !o.hasProgram && len(o.params) > 0 && !(o.list && o.pattern != "") {
		o.file, o.params = o.params[0], o.params[1:]
		if o.list && !looksLikeFile(o.file) {
			o.pattern, o.file = o.file, ""
			if len(o.params) > 0 {
				return usagef("-l takes one pattern")
			}
		}
	}
	switch {
	case o.hasCommand && o.pid != "":
		return usagef("the options -c and -p conflict: they can not be used together")
	case o.warnings > 1:
		return usagef("-kk is not supported any more; use -k")
	case o.warnings > 0 && o.noWarnings:
		return usagef("-k conflicts with --no-warnings")
	case o.hasCommand && strings.TrimSpace(o.command) == "":
		return usagef("option -c needs a command")
	}
	if err := oneOf("-f", o.format, "text", "json"); err != nil {
		return err
	}
	if err := oneOf("-B", o.buffering, "line", "full", "none"); err != nil {
		return err
	}
	for _, f := range strings.Split(o.noFeature, ",") {
		if err := oneOf("--no-feature", f, "kprobe_multi", "kprobe_session", "uprobe_multi"); err != nil {
			return err
		}
	}
	return o.checkStages()
}

// optionWord names an option in messages.
func optionWord(name string) string {
	switch name {
	case "-f":
		return "output format (-f)"
	case "-B":
		return "buffering mode (-B)"
	}
	return "value for " + name
}

func oneOf(name, value string, allowed ...string) error {
	if value == "" {
		return nil
	}
	for _, a := range allowed {
		if a == value {
			return nil
		}
	}
	return usagef("invalid %s %q: use %s", optionWord(name), value, strings.Join(allowed, ", "))
}

// process returns the number of option -p, 0 without one.
func (o *options) process() (int, error) {
	if o.pid == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(o.pid, 10, 32)
	switch {
	case err != nil:
		return 0, usagef("failed to parse pid: %q is not a valid number", o.pid)
	case n == 0 || n > 0x400000: // PID_MAX_LIMIT of include/linux/threads.h
		return 0, usagef("pid %s is out of valid pid range [1,4194304]", o.pid)
	}
	return int(n), nil
}

// helpText is the table of options.
func helpText() string {
	var b strings.Builder
	b.WriteString("Usage: gotrace [options] FILE [parameters]\n       gotrace [options] -e 'program' [parameters]\n       gotrace [options] - [parameters]\n\nOptions:\n")
	for _, f := range flags() {
		names := ""
		if f.short != "" {
			names = "-" + f.short
		}
		if f.long != "" {
			if names != "" {
				names += ", "
			}
			names += "--" + f.long
		}
		if f.arg != "" {
			names += " " + f.arg
		}
		fmt.Fprintf(&b, "  %-32s %s\n", names, f.help)
	}
	b.WriteString("\nExamples:\n  gotrace -l 'tracepoint:syscalls:sys_enter_open*'\n  gotrace -e 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'\n")
	return b.String()
}
