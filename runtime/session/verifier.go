package session

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/diag"
	"github.com/gotrace/gotrace/lang/source"
)

// loadError turns the error of loading a program into a report about the
// script.
func (s *Session) loadError(p *object.Program, err error) error {
	if short := shortageOf("loading the program of "+p.Targets[0].Name, err); short != nil {
		return short
	}
	list := &diag.List{Files: s.opt.Files}
	var ve *ebpf.VerifierError
	switch {
	case errors.As(err, &ve) && len(ve.Log) > 0 && !errors.Is(err, unix.EPERM):
		s.rejected(list, p, ve)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		if lacks := s.opt.Registry.Lacks(p.Targets[0]); lacks != nil {
			list.Errorf(diag.LoadFailed, p.Span, "can not attach to %s: %v", p.Targets[0].Name, lacks)
			return list
		}
		return s.privilege(p.Span, fmt.Errorf("the kernel refuses to load the program of %s: %w", p.Targets[0].Name, bareErrno(err)))
	default:
		list.Errorf(diag.LoadFailed, p.Span, "the kernel refuses to load the program of %s: %v", p.Targets[0].Name, err)
	}
	return list
}

// rejected reports what the verifier said at the place in the script that the
// instruction it stopped at was made from.
func (s *Session) rejected(list *diag.List, p *object.Program, ve *ebpf.VerifierError) {
	off, sentence := verdict(ve.Log)
	if tooComplex(ve.Log) {
		if at, ok := findLoop(p.Insns); ok {
			off = uint32(at)
		}
	}
	span := p.Span
	if at := spanAt(p.Sources, off); at.IsValid() {
		span = at
	}
	d := list.Errorf(diag.VerifierRejected, span, "the kernel's verifier rejects this part of %s: %s", p.Targets[0].Name, sentence)
	if h := verifierHint(sentence); h != "" {
		d.Hint("%s", h)
	}
	d.Hint("-d verifier shows all that the verifier says")
}

// verdict finds the instruction that the log ends at, by its last line of the
// form "N: (", and the verifier's sentence, which follows it.
func verdict(log []string) (off uint32, sentence string) {
	for i := len(log) - 1; i >= 0; i-- {
		line := strings.TrimSpace(log[i])
		if n, rest, ok := strings.Cut(line, ": ("); ok && rest != "" {
			if v, err := strconv.ParseUint(n, 10, 32); err == nil {
				return uint32(v), sentence
			}
		}
		if line != "" && !strings.HasPrefix(line, "processed ") && !strings.HasPrefix(line, "verification time") {
			sentence = line
		}
	}
	return 0, sentence
}

func spanAt(marks []object.SourcePos, off uint32) source.Span {
	var span source.Span
	for _, m := range marks {
		if m.Off > off {
			break
		}
		span = m.Span
	}
	return span
}

// verifierHint says what to do about the classes of rejection that a script
// can cause.
func verifierHint(sentence string) string {
	switch {
	case isTooComplex(sentence):
		return "the verifier walks every path: use fewer turns, fewer nested conditions or shorter strings"
	case strings.Contains(sentence, "unknown func"), strings.Contains(sentence, "cannot use helper"):
		return "this kernel does not offer the helper to this type of probe, or was built or locked down without it"
	case strings.Contains(sentence, "combined stack size"):
		return "the program needs more than 512 bytes of stack"
	}
	return "this is a bug of gotrace if the script is well-typed; please report it"
}

// tooComplex reports whether the verifier gave up on a program, and where does
// not matter.
func tooComplex(log []string) bool {
	_, sentence := verdict(log)
	return isTooComplex(sentence)
}

func isTooComplex(sentence string) bool {
	return strings.Contains(sentence, "too large") || strings.Contains(sentence, "too complex") || strings.Contains(sentence, "infinite loop")
}

// attachError reports that a program could not be attached.
func (s *Session) attachError(p *object.Program, err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return s.privilege(p.Span, err)
	}
	// ENOSPC is a lack of debug registers, for the script to do with fewer.
	if short := shortageOf("attaching to "+p.Targets[0].Name, err); short != nil && !errors.Is(err, unix.ENOSPC) {
		return short
	}
	list := &diag.List{Files: s.opt.Files}
	d := list.Errorf(diag.AttachFailed, p.Span, "can not %v", err)
	if errors.Is(err, ebpf.ErrNotSupported) {
		d.Hint("this kernel does not support %s probes", p.Targets[0].Provider)
	}
	return list
}

// bareErrno strips what cilium/ebpf adds to EPERM without a log: that the limit
// of locked memory may be too low, which has not mattered since Linux 5.11.
func bareErrno(err error) error {
	var ve *ebpf.VerifierError
	if errors.Is(err, unix.EPERM) && !errors.As(err, &ve) {
		return unix.EPERM
	}
	return err
}

// privilege names what is missing where the kernel refuses for lack of it.
func (s *Session) privilege(span source.Span, err error) error {
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
		return err
	}
	list := &diag.List{Files: s.opt.Files}
	d := list.Errorf(diag.NoPrivilege, span, "%v", err)
	if missing := missingCapabilities(); missing != "" {
		d.Hint("the process lacks %s: run it as root (sudo), or grant them to the program: setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search,cap_syslog=ep FILE", missing)
	} else {
		d.Hint("the kernel refuses this even though the capabilities are there: a lockdown mode, a seccomp filter or a container may be in the way")
	}
	return list
}

// Capability numbers, from include/uapi/linux/capability.h.
const (
	capSysAdmin = 21
	capPerfmon  = 38
	capBPF      = 39
)

// missingCapabilities lists what tracing needs and the process does not have.
// CAP_SYS_ADMIN stands for the others on every kernel.
func missingCapabilities() string {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return ""
	}
	has := func(n int) bool { return data[n/32].Effective>>(n%32)&1 == 1 }
	if has(capSysAdmin) {
		return ""
	}
	var list []string
	if !has(capBPF) {
		list = append(list, "CAP_BPF")
	}
	if !has(capPerfmon) {
		list = append(list, "CAP_PERFMON")
	}
	return strings.Join(list, " and ")
}
