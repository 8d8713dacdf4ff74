package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/object"
	"github.com/gotrace/gotrace/lang/source"
	"github.com/gotrace/gotrace/probes"
)

// raiseMemlock lifts the bound on locked memory, which maps and programs count
// in before Linux 5.11 and whose default is far too small.
func (s *Session) raiseMemlock() error {
	if s.opt.Host.Features().Release().AtLeast(5, 11) {
		return nil
	}
	err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	if err != nil {
		return s.privilege(source.Span{}, fmt.Errorf("raising the limit of locked memory: %w", err))
	}
	return nil
}

func (s *Session) createMaps() error {
	for _, m := range s.obj.Maps {
		km, err := s.createMap(m)
		if errors.Is(err, unix.EPERM) {
			err = unix.EPERM // the library guesses at reasons that do not apply
		}
		if err != nil {
			return s.privilege(m.Span, fmt.Errorf("creating map %s: %w", m.Name, err))
		}
		s.maps[m.Name] = km
	}
	return nil
}

func (s *Session) createMap(m *object.Map) (*ebpf.Map, error) {
	spec := &ebpf.MapSpec{
		Name: mapName(m.Name), Type: m.Type, KeySize: uint32(m.KeySize), ValueSize: uint32(m.ValueSize),
		MaxEntries: uint32(m.MaxEntries), Flags: m.Flags,
	}
	if m.Role == object.RoleRing {
		spec.MaxEntries = s.ringBytes()
	}
	if m.Data != nil {
		spec.Contents = []ebpf.MapKV{{Key: uint32(0), Value: m.Data}}
	}
	km, err := ebpf.NewMap(spec)
	if err != nil || m.Data == nil {
		return km, err
	}
	if err := km.Freeze(); err != nil {
		km.Close()
		return nil, err
	}
	return km, nil
}

// mapName is a name that the kernel takes: letters, digits, dots and
// underscores, which the library cuts to 15.
func mapName(name string) string {
	out := []byte("gt_")
	for i := 0; i < len(name); i++ {
		if c := name[i]; c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			out = append(out, c)
		}
	}
	return string(out)
}

// setParams fills the values that programs read of the run.
func (s *Session) setParams() error {
	m := s.byRole(object.RoleParams)
	if m == nil {
		return nil
	}
	boot, err := clock(unix.CLOCK_BOOTTIME)
	if err != nil {
		return err
	}
	wall, err := clock(unix.CLOCK_REALTIME)
	if err != nil {
		return err
	}
	raw := make([]byte, m.ValueSize())
	put := func(off int, n uint64) {
		if off+8 <= len(raw) {
			binary.NativeEndian.PutUint64(raw[off:], n)
		}
	}
	put(object.ParamStart, uint64(boot))
	put(object.ParamWall, uint64(wall-boot))
	if s.command != nil {
		put(object.ParamCpid, uint64(s.command.pid()))
	}
	return m.Put(uint32(0), raw)
}

func clock(id int32) (time.Duration, error) {
	var ts unix.Timespec
	err := unix.ClockGettime(id, &ts)
	return time.Duration(ts.Nano()), err
}

// loadPrograms loads all programs, several at a time, until the run is
// interrupted.
func (s *Session) loadPrograms() error {
	loaded := make([]*ebpf.Program, len(s.obj.Programs))
	errs := make([]error, len(s.obj.Programs))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.obj.Programs)) {
		wg.Go(func() {
			for i := range next {
				if s.ctx.Err() == nil {
					loaded[i], errs[i] = s.loadProgram(s.obj.Programs[i])
				}
			}
		})
	}
	for i := range s.obj.Programs {
		next <- i
	}
	close(next)
	wg.Wait()
	for i, p := range s.obj.Programs {
		if loaded[i] != nil {
			s.progs[p] = loaded[i]
		}
	}
	if err := s.interrupted(); err != nil {
		return err
	}
	return joinReports(errs...)
}

