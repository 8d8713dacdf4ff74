package target

// ResolveOptions are the settings of one run that decide what an attach point
// stands for. The zero value is a run without a process, without unsafe
// targets, on whatever the kernel offers.
type ResolveOptions struct {
	// Pid restricts probes to one process (option -p), but the tracer's own
	// such as begin and interval; 0: all.
	Pid int
	// Cmd tells that the run starts a child (option -c), whose process id is
	// known only later.
	Cmd bool
	// Unsafe allows targets that can harm the traced system.
	Unsafe bool
	// Traceable is the path of a list of kernel functions that may be traced,
	// one "name [module]" a line, in place of available_filter_functions.
	Traceable string
	// DebugDirs are searched for separate debug files.
	DebugDirs []string
	// NoArgs tells that the body of the probe does not use args, so that debug
	// information of user programs need not be read.
	NoArgs bool
	// KernelStack tells that the body of the probe takes kernel stacks, which
	// must begin at the event itself.
	KernelStack bool
	// NoKprobeMulti and NoUprobeMulti avoid features that the kernel may have.
	NoKprobeMulti, NoUprobeMulti bool
	// Warn, if not nil, is told what a wildcard could not look at while it found
	// something elsewhere.
	Warn func(error)
}

// Problem tells Warn, if there is one.
func (o *ResolveOptions) Problem(err error) {
	if o.Warn != nil {
		o.Warn(err)
	}
}
