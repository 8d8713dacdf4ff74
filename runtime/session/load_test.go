package session

import (
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/gotrace/gotrace/codegen/object"
)

// Each load of a map gets its map, in a copy, as another session may load the
// same program; references to functions stay.
func TestMapsOfInstructions(t *testing.T) {
	a, b := &ebpf.Map{}, &ebpf.Map{}
	s := &Session{maps: map[string]*ebpf.Map{"@a": a, "@b": b, "fn": b}}
	callback := asm.LoadImm(asm.R2, 0, asm.DWord).WithReference("fn")
	callback.Src = asm.PseudoFunc
	insns := asm.Instructions{
		asm.LoadMapPtr(asm.R1, 0).WithReference("@a"),
		asm.LoadMapValue(asm.R2, 0, 8).WithReference("@b"),
		callback,
		asm.LoadMapPtr(asm.R1, 0).WithReference("@a"),
		asm.Return(),
	}
	got, err := s.withMaps(insns)
	if err != nil {
		t.Fatal(err)
	}
	var maps []*ebpf.Map
	for i := range got {
		m, _ := got[i].Map().(*ebpf.Map)
		maps = append(maps, m)
	}
	if want := []*ebpf.Map{a, b, nil, a, nil}; !slices.Equal(maps, want) {
		t.Errorf("maps %p, want %p", maps, want)
	}
	if got[2].Reference() != "fn" || insns[0].Reference() != "@a" || insns[0].Map() != nil {
		t.Errorf("references %q, and before %q", got[2].Reference(), insns[0].Reference())
	}
}

// A map that the object does not have is an error that names it and the program.
func TestMapOfInstructionsMissing(t *testing.T) {
	s := &Session{}
	p := &object.Program{Name: "one", Insns: asm.Instructions{asm.LoadMapPtr(asm.R1, 0).WithReference("@gone"), asm.Return()}}
	if _, err := s.loadProgram(p); err == nil || err.Error() != `program one: there is no map "@gone"` {
		t.Error(err)
	}
}
