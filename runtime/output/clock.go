package output

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gotrace/gotrace/codegen/layout"
)

// Clock holds the distances from the kernel's clocks to the wall clock.
type Clock struct {
	Boot, TAI time.Duration // wall clock less CLOCK_BOOTTIME, CLOCK_TAI
}

// ReadClock reads the distances as they are now.
func ReadClock() (Clock, error) {
	var c Clock
	var err error
	if c.Boot, err = wallLess(unix.CLOCK_BOOTTIME); err == nil {
		c.TAI, err = wallLess(unix.CLOCK_TAI)
	}
	return c, err
}

// wallLess reads clock between two readings of the wall clock.
func wallLess(clock int32) (time.Duration, error) {
	var ts unix.Timespec
	before := time.Now()
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, fmt.Errorf("reading clock %d: %w", clock, err)
	}
	wall := before.Add(time.Since(before) / 2)
	return time.Duration(wall.UnixNano() - ts.Nano()), nil
}

// Time converts a stamp of a clock as layout.TimestampClock has it: 0 boot,
// 1 TAI.
func (c Clock) Time(clock uint32, nsecs uint64) time.Time {
	offset := c.Boot
	if clock == layout.ClockTAI {
		offset = c.TAI
	}
	return time.Unix(0, int64(nsecs)+int64(offset))
}
