package lower

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

// Stack budget in bytes, out of ir.StackSize.
const (
	maxStackSlot = 32 // larger slots go to scratch memory
	spillReserve = 64 // of each frame, kept for register allocation where it can be had
	scratchKey   = "scratch_key"
)

// frames places the slots of a program. Functions of the same depth never have
// frames at the same time, so they share one level.
type frames struct {
	levels [][]*placement
}

// placement is what one function needs.
type placement struct {
	f       *ir.Func
	ranges  []liveRange // by slot ID
	free    []*ir.Slot  // may go anywhere
	stack   areas
	memory  areas // in scratch memory
	scratch map[*ir.Slot]int64
}

// areas is memory that slots with different live ranges share.
type areas struct {
	list []area
	size int64
}

type area struct {
	off, size int64
	users     []liveRange
}

// find returns the first area that has size bytes and is free in r, or -1.
func (a *areas) find(size int64, r liveRange) int {
	return slices.IndexFunc(a.list, func(x area) bool {
		return x.size >= size && !slices.ContainsFunc(x.users, r.overlaps)
	})
}

// take returns an area of size bytes that is used in r from now on.
func (a *areas) take(size int64, r liveRange) area {
	i := a.find(size, r)
	if i < 0 {
		i = len(a.list)
		a.list = append(a.list, area{off: a.size, size: size})
		a.size += size
	}
	a.list[i].users = append(a.list[i].users, r)
	return a.list[i]
}

func placeSlots(p *ir.Program, funcs []*ir.Func) error {
	fr := &frames{}
	for _, f := range funcs {
		pl := newPlacement(f, p.Scratch)
		for len(fr.levels) <= f.Depth {
			fr.levels = append(fr.levels, nil)
		}
		fr.levels[f.Depth] = append(fr.levels[f.Depth], pl)
	}
	reserve := spillReserve
	room := fr.room(reserve)
	for room < 0 && reserve > 0 { // loops in loops: what is spilled then goes to scratch memory
		reserve /= 2
		room = fr.room(reserve)
	}
	if room < 0 {
		return &ir.LimitError{Msg: fmt.Sprintf("the variables that must be on the stack take %d bytes more than the %d of a program", -room, ir.StackSize)}
	}
	base := int64(0)
	for i, level := range fr.levels {
		extra := room / (len(fr.levels) - i) / ir.FrameAlign * ir.FrameAlign
		limit := frameSize(level, reserve) + extra - min(extra/4, spillReserve) // where there is room, more for spilled values
		room += frameSize(level, reserve)
		size := int64(0)
		for _, pl := range level {
			pl.fill(int64(limit-reserve), base)
			size = max(size, pl.memory.size)
		}
		room -= frameSize(level, reserve)
		base += size
		if err := useScratch(p, level); err != nil {
			return err
		}
	}
	p.ScratchSize = int(base)
	return nil
}

// room returns how much stack is left once each frame has reserve bytes for
// spilled values.
func (fr *frames) room(reserve int) int {
	n := ir.StackSize
	for _, level := range fr.levels {
		n -= frameSize(level, reserve)
	}
	return n
}

// frameSize returns the stack that the functions of one level need, with reserve
// bytes for spilled values.
func frameSize(level []*placement, reserve int) int {
	n := int64(0)
	for _, pl := range level {
		n = max(n, pl.stack.size)
	}
	return ir.RoundFrame(int(n) + reserve)
}

// newPlacement gives the slots of f that must be on the stack their place.
func newPlacement(f *ir.Func, scratch *ir.Map) *placement {
	pl := &placement{f: f, scratch: map[*ir.Slot]int64{}, ranges: slotRanges(f)}
	for _, s := range f.Slots {
		switch {
		case pl.ranges[s.ID].last < 0:
		case s.OnStack || scratch == nil:
			pl.push(s)
		default:
			pl.free = append(pl.free, s)
		}
	}
	pl.sortFree()
	return pl
}

// sortFree puts first what should be on the stack rather than the rest: if there
// may not be room for all, slots whose contents the verifier must know, then
// small ones.
func (pl *placement) sortFree() {
	total := pl.stack.size
	for _, s := range pl.free {
		total += roundUp(s.Size)
	}
	exact := map[*ir.Slot]bool{}
	if total > ir.StackSize/4 { // what there is depends on the other functions, too
		exact = findExact(pl.f, true).slots
	}
	rank := func(s *ir.Slot) int {
		if exact[s] && s.Size <= maxStackSlot {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(pl.free, func(a, b *ir.Slot) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Size, b.Size))
	})
}

// push gives s a place on the stack.
func (pl *placement) push(s *ir.Slot) {
	a := pl.stack.take(roundUp(s.Size), pl.ranges[s.ID])
	s.Off = -a.off - a.size
}

func roundUp(n int64) int64 { return (n + 7) &^ 7 }

// fill places the remaining slots: on the stack up to limit bytes, then from
// base on in scratch memory. The key of the lookup needs 8 bytes of stack.
func (pl *placement) fill(limit, base int64) {
	for i, s := range pl.free {
		size, r := roundUp(s.Size), pl.ranges[s.ID]
		room := limit - pl.stack.size
		if i < len(pl.free)-1 || size > maxStackSlot {
			room -= 8
		}
		if size <= maxStackSlot && (size <= room || pl.stack.find(size, r) >= 0) {
			pl.push(s)
			continue
		}
		pl.scratch[s] = base + pl.memory.take(size, r).off
	}
}

// useScratch replaces the addresses of slots in scratch memory.
func useScratch(p *ir.Program, level []*placement) error {
	for _, pl := range level {
		if pl.memory.size > 0 {
			if p.Scratch.KeySize != 4 {
				return fmt.Errorf("scratch map %s: key of %d bytes, want an array", p.Scratch.Name, p.Scratch.KeySize)
			}
			key := pl.f.NewSlot(scratchKey, 4, 4)
			key.Off = -pl.stack.size - 8
			pl.stack.size += 8
			addressScratch(pl, lookupScratch(pl, p, key))
		}
		pl.f.Frame = int(pl.stack.size)
	}
	return nil
}
