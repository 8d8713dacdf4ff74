package check

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gotrace/gotrace/lang/ast"
	"github.com/gotrace/gotrace/lang/config"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// policy says what the use of an unstable feature leads to.
type policy uint8

const (
	allow policy = iota
	warn
	refuse
)

// unstable holds the policies of the unstable_* settings.
type unstable map[string]policy

// settingNames are the settings of language reference, section 12, in its
// order, without the unstable ones.
func settingNames() []string {
	return []string{
		"cache_user_symbols", "cpp_demangle", "lazy_symbolication", "license", "log_size", "max_bpf_progs", "max_cat_bytes",
		"max_map_keys", "max_probes", "max_strlen", "missing_probes", "on_stack_limit", "perf_rb_pages", "print_maps_on_exit",
		"show_debug_info", "stack_mode", "str_trunc_trailer", "use_blazesym",
	}
}

// setting is one assignment, wherever it comes from.
type setting struct {
	name   string
	text   string // the value as text
	number bool   // an integer literal in the block
	span   source.Span
	quoted bool
}

// configure applies the config block, then the settings from outside, which win.
func (c *checker) configure(s *ast.Script) {
	c.unstab = unstable{"dw_ustack": warn, "tseries": warn, "import_statement": refuse, "typeinfo": refuse}
	if s.Config != nil {
		for _, st := range s.Config.Settings {
			c.applySetting(readSetting(st))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.env.Settings)) {
		st := setting{name: name, text: c.env.Settings[name]}
		if IsSetting(name) {
			c.applySetting(st)
		} else {
			c.errSetting(st, "unknown")
		}
	}
}

// IsSetting tells the settings that may come from outside: only those with
// their current names.
func IsSetting(name string) bool {
	return slices.Contains(settingNames(), name) || strings.HasPrefix(name, "unstable_")
}

func readSetting(st *ast.Setting) setting {
	name := strings.TrimPrefix(strings.ToLower(st.Name.Name), "bpftrace_")
	out := setting{name: name, span: st.Pos()}
	switch v := st.Value.(type) {
	case *ast.IntLit:
		out.text, out.number = strconv.FormatUint(v.Value, 10), true
	case *ast.StrLit:
		out.text, out.quoted = v.Value, true
	case *ast.BoolLit:
		out.text = strconv.FormatBool(v.Value)
	case *ast.Ident:
		out.text = v.Name
	}
	return out
}

// renamed maps old names of settings to the new ones.
func renamed(name string) (string, bool) {
	switch name {
	case "strlen":
		return "max_strlen", true
	case "map_keys_max":
		return "max_map_keys", true
	case "cat_bytes_max":
		return "max_cat_bytes", true
	case "no_cpp_demangle":
		return "cpp_demangle", true
	}
	return name, false
}

// withoutEffect lists settings that are accepted and do nothing.
func withoutEffect(name string) bool {
	switch name {
	case "symbol_source", "max_type_res_iterations", "unstable_addr", "unstable_import", "unstable_macro", "unstable_map_decl":
		return true
	}
	return false
}

func environmentOnly(name string) bool {
	switch name {
	case "btf", "kernel_build", "kernel_source", "vmlinux":
		return true
	}
	return false
}

func (c *checker) applySetting(s setting) {
	if s.span.IsValid() && environmentOnly(s.name) {
		c.diags.Errorf(diag.BadConfig, s.span, "%s can only be set as an environment variable", s.name)
		return
	}
	if withoutEffect(s.name) {
		c.diags.Warnf(diag.Deprecated, s.span, "%s is deprecated and has no effect", s.name)
		return
	}
	if to, old := renamed(s.name); old {
		c.diags.Warnf(diag.Deprecated, s.span, "%s is deprecated, use %s", s.name, to)
		s.name = to
	}
	if name, ok := strings.CutPrefix(s.name, "unstable_"); ok {
		c.applyPolicy(name, s)
		return
	}
	if want := setConfig(&c.cfg, s); want != "" {
		c.errSetting(s, want)
		return
	}
	if s.name == "show_debug_info" && c.cfg.ShowDebugInfo {
		c.diags.Warnf(diag.Ignored, s.span, "show_debug_info has no effect: stacks are printed without source files and lines")
	}
}

func (c *checker) errSetting(s setting, want string) {
	if want == "unknown" {
		d := c.diags.Errorf(diag.BadConfig, s.span, "Unrecognized config variable: %s", s.name)
		if near := c.nearest(s.name, slices.Values(settingNames())); near != "" {
			d.Hint("did you mean %s?", near)
		}
		return
	}
	c.diags.Errorf(diag.BadConfig, s.span, "Invalid value for %s: '%s'. Expected %s", s.name, s.text, want)
}

