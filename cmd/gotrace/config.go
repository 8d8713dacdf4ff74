package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/gotrace/gotrace"
)

// config makes the configuration of the compiler from the command line and the
// environment.
func (a *app) config() (*gotrace.Config, error) {
	o := a.opt
	pid, err := o.process()
	if err != nil {
		return nil, err
	}
	if pid != 0 {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil {
			return nil, fmt.Errorf("there is no process %d", pid)
		}
	}
	cfg := &gotrace.Config{
		Args: o.params, Options: o.named, Settings: settings(variables(os.Environ())), Unsafe: o.unsafe, HelperErrors: o.warnings > 0,
		Pid: pid, Command: o.hasCommand, Include: o.include, IncludeFiles: o.includeFile, Traceable: o.traceable,
		NoKprobeMulti: strings.Contains(o.noFeature, "kprobe_multi"), NoUprobeMulti: strings.Contains(o.noFeature, "uprobe_multi"),
	}
	if o.debugDirs != "" {
		cfg.DebugDirs = strings.Split(o.debugDirs, ":")
	}
	switch o.mode {
	case "test":
		cfg.Mode = gotrace.ModeTest
	case "bench":
		cfg.Mode = gotrace.ModeBench
	}
	if o.filter != "" {
		re, err := regexp.Compile(o.filter)
		if err != nil {
			return nil, usagef("--probe-filter: %v", err)
		}
		cfg.ProbeFilter = re.MatchString
	}
	if len(o.dump) > 0 {
		cfg.Dump = a.dumper()
	}
	return cfg, nil
}

// settings are the variables that name one, which they do in upper case only.
// Others are not for the compiler, or for another release.
func settings(variables map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range variables {
		if setting := strings.ToLower(name); name == strings.ToUpper(name) && gotrace.IsSetting(setting) {
			out[setting] = value
		}
	}
	return out
}

// variables are BPFTRACE_X and GOTRACE_X by X; the latter win.
func variables(environ []string) map[string]string {
	out := map[string]string{}
	for _, prefix := range []string{"BPFTRACE_", "GOTRACE_"} {
		for _, kv := range environ {
			name, value, _ := strings.Cut(kv, "=")
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				out[rest] = value
			}
		}
	}
	return out
}
