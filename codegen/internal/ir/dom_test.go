package ir

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// graph makes a function whose blocks lead to the given blocks: "1 2, 2, " is
// a block 0 with a branch to 1 and 2, a jump from 1 to 2, and a return.
func graph(t testing.TB, text string) *Func {
	t.Helper()
	f := NewFunc("f")
	zero := f.Blocks[0].Append(f.NewValue(OpConst, I64))
	lists := strings.Split(text, ",")
	for range lists[1:] {
		f.NewBlock()
	}
	for i, list := range lists {
		term := Term{Kind: Return, Cond: zero}
		for _, word := range strings.Fields(list) {
			var to int
			if _, err := fmt.Sscan(word, &to); err != nil {
				t.Fatal(err)
			}
			term.Succs = append(term.Succs, Edge{To: f.Blocks[to]})
		}
		switch len(term.Succs) {
		case 1:
			term.Kind, term.Cond = Jump, nil
		case 2:
			term.Kind = Branch
		}
		f.Blocks[i].SetTerm(term)
	}
	if err := Verify(f); err != nil {
		t.Fatal(err)
	}
	return f
}

// randomGraph has n blocks; some may be unreachable.
func randomGraph(t testing.TB, rng *rand.Rand, n int) *Func {
	var lists []string
	for range n {
		var to []string
		for range rng.IntN(3) {
			to = append(to, fmt.Sprint(1+rng.IntN(n-1)))
		}
		lists = append(lists, strings.Join(to, " "))
	}
	return graph(t, strings.Join(lists, ","))
}

// reaches finds by search whether a path leads from one block to another
// without entering avoid.
func reaches(from, to, avoid *Block) bool {
	seen := map[*Block]bool{avoid: true}
	work := []*Block{from}
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[b] {
			continue
		}
		if b == to {
			return true
		}
		seen[b] = true
		for _, e := range b.Term.Succs {
			work = append(work, e.To)
		}
	}
	return false
}

func TestDominatorsMatchTheirDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		f := randomGraph(t, rng, 2+rng.IntN(12))
		d := Dominators(f)
		entry := f.Blocks[0]
		for _, b := range f.Blocks {
			if want := reaches(entry, b, nil); d.Reachable(b) != want {
				t.Fatalf("Reachable(b%d) = %v\n%s", b.ID, !want, f)
			}
			for _, a := range f.Blocks {
				want := reaches(entry, a, nil) && reaches(entry, b, nil) && (a == b || !reaches(entry, b, a))
				if got := d.Dominates(a, b); got != want {
					t.Fatalf("Dominates(b%d, b%d) = %v\n%s", a.ID, b.ID, got, f)
				}
			}
			if i := d.Idom(b); i != nil && (!d.Dominates(i, b) || d.Common(i, b) != i) {
				t.Fatalf("Idom(b%d) = b%d\n%s", b.ID, i.ID, f)
			}
		}
	}
}

func TestPreorderNestsDominatedBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		f := randomGraph(t, rng, 2+rng.IntN(12))
		d := Dominators(f)
		var open []*Block
		visited := 0
		d.Preorder(func(b *Block) {
			if len(open) > 0 && d.Idom(b) != open[len(open)-1] {
				t.Fatalf("b%d is entered inside of b%d\n%s", b.ID, open[len(open)-1].ID, f)
			}
			open = append(open, b)
			visited++
		}, func(b *Block) {
			if open[len(open)-1] != b {
				t.Fatalf("b%d is left before its inner blocks\n%s", b.ID, f)
			}
			open = open[:len(open)-1]
		})
		if visited != len(d.RPO) || len(open) != 0 {
			t.Fatalf("%d of %d blocks visited, %d open", visited, len(d.RPO), len(open))
		}
	}
}

func TestLoops(t *testing.T) {
	for _, c := range []struct{ name, graph, depths, headers string }{
		{"none", "1 2,3,3,", "0 0 0 0", "- - - -"},
		{"one block", "1,1 2,", "0 1 0", "- 1 -"},
		{"while", "1,2 3,1,", "0 1 1 0", "- 1 1 -"},
		{"two ways back", "1,2 3,1 4,1,", "0 1 1 1 0", "- 1 1 1 -"},
		{"nested", "1,2 5,3 4,2,1,", "0 1 2 2 1 0", "- 1 2 2 1 -"},
		{"three deep", "1,2,3,3 4,2 5,1 6,", "0 1 2 3 2 1 0", "- 1 2 3 2 1 -"},
		{"side by side", "1,2 5,2 3,3 4,1,", "0 1 2 2 1 0", "- 1 2 3 1 -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := graph(t, c.graph)
			l := Dominators(f).Loops()
			var depths, headers []string
			for _, b := range f.Blocks {
				depths = append(depths, fmt.Sprint(l.Depth(b)))
				h := "-"
				if l.Header(b) != nil {
					h = fmt.Sprint(l.Header(b).ID)
				}
				headers = append(headers, h)
			}
			if got := strings.Join(depths, " "); got != c.depths {
				t.Errorf("depths %s, want %s", got, c.depths)
			}
			if got := strings.Join(headers, " "); got != c.headers {
				t.Errorf("headers %s, want %s", got, c.headers)
			}
		})
	}
}

func TestDominatorsOfManyBlocks(t *testing.T) {
	var lists []string
	const n = 20000
	for i := range n - 1 {
		lists = append(lists, fmt.Sprintf("%d %d", i+1, n-1))
	}
	d := Dominators(graph(t, strings.Join(append(lists, ""), ",")))
	if len(d.RPO) != n {
		t.Errorf("%d blocks are reachable, want %d", len(d.RPO), n)
	}
}
