package symbol

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// Mode is the layout of a stack's text (language reference 14.6).
type Mode uint8

const (
	ModeBpftrace Mode = iota // eight spaces, symbol+offset
	ModePerf                 // tab, address, symbol+offset, and the file of user frames
	ModeRaw                  // the address
	ModeBuildID              // build id and file offset; user stacks only
)

// Printer appends addresses and stacks to text. All fields but Mangled are needed by the functions that use them.
type Printer struct {
	Kernel *Kernel
	User   *User
	// Mangled leaves C++ and Rust names as the symbol table has them (cpp_demangle = false).
	Mangled bool
}

// AppendKernelStack appends the text of a kernel stack, innermost frame first: an empty line, then one line a frame. A frame without a
// symbol shows its address. ModeBuildID is not defined for the kernel and prints as ModeRaw.
func (p *Printer) AppendKernelStack(dst []byte, mode Mode, addrs []uint64) []byte {
	dst = append(dst, '\n')
	for _, addr := range addrs {
		switch mode {
		case ModeBpftrace:
			dst = append(dst, frameIndent...)
		case ModePerf:
			dst = append(dst, '\t')
			dst = append(appendHex16(dst, addr), ' ')
		default:
			dst = append(appendHex16(dst, addr), '\n')
			continue
		}
		s, ok := p.Kernel.Lookup(addr)
		dst = append(p.appendFrame(dst, s, ok, addr), '\n')
	}
	return dst
}

// AppendUserStack appends the text of a user stack in one of the modes but ModeBuildID, as AppendKernelStack does.
func (p *Printer) AppendUserStack(dst []byte, mode Mode, proc Process, addrs []uint64) []byte {
	dst = append(dst, '\n')
	if mode != ModeBpftrace && mode != ModePerf {
		for _, addr := range addrs {
			dst = append(strconv.AppendUint(dst, addr, 16), '\n')
		}
		return dst
	}
	symbols := p.User.LookupAll(proc, addrs)
	for i, addr := range addrs {
		s := symbols[i]
		ok := s.Name != ""
		if mode == ModeBpftrace {
			dst = p.appendFrame(append(dst, frameIndent...), s, ok, addr)
		} else {
			dst = append(strconv.AppendUint(append(dst, '\t'), addr, 16), ' ')
			dst = p.appendFrame(dst, s, ok, addr)
			dst = appendFile(dst, s, ok)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// frameIndent stands in front of frames in ModeBpftrace, wherever the stack is printed.
const frameIndent = "        "

func (p *Printer) appendFrame(dst []byte, s Symbol, ok bool, addr uint64) []byte {
	if !ok {
		return appendAddress(dst, addr)
	}
	dst = append(p.appendName(dst, s), '+')
	return strconv.AppendUint(dst, s.Offset, 10)
}

// appendFile names the file of a frame only when the symbol is known, as bpftrace does.
func appendFile(dst []byte, s Symbol, ok bool) []byte {
	if !ok {
		return append(dst, " ([unknown])"...)
	}
	dst = append(dst, " ("...)
	return append(appendClean(dst, s.File), ')')
}

func (p *Printer) appendName(dst []byte, s Symbol) []byte {
	if p.Mangled {
		return appendClean(dst, s.Name)
	}
	return appendClean(dst, Demangle(s.Name))
}

// AppendKernelSymbol appends the name at a kernel address without offset, or the address in hexadecimal: ksym(), func.
func (p *Printer) AppendKernelSymbol(dst []byte, addr uint64) []byte {
	s, ok := p.Kernel.Lookup(addr)
	if !ok {
		return appendAddress(dst, addr)
	}
	return p.appendName(dst, s)
}

// AppendUserSymbol appends the name at a user address without offset, or the address in hexadecimal: usym(), func.
func (p *Printer) AppendUserSymbol(dst []byte, proc Process, addr uint64) []byte {
	s, ok := p.User.Lookup(proc, addr)
	if !ok {
		return appendAddress(dst, addr)
	}
	return p.appendName(dst, s)
}

// buildIDFrameSize is the size in bytes of the kernel's struct bpf_stack_build_id.
const buildIDFrameSize = 32

// Layout of struct bpf_stack_build_id in include/uapi/linux/bpf.h: an int status, the build id, and the file offset or the address.
const (
	buildIDBytes  = 4
	buildIDOffset = 24
	buildIDEmpty  = 0
	buildIDValid  = 1
)

// AppendBuildIDStack appends the text of a user stack that the kernel collected with BPF_F_USER_BUILD_ID: frames is an array of struct
// bpf_stack_build_id in the byte order of the machine. It ends at the first empty frame; trailing bytes that are no whole frame are
// ignored. A frame whose file has no build id shows its address without a prefix.
func AppendBuildIDStack(dst, frames []byte) []byte {
	dst = append(dst, '\n')
	for ; len(frames) >= buildIDFrameSize; frames = frames[buildIDFrameSize:] {
		status := binary.NativeEndian.Uint32(frames)
		if status == buildIDEmpty {
			break
		}
		where := binary.NativeEndian.Uint64(frames[buildIDOffset:])
		if status == buildIDValid {
			dst = hex.AppendEncode(dst, frames[buildIDBytes:buildIDOffset])
			dst = append(dst, " 0x"...)
		}
		dst = append(strconv.AppendUint(dst, where, 16), '\n')
	}
	return dst
}

// appendAddress writes an address in place of a symbol: "0x" and hexadecimal digits, zero as a bare "0".
func appendAddress(dst []byte, addr uint64) []byte {
	if addr != 0 {
		dst = append(dst, "0x"...)
	}
	return strconv.AppendUint(dst, addr, 16)
}

func appendHex16(dst []byte, v uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[v>>shift&15])
	}
	return dst
}

// appendClean replaces control characters: names come from files that anybody may write, the text may go to a terminal.
func appendClean(dst []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if c < ' ' || c == 0x7f {
			c = '?'
		}
		dst = append(dst, c)
	}
	return dst
}