func (c *checker) applyPolicy(name string, s setting) {
	if _, ok := c.unstab[name]; !ok {
		c.errSetting(s, "unknown")
		return
	}
	switch s.text {
	case "enable", "1", "true":
		c.unstab[name] = allow
	case "warn":
		c.unstab[name] = warn
	case "error", "0", "false":
		c.unstab[name] = refuse
	default:
		c.errSetting(s, "enable, warn or error")
	}
}

// unstable reports the use of an unstable feature and tells whether to go on.
func (c *checker) unstable(name string, sp source.Span) bool {
	switch c.unstab[name] {
	case warn:
		c.diags.Warnf(diag.Unstable, sp, "Script is using an unstable feature: %s", name).
			Hint("set unstable_%s=enable to hide this", name)
	case refuse:
		c.diags.Errorf(diag.Unstable, sp, "Script is using an unstable feature: %s", name).
			Hint("set unstable_%s=enable to use it", name)
		return false
	}
	return true
}

// maxStrlen is the largest string in bytes: what looks for something in one
// takes eight bytes a turn, and loops make 2^23 turns (BPF_MAX_LOOPS).
const maxStrlen = 64 << 20

// setConfig sets one field and returns what was expected if the value is bad.
func setConfig(cfg *config.Config, s setting) string {
	if p := intSetting(cfg, s.name); p != nil {
		n, err := strconv.ParseUint(s.text, 0, 31)
		if err != nil {
			return "a non-negative integer"
		}
		if s.name == "max_strlen" && n > maxStrlen {
			return "at most " + itoa(maxStrlen)
		}
		*p = int(n)
		return ""
	}
	if p := boolSetting(cfg, s.name); p != nil {
		switch s.text {
		case "true", "1":
			*p = true
		case "false", "0":
			*p = false
		default:
			return "true or false"
		}
		return ""
	}
	return setText(cfg, s)
}

func intSetting(cfg *config.Config, name string) *int {
	switch name {
	case "log_size":
		return &cfg.LogSize
	case "max_bpf_progs":
		return &cfg.MaxBPFProgs
	case "max_cat_bytes":
		return &cfg.MaxCatBytes
	case "max_map_keys":
		return &cfg.MaxMapKeys
	case "max_probes":
		return &cfg.MaxProbes
	case "max_strlen":
		return &cfg.MaxStrlen
	case "on_stack_limit":
		return &cfg.OnStackLimit
	case "perf_rb_pages":
		return &cfg.PerfRBPages
	}
	return nil
}

func boolSetting(cfg *config.Config, name string) *bool {
	switch name {
	case "cpp_demangle":
		return &cfg.CppDemangle
	case "lazy_symbolication":
		return &cfg.LazySymbols
	case "print_maps_on_exit":
		return &cfg.PrintMapsOnExit
	case "show_debug_info":
		return &cfg.ShowDebugInfo
	case "use_blazesym":
		return &cfg.UseBlazesym
	}
	return nil
}

func licenses() []string {
	return []string{"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"}
}

func setText(cfg *config.Config, s setting) string {
	switch s.name {
	case "license":
		if !slices.Contains(licenses(), s.text) {
			return "one of " + strings.Join(licenses(), ", ")
		}
		cfg.License = s.text
	case "missing_probes":
		if !slices.Contains([]string{"error", "warn", "ignore"}, s.text) {
			return "error, warn or ignore"
		}
		cfg.MissingProbes = s.text
	case "stack_mode":
		m, ok := parseStackMode(s.text)
		if !ok {
			return "bpftrace, perf, raw or build_id"
		}
		cfg.StackMode = m
	case "str_trunc_trailer":
		cfg.StrTruncTrailer = s.text
	case "cache_user_symbols":
		switch s.text {
		case "PER_PID", "PER_PROGRAM", "NONE":
			cfg.CacheUserSymbols = s.text
		case "0":
			cfg.CacheUserSymbols = "NONE"
		case "1":
			cfg.CacheUserSymbols = ""
		default:
			return "PER_PID, PER_PROGRAM or NONE"
		}
	default:
		return "unknown"
	}
	return ""
}

// configRecord is `config` as an expression: a record of the settings.
func (c *checker) configRecord(sp source.Span) operand {
	names := settingNames()
	elems := make([]operand, len(names))
	for i, n := range names {
		elems[i] = c.settingValue(n, sp)
	}
	return c.tupleOf(names, elems, node(nil, sp))
}

func (c *checker) settingValue(name string, sp source.Span) operand {
	if p := intSetting(&c.cfg, name); p != nil {
		return intLit(uint64(*p), false, sp)
	}
	if p := boolSetting(&c.cfg, name); p != nil {
		return boolConst(*p, sp)
	}
	text := map[string]string{
		"license": c.cfg.License, "missing_probes": c.cfg.MissingProbes, "stack_mode": c.cfg.StackMode.String(),
		"str_trunc_trailer": c.cfg.StrTruncTrailer, "cache_user_symbols": c.cfg.CacheUserSymbols,
	}[name]
	return strLit(text, sp)
}
