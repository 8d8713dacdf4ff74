package gotrace_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf/rlimit"

	"github.com/gotrace/gotrace/codegen/progtest"
	"github.com/gotrace/gotrace/probes/host/hosttest"
)

// The flags of TestRandomPrograms. `make fuzz` goes on from a seed for a while:
//
//	go test -run TestRandomPrograms -seed 1000000 -duration 10m .
var (
	randomPrograms = flag.Int("programs", 300, "number of random programs")
	randomSeed     = flag.Uint64("seed", 1, "seed of the first random program")
	randomDuration = flag.Duration("duration", 0, "time for random programs, in place of a number")
	randomRelease  = flag.String("release", "", "compile random programs for the features of an older kernel: 5.10 or 6.1")
	randomDump     = flag.String("dump", "", "stage of the compiler to dump for programs that fail: ir, lower, asm")
	randomKeep     = flag.Int("failures", 3, "random programs that may fail before the test ends")
)

// shrinkTime bounds the search for a smaller program that fails the same way.
const shrinkTime = 20 * time.Second

// maxTooLarge: one in so many programs may have more paths than the verifier
// walks (a million instructions). There is no telling before.
const maxTooLarge = 200

// tooLarge is the kind of fault of those programs.
const tooLarge = "too large"

// TestRandomPrograms compiles random programs with and without optimisation,
// runs both in the kernel, and compares what they do with one another and with
// the model of the language in package progtest.
func TestRandomPrograms(t *testing.T) {
	hosttest.RequireBPF(t)
	if err := rlimit.RemoveMemlock(); err != nil { // counts the memory of maps before Linux 5.11
		t.Fatal(err)
	}
	runtime.LockOSThread() // pid, tid and comm are those of one thread
	defer runtime.UnlockOSThread()
	env := newRandomEnv(*randomRelease)
	end := time.Now().Add(*randomDuration)
	failures, done := 0, 0
	for ; *randomDuration > 0 && time.Now().Before(end) || *randomDuration == 0 && done < *randomPrograms; done++ {
		before := env.tooLarge
		why := env.seed(*randomSeed + uint64(done))
		if env.tooLarge > before {
			t.Logf("seed %d is beyond the limits of the verifier", *randomSeed+uint64(done))
		}
		if env.tooLarge > 2+done/maxTooLarge {
			t.Fatalf("the verifier finds %d of %d programs too large; the last one has seed %d", env.tooLarge, done+1, *randomSeed+uint64(done))
		}
		if why != "" {
			t.Error(why)
			if failures++; failures >= *randomKeep {
				break
			}
		}
	}
	t.Logf("%d programs from seed %d, %d failures, %d beyond the limits of the verifier", done, *randomSeed, failures, env.tooLarge)
}

// seed judges one program; the result says what is wrong, made small.
func (e *randomEnv) seed(seed uint64) string {
	s, inputs, err := progtest.Generate(seed, e.constructs, task())
	if err != nil {
		return err.Error()
	}
	why := e.judge(s, inputs)
	if why != nil && why.kind == tooLarge {
		e.tooLarge++
		return ""
	}
	if why == nil {
		return ""
	}
	small := progtest.Shrink(s, inputs, shrinkTime, func(c *progtest.Script) bool {
		w := e.judge(c, inputs)
		return w != nil && w.kind == why.kind
	})
	e.stage = *randomDump
	if w := e.judge(small, inputs); w != nil {
		why = w
	}
	e.stage = ""
	return fmt.Sprintf("seed %d: %s: %s\n%s\ninputs:%s", seed, why.kind, why.text, small, describe(inputs))
}

func describe(inputs []progtest.Input) string {
	var b strings.Builder
	for _, in := range inputs {
		b.WriteString("\n ")
		for i, a := range in.Args {
			fmt.Fprintf(&b, " %s=%#x", progtest.ArgTypes()[i].Name, a)
		}
	}
	return b.String()
}

// fault is what is wrong with a program. A smaller program fails the same way
// if the kind is the same.
type fault struct{ kind, text string }

// judge returns nil if a program is compiled, loaded and run as it should be.
func (e *randomEnv) judge(s *progtest.Script, inputs []progtest.Input) *fault {
	want, err := s.Run(inputs)
	if err != nil {
		return &fault{"model", err.Error()}
	}
	var warnings [2]string
	for i, level := range [2]int{0, 2} {
		got, warned, wrong := e.execute(s.String(), level, inputs)
		if wrong != nil {
			if wrong.kind != tooLarge {
				wrong.kind = fmt.Sprintf("level %d: %s", level, wrong.kind)
			}
			return wrong
		}
		if got.String() != want.String() {
			return &fault{fmt.Sprintf("level %d differs from the model", level), difference(want.String(), got.String())}
		}
		slices.Sort(warned) // those of loops over maps come in any order
		warnings[i] = strings.Join(warned, "\n")
	}
	if warnings[0] != warnings[1] {
		return &fault{"run-time warnings differ", difference(warnings[0], warnings[1])}
	}
	return nil
}

// difference lists the lines that only one of two texts has.
func difference(want, got string) string {
	count := map[string]int{}
	for _, line := range strings.Split(want, "\n") {
		count[line]++
	}
	var out []string
	for _, line := range strings.Split(got, "\n") {
		if count[line]--; count[line] < 0 {
			out = append(out, "got  "+line)
		}
	}
	for _, line := range strings.Split(want, "\n") {
		if count[line] > 0 {
			count[line]--
			out = append(out, "want "+line)
		}
	}
	if len(out) == 0 {
		return "the order of events differs:\n" + got + "\nwant:\n" + want
	}
	return "\n" + strings.Join(out, "\n")
}

// errorKind is the part of an error that programs which fail the same way have
// in common: its last line without names and numbers.
func errorKind(stage string, err error) string {
	text := strings.TrimSpace(err.Error())
	if i := strings.Index(text, "\n"); i >= 0 {
		text = text[:i]
	}
	return stage + ": " + regexp.MustCompile(`[$@]\w+|[0-9]+|0x[0-9a-f]+`).ReplaceAllString(text, "N")
}

// threadComm is the name of the current thread.
func threadComm() string {
	b, err := os.ReadFile("/proc/thread-self/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}
