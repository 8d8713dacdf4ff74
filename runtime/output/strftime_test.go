package output

import (
	"testing"
	"time"
)

// TestStrftime has what glibc prints in the C locale.
func TestStrftime(t *testing.T) {
	at := time.Date(2026, time.March, 5, 8, 5, 9, 12345000, time.FixedZone("EST", -5*3600))
	for format, want := range map[string]string{
		"plain text":         "plain text",
		"100%%":              "100%",
		"%a %A %b %B %h":     "Thu Thursday Mar March Mar",
		"%c":                 "Thu Mar  5 08:05:09 2026",
		"%C %d %D %e %F":     "20 05 03/05/26  5 2026-03-05",
		"%g %G %V %U %W":     "26 2026 10 09 09",
		"%H %I %j %k %l":     "08 08 064  8  8",
		"%m %M %p %P %r":     "03 05 AM am 08:05:09 AM",
		"%R %S %T %u %w":     "08:05 09 08:05:09 4 4",
		"%x %X %y %Y":        "03/05/26 08:05:09 26 2026",
		"%z %Z %s":           "-0500 EST 1772715909",
		"%f":                 "012345",
		"%n%t|":              "\n\t|",
		"%5d %_d %-d %0e":    "00005  5 5 05",
		"%10Y %_10Y %-m %^a": "0000002026       2026 3 THU",
		"%#Z %#p %#a":        "est am THU",
		"%8Z|":               "     EST|",
		"%Ey %Od %OH":        "26 05 08",
		"%E %O %q %N %L %+":  "%E %O %q %N %L %+",
		"%3f %i %":           "%3f %i %",
	} {
		if got := string(appendTime(nil, format, at)); got != want {
			t.Errorf("%q: %q, want %q", format, got, want)
		}
	}
}

func TestReadClock(t *testing.T) {
	c, err := ReadClock()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	boot := now.Add(-c.Boot).UnixNano()
	if d := c.Time(0, uint64(boot)).Sub(now).Abs(); d > time.Millisecond || boot <= 0 {
		t.Errorf("boot clock at %d is %v off", boot, d)
	}
	tai := now.Add(-c.TAI).UnixNano()
	if d := c.Time(1, uint64(tai)).Sub(now).Abs(); d > time.Millisecond || tai < now.UnixNano()-1e9 {
		t.Errorf("TAI at %d is %v off", tai, d)
	}
}
