package diag

import "iter"

// Nearest returns the candidate with the smallest edit distance to name, or ""
// when none is near enough to be a likely misspelling (a third of its length,
// at least one edit). The distance is optimal string alignment: insertion,
// deletion, substitution and the swap of neighbours cost one each.
func Nearest(name string, candidates iter.Seq[string]) string {
	best, limit := "", max(1, len(name)/3)
	for c := range candidates {
		if c == name || len(c)-len(name) > limit || len(name)-len(c) > limit {
			continue
		}
		if d := distance(name, c, limit); d <= limit {
			if d < limit || best == "" || likelier(name, c, best) {
				best = c
			}
			limit = d
		}
	}
	return best
}

// likelier breaks ties in an order that does not hang on that of the
// candidates: the length nearer to name's, then the alphabet.
func likelier(name, a, b string) bool {
	da, db := abs(len(a)-len(name)), abs(len(b)-len(name))
	if da != db {
		return da < db
	}
	return a < b
}

func abs(n int) int { return max(n, -n) }

// distance computes the edit distance of a and b, giving up above limit.
func distance(a, b string, limit int) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		least := cur[0]
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
			least = min(least, cur[j])
		}
		if least > limit {
			return limit + 1
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
