package gotrace

import (
	"errors"
	"io/fs"

	"github.com/gotrace/gotrace/lang/check"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/parse"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/lang/target"
	"github.com/gotrace/gotrace/probes"
	"github.com/gotrace/gotrace/probes/host"
)

// compilation holds the parts of one Compile.
type compilation struct {
	cfg    *Config
	host   *host.Host
	reg    *probes.Registry
	files  *source.Set
	system *system // of Compile only
}

func newCompilation(cfg *Config) *compilation {
	h := cfg.Host
	if h == nil {
		h = host.Live()
	}
	return &compilation{cfg: cfg, host: h, reg: probes.New(h), files: &source.Set{}}
}

func (c *compilation) dump(stage string, text func() string) {
	if c.cfg.Dump != nil {
		c.cfg.Dump(stage, "", text())
	}
}

func (c *compilation) resolveOptions() target.ResolveOptions {
	return target.ResolveOptions{
		Pid: c.cfg.Pid, Cmd: c.cfg.Command, Unsafe: c.cfg.Unsafe, Traceable: c.cfg.Traceable, DebugDirs: c.cfg.DebugDirs,
		NoKprobeMulti: c.cfg.NoKprobeMulti, NoUprobeMulti: c.cfg.NoUprobeMulti,
	}
}

func (c *compilation) env(r check.Resolver) check.Env {
	return check.Env{
		Files: c.files, Kernel: c.host.Kernel(), Resolver: r, System: c.system, Parse: parse.File,
		ReadFile: c.host.ReadFile,
		ReadDir:  func(path string) ([]fs.DirEntry, error) { return c.host.ReadDir(path) },
		WorldWritable: func(path string) bool {
			info, err := c.host.Stat(path)
			return err == nil && info.Mode()&0o002 != 0
		},
		Release: c.host.Release(), TaskBTF: c.features().TaskBTF,
		Params: c.cfg.Args, Options: c.cfg.Options, Settings: c.cfg.Settings,
		Resolve: c.resolveOptions(), Include: c.cfg.Include, IncludeFiles: c.cfg.IncludeFiles,
		HelperErrors: c.cfg.HelperErrors, Unsafe: c.cfg.Unsafe, Mode: check.Mode(c.cfg.Mode), ProbeFilter: c.cfg.ProbeFilter,
	}
}

// resolver is the registry of probes, and what wildcards could not look at, as
// warnings at their places.
type resolver struct {
	reg      *probes.Registry
	problems diag.List
}

// Resolve implements check.Resolver.
func (r *resolver) Resolve(text string, at source.Span, opt target.ResolveOptions) ([]*target.Target, error) {
	opt.Warn = func(err error) {
		d := r.problems.Warnf(diag.MissingProbe, at, "%s may stand for more: %v", text, err)
		var why *target.Error
		if errors.As(err, &why) {
			d.Hints = why.Hints
		}
	}
	return r.reg.Resolve(text, at, opt)
}