func (s *Session) loadProgram(p *object.Program) (*ebpf.Program, error) {
	insns, err := s.withMaps(p.Insns)
	if err != nil {
		return nil, fmt.Errorf("program %s: %w", p.Name, err)
	}
	load := s.opt.Registry.Spec(p.Targets[0], &s.opt.Resolve)
	spec := &ebpf.ProgramSpec{
		Name: p.Name, Type: load.Type, AttachType: load.AttachType, AttachTo: load.AttachTo, Flags: load.Flags,
		Instructions: insns, License: license(s.obj.Config.License),
	}
	prog, err := s.loadSpec(spec, load, s.verifierOptions())
	if err != nil {
		return nil, s.loadError(p, s.explain(p, spec, load, err))
	}
	if s.opt.VerifierLog != nil {
		s.opt.VerifierLog(p.Name, prog.VerifierLog)
	}
	return prog, nil
}

// withMaps returns a copy of the instructions with the maps for their names.
func (s *Session) withMaps(insns asm.Instructions) (asm.Instructions, error) {
	insns = slices.Clone(insns)
	for i := range insns {
		ins := &insns[i]
		if !ins.IsLoadFromMap() {
			continue
		}
		m := s.maps[ins.Reference()]
		if m == nil {
			return nil, fmt.Errorf("there is no map %q", ins.Reference())
		}
		if err := ins.AssociateMap(m); err != nil {
			return nil, err
		}
	}
	return insns, nil
}

// license gives the kernel's names for the licences.
func license(name string) string {
	if name == "" {
		return "GPL"
	}
	return name
}

// loadSpec loads one program. Programs that attach to something with a BTF id
// go through a collection, which shares the decoded types of the kernel.
func (s *Session) loadSpec(spec *ebpf.ProgramSpec, load probes.LoadSpec, opt ebpf.ProgramOptions) (*ebpf.Program, error) {
	if load.Prog != 0 {
		to, err := ebpf.NewProgramFromID(load.Prog)
		if err != nil {
			return nil, err
		}
		defer to.Close()
		spec.AttachTarget = to
	}
	if load.AttachTo == "" || load.Prog != 0 {
		return ebpf.NewProgramWithOptions(spec, opt)
	}
	coll, err := ebpf.NewCollectionWithOptions(
		&ebpf.CollectionSpec{Programs: map[string]*ebpf.ProgramSpec{spec.Name: spec}},
		ebpf.CollectionOptions{Cache: s.opt.Host.BTFCache(), Programs: opt})
	if err != nil {
		return nil, err
	}
	defer coll.Close()
	return coll.DetachProgram(spec.Name), nil
}

// verifierOptions asks for the verifier's log only where somebody wants it.
func (s *Session) verifierOptions() ebpf.ProgramOptions {
	if s.opt.VerifierLog == nil {
		return ebpf.ProgramOptions{LogDisabled: true}
	}
	return ebpf.ProgramOptions{LogLevel: ebpf.LogLevelInstruction | ebpf.LogLevelStats, LogSizeStart: uint32(s.obj.Config.LogSize)}
}

// explain loads a program that was refused once more, to have the verifier say
// why. First without a trace of its work: it is long, and useless where the
// program is too complex, and writing it takes the kernel half a minute then.
func (s *Session) explain(p *object.Program, spec *ebpf.ProgramSpec, load probes.LoadSpec, refused error) error {
	var ve *ebpf.VerifierError
	if shortageOf("", refused) != nil {
		return refused
	}
	if s.opt.VerifierLog != nil {
		if errors.As(refused, &ve) {
			s.opt.VerifierLog(p.Name, strings.Join(ve.Log, "\n"))
		}
		return refused
	}
	for _, level := range []ebpf.LogLevel{ebpf.LogLevelStats, ebpf.LogLevelBranch} {
		prog, err := s.loadSpec(spec, load, ebpf.ProgramOptions{LogLevel: level, LogSizeStart: uint32(s.obj.Config.LogSize)})
		if err == nil {
			return errors.Join(refused, prog.Close())
		}
		refused = err
		if !errors.As(err, &ve) || len(ve.Log) == 0 || tooComplex(ve.Log) {
			break
		}
	}
	return refused
}
