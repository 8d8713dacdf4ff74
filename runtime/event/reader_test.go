package event

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/layout/layouttest"
	"github.com/gotrace/gotrace/lang/types"
)

// sender is a ring buffer and a program that writes a record into it.
type sender struct {
	ring *ebpf.Map
	prog *ebpf.Program
}

func newSender(t *testing.T, raw []byte) sender {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to load programs")
	}
	ring, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: uint32(os.Getpagesize())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ring.Close() })
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.RawTracepoint, License: "GPL", Instructions: sendCode(ring, raw)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prog.Close() })
	return sender{ring, prog}
}

// sendCode stores raw, a multiple of eight bytes, on the stack and outputs it.
func sendCode(ring *ebpf.Map, raw []byte) asm.Instructions {
	var code asm.Instructions
	for off := 0; off < len(raw); off += 8 {
		code = append(code,
			asm.LoadImm(asm.R1, int64(binary.NativeEndian.Uint64(raw[off:])), asm.DWord),
			asm.StoreMem(asm.RFP, int16(off-len(raw)), asm.R1, asm.DWord))
	}
	return append(code,
		asm.LoadMapPtr(asm.R1, ring.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, int32(-len(raw))),
		asm.Mov.Imm(asm.R3, int32(len(raw))),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnRingbufOutput.Call(),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return())
}

func (s sender) send(t *testing.T, times int) {
	t.Helper()
	for range times {
		if _, err := s.prog.Run(&ebpf.RunOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReaderPoll(t *testing.T) {
	s := newSender(t, layouttest.Record(uint32(types.ActExit), layouttest.Value(i64, 42)))
	r, err := NewReader(s.ring, newTestDecoder(t))
	if err != nil {
		t.Fatal(err)
	}
	var codes []int64
	handle := func(e Event) error {
		codes = append(codes, e.(*Exit).Code)
		return nil
	}
	if n, err := r.Poll(time.Unix(0, 0), handle); n != 0 || err != nil {
		t.Errorf("empty buffer: %d, %v", n, err)
	}
	s.send(t, 3)
	if n, err := r.Poll(time.Now().Add(time.Second), handle); n != 3 || err != nil || len(codes) != 3 || codes[2] != 42 {
		t.Errorf("three events: %d, %v, %v", n, err, codes)
	}
	s.send(t, 2)
	stop := errors.New("stop")
	if n, err := r.Poll(time.Time{}, func(Event) error { return stop }); n != 1 || err != stop {
		t.Errorf("handler that fails: %d, %v", n, err)
	}
	if n, err := r.Poll(time.Time{}, handle); n != 1 || err != nil {
		t.Errorf("the event behind: %d, %v", n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Poll(time.Time{}, handle); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestReaderGathers wants the events of a moment together in few polls: each
// wake-up costs the traced program more than its event.
func TestReaderGathers(t *testing.T) {
	s := newSender(t, layouttest.Record(uint32(types.ActExit), layouttest.Value(i64, 1)))
	r, err := NewReader(s.ring, newTestDecoder(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	const events = 200
	sent := make(chan error)
	go func() {
		var err error
		for range events {
			_, sending := s.prog.Run(&ebpf.RunOptions{})
			err = errors.Join(err, sending)
			time.Sleep(20 * time.Microsecond)
		}
		sent <- err
	}()
	polls, start := 0, time.Now()
	for n := 0; n < events; polls++ {
		got, err := r.Poll(time.Now().Add(time.Second), func(Event) error { return nil })
		if err != nil || got == 0 {
			t.Fatalf("%d events, %v", got, err)
		}
		n += got
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if most := int(time.Since(start)/minWait) + 2; polls > most {
		t.Errorf("%d polls in %v, at most one in %v is to be expected", polls, time.Since(start), minWait)
	}
}

func TestReaderSkipsMalformed(t *testing.T) {
	s := newSender(t, []byte{255, 0, 0, 0, 0, 0, 0, 0})
	r, err := NewReader(s.ring, newTestDecoder(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s.send(t, 2)
	n, err := r.Poll(time.Now().Add(time.Second), func(e Event) error { t.Errorf("event %v", e); return nil })
	if n != 2 || err != nil || r.Malformed() != 2 {
		t.Errorf("%d, %v, %d malformed", n, err, r.Malformed())
	}
}
