package vmtest

import (
	"cmp"
	"fmt"
	"os"
	"strings"
)

// unmet returns the first requirement that a kernel does not meet, or "". It
// looks at what the kernel is built with, never at what happens to work: if
// something fails on a kernel that has the feature, the case must fail.
func (c *testCase) unmet(kernel *Kernel) (string, error) {
	options, err := buildOptions(kernel)
	if err != nil {
		return "", err
	}
	for _, requirement := range c.requires {
		name, negated := strings.CutPrefix(requirement, "!")
		has, err := feature(kernel, options, name)
		if err != nil {
			return "", err
		}
		if has == negated {
			return requirement, nil
		}
	}
	return "", nil
}

// feature answers whether a kernel has what a case requires: "kernel>=6.1", a
// build option such as "CONFIG_FPROBE" (built in) or "CONFIG_VIRTIO=m", or one
// of the names below.
func feature(kernel *Kernel, options map[string]string, name string) (bool, error) {
	built := func(option string) bool { return options[option] == "y" }
	if version, ok := strings.CutPrefix(name, "kernel>="); ok {
		var major, minor int
		if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n != 2 {
			return false, fmt.Errorf("bad requirement %q", name)
		}
		return atLeast(kernel, major, minor), nil
	}
	if strings.HasPrefix(name, "CONFIG_") {
		option, value, ok := strings.Cut(name, "=")
		return built(option) && !ok || ok && options[option] == value, nil
	}
	switch name {
	case "fentry":
		return built("CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS") && built("CONFIG_DEBUG_INFO_BTF"), nil
	case "kprobe_multi":
		return built("CONFIG_FPROBE") && atLeast(kernel, 5, 18), nil
	case "module_btf":
		return built("CONFIG_DEBUG_INFO_BTF_MODULES"), nil
	}
	return false, fmt.Errorf("unknown requirement %q", name)
}

// buildOptions reads the kernel's build configuration: "CONFIG_X" to "y", "m" or
// another value. Options that are not set are absent.
func buildOptions(k *Kernel) (map[string]string, error) {
	text, err := os.ReadFile(k.Config)
	if err != nil {
		return nil, err
	}
	options := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.HasPrefix(key, "CONFIG_") {
			options[key] = value
		}
	}
	return options, nil
}

// atLeast tells whether the kernel's version is not below major.minor.
func atLeast(k *Kernel, major, minor int) bool {
	var haveMajor, haveMinor int
	if n, _ := fmt.Sscanf(k.Release, "%d.%d", &haveMajor, &haveMinor); n != 2 {
		return false
	}
	return cmp.Or(cmp.Compare(haveMajor, major), cmp.Compare(haveMinor, minor)) >= 0
}
