package opt

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gotrace/gotrace/codegen/internal/ir"
)

func TestOrderOfPasses(t *testing.T) {
	if err := checkOrder(Passes()); err != nil {
		t.Error(err)
	}
	err := checkOrder([]Pass{{Name: "a", After: []string{"b"}}, {Name: "b"}})
	if err == nil || !strings.Contains(err.Error(), "a must run after b") {
		t.Errorf("error is %v", err)
	}
}

const unreachable = `func f {
b0(v0 i64):
	v1 = const 2
	v2 = add v0, v1
	v3 = sub v2, v1
	return v3
b1():
	return v0
}
`

func TestLevelZeroRunsRequiredPassesOnly(t *testing.T) {
	for level, want := range []string{"v3 = sub v2, v1", "return v0"} {
		p, err := ir.Parse(unreachable, helper)
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(p, level, nil, true); err != nil {
			t.Fatal(err)
		}
		if got := p.String(); !strings.Contains(got, want) || strings.Contains(got, "b1") {
			t.Errorf("level %d: want %q and no b1:\n%s", level, want, got)
		}
	}
}

func TestDumpShowsPassesThatChange(t *testing.T) {
	p, err := ir.Parse(unreachable, helper)
	if err != nil {
		t.Fatal(err)
	}
	var log []string
	if err := Run(p, 2, func(pass, text string) { log = append(log, pass) }, true); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(log, " "); got != "reach simplify dce" {
		t.Errorf("dumped %q", got)
	}
}

// long returns a function of n statements, with as many branches as asked.
func long(n int, branchy bool) *ir.Func {
	g := newGenerator(rand.New(rand.NewPCG(1, 1)))
	for range n {
		g.write(g.chain())
		g.memory()
		if branchy {
			g.lookup(g.slot())
		}
	}
	return g.end()
}

// TestTimeGrowsWithSize guards against passes that take quadratic time: ten
// times the statements may take thirty times as long, for the noise.
func TestTimeGrowsWithSize(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	for _, branchy := range []bool{false, true} {
		measure := func(n int) time.Duration {
			best := time.Hour
			for range 3 {
				p := &ir.Program{Main: long(n, branchy)}
				start := time.Now()
				if err := Run(p, 2, nil, false); err != nil {
					t.Fatal(err)
				}
				best = min(best, time.Since(start))
			}
			return best
		}
		// Other load can only make a measurement longer: one good one proves it.
		small, big := measure(300), measure(3000)
		for tries := 0; tries < 5 && big > 30*small+10*time.Millisecond; tries++ {
			time.Sleep(time.Second)
			small, big = measure(300), measure(3000)
		}
		if big > 30*small+10*time.Millisecond {
			t.Errorf("branches %v: 300 statements take %v, 3000 take %v", branchy, small, big)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{20, 300, 3000} {
		for _, branchy := range []bool{false, true} {
			b.Run(fmt.Sprintf("statements=%d,branches=%v", n, branchy), func(b *testing.B) {
				text := long(n, branchy).String()
				values := 0
				for b.Loop() {
					b.StopTimer()
					p, err := ir.Parse(text, helper)
					if err != nil {
						b.Fatal(err)
					}
					values = p.Main.NumValues()
					b.StartTimer()
					if err := Run(p, 2, nil, false); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(values), "values")
			})
		}
	}
}

func BenchmarkPass(b *testing.B) {
	text := long(3000, true).String()
	seen := map[string]bool{}
	for _, pass := range Passes() {
		if seen[pass.Name] {
			continue
		}
		seen[pass.Name] = true
		b.Run(pass.Name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				f, err := ir.ParseFunc(text, helper)
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				pass.Run(f)
			}
		})
	}
}
