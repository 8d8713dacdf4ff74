package ir

import "slices"

// Dom is the dominator tree of a function, after Cooper, Harvey and Kennedy,
// "A Simple, Fast Dominance Algorithm" (2001). It stays valid as long as the
// edges between blocks do not change.
type Dom struct {
	// RPO is the reachable blocks in reverse postorder: a block stands behind
	// all its predecessors, but for edges that close a loop.
	RPO []*Block

	index    []int32 // by block ID: position in RPO, or -1
	idom     []int32 // by position: position of the immediate dominator
	pre, end []int32 // by position: interval of the subtree in preorder
	preorder []int32 // positions in preorder
}

// RPO returns the reachable blocks of f in reverse postorder.
func RPO(f *Func) []*Block {
	if len(f.Blocks) == 0 {
		return nil
	}
	type frame struct {
		b    *Block
		next int
	}
	seen := make([]bool, f.NumBlocks())
	seen[f.Blocks[0].ID] = true
	stack := []frame{{b: f.Blocks[0]}}
	var post []*Block
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		// The last successor first, so that the first comes first in the result.
		if i := len(top.b.Term.Succs) - 1 - top.next; i >= 0 {
			top.next++
			if to := top.b.Term.Succs[i].To; !seen[to.ID] {
				seen[to.ID] = true
				stack = append(stack, frame{b: to})
			}
			continue
		}
		post = append(post, top.b)
		stack = stack[:len(stack)-1]
	}
	slices.Reverse(post)
	return post
}

// Dominators computes the dominator tree of f.
func Dominators(f *Func) *Dom {
	d := &Dom{RPO: RPO(f), index: make([]int32, f.NumBlocks())}
	for i := range d.index {
		d.index[i] = -1
	}
	for i, b := range d.RPO {
		d.index[b.ID] = int32(i)
	}
	d.idom = make([]int32, len(d.RPO))
	for i := 1; i < len(d.idom); i++ {
		d.idom[i] = -1
	}
	for changed := true; changed; {
		changed = false
		for i := 1; i < len(d.RPO); i++ {
			if n := d.meet(d.RPO[i]); n != d.idom[i] {
				d.idom[i] = n
				changed = true
			}
		}
	}
	d.number()
	return d
}

// meet returns the nearest common dominator of the predecessors of b that are
// known so far.
func (d *Dom) meet(b *Block) int32 {
	n := int32(-1)
	for _, p := range b.Preds {
		i := d.index[p.ID]
		if i < 0 || d.idom[i] < 0 {
			continue
		}
		if n < 0 {
			n = i
		}
		for n != i {
			if n > i {
				n = d.idom[n]
			} else {
				i = d.idom[i]
			}
		}
	}
	return n
}

// number gives each block the interval of its subtree in preorder. A block
// stands behind its dominator in RPO, so sizes add up from the end.
func (d *Dom) number() {
	n := len(d.RPO)
	size := make([]int32, n)
	for i := n - 1; i >= 0; i-- {
		size[i]++
		if i > 0 {
			size[d.idom[i]] += size[i]
		}
	}
	d.pre, d.end, d.preorder = make([]int32, n), make([]int32, n), make([]int32, n)
	free := make([]int32, n) // next free number in the subtree
	for i := range n {
		if i > 0 {
			p := d.idom[i]
			d.pre[i] = free[p]
			free[p] += size[i]
		}
		free[i] = d.pre[i] + 1
		d.end[i] = d.pre[i] + size[i]
		d.preorder[d.pre[i]] = int32(i)
	}
}

// Reachable reports whether a path leads from the entry to b.
func (d *Dom) Reachable(b *Block) bool { return d.index[b.ID] >= 0 }

// Idom returns the immediate dominator of b, nil for the entry and for
// unreachable blocks.
func (d *Dom) Idom(b *Block) *Block {
	i := d.index[b.ID]
	if i <= 0 {
		return nil
	}
	return d.RPO[d.idom[i]]
}

// Dominates reports whether every path to b leads through a, which is also so
// for a == b. It is false if one of them is unreachable.
func (d *Dom) Dominates(a, b *Block) bool {
	i, j := d.index[a.ID], d.index[b.ID]
	return i >= 0 && j >= 0 && d.pre[i] <= d.pre[j] && d.pre[j] < d.end[i]
}

// Common returns the nearest block that dominates a and b, which must be
// reachable.
func (d *Dom) Common(a, b *Block) *Block {
	i, j := d.index[a.ID], d.index[b.ID]
	for i != j {
		if i > j {
			i = d.idom[i]
		} else {
			j = d.idom[j]
		}
	}
	return d.RPO[i]
}

// Preorder calls enter for each reachable block in a walk of the tree, and
// leave when all blocks that it dominates are done.
func (d *Dom) Preorder(enter, leave func(*Block)) {
	var open []int32
	for _, i := range d.preorder {
		for len(open) > 0 && d.pre[i] >= d.end[open[len(open)-1]] {
			leave(d.RPO[open[len(open)-1]])
			open = open[:len(open)-1]
		}
		enter(d.RPO[i])
		open = append(open, i)
	}
	for len(open) > 0 {
		leave(d.RPO[open[len(open)-1]])
		open = open[:len(open)-1]
	}
}

// Loops tells which natural loops the blocks of a function are in.
type Loops struct {
	depth  []int32  // by block ID
	header []*Block // by block ID: header of the innermost loop
	outer  []*Block // by ID of a header: header of the loop around it
}

// Depth returns how many loops b is in.
func (l *Loops) Depth(b *Block) int { return int(l.depth[b.ID]) }

// Header returns the header of the innermost loop around b, or nil.
func (l *Loops) Header(b *Block) *Block { return l.header[b.ID] }

// Outer returns the header of the loop around the one whose header is h, or nil.
func (l *Loops) Outer(h *Block) *Block { return l.outer[h.ID] }

// In reports whether b is in the loop with header h; all blocks are in nil, the
// function itself.
func (l *Loops) In(b, h *Block) bool {
	for at := l.Header(b); at != h; at = l.Outer(at) {
		if at == nil {
			return false
		}
	}
	return true
}

// Loops finds the natural loops: a header and all blocks that reach one of the
// edges back to it without leaving what it dominates.
func (d *Dom) Loops() *Loops {
	n := len(d.index)
	l := &Loops{depth: make([]int32, n), header: make([]*Block, n), outer: make([]*Block, n)}
	for i := len(d.RPO) - 1; i >= 0; i-- {
		l.collect(d, d.RPO[i])
	}
	for _, b := range d.RPO {
		switch h := l.header[b.ID]; {
		case h == nil:
		case h != b:
			l.depth[b.ID] = l.depth[h.ID]
		case l.outer[b.ID] != nil:
			l.depth[b.ID] = l.depth[l.outer[b.ID].ID] + 1
		default:
			l.depth[b.ID] = 1
		}
	}
	return l
}

// collect marks the loop of header h. Inner loops are done before, and are
// skipped as a whole.
func (l *Loops) collect(d *Dom, h *Block) {
	var work []*Block
	for _, p := range h.Preds {
		if d.Dominates(h, p) {
			work = append(work, p)
		}
	}
	if len(work) == 0 {
		return
	}
	l.header[h.ID] = h
	for len(work) > 0 {
		b := l.outermost(work[len(work)-1])
		work = work[:len(work)-1]
		switch {
		case b == h:
			continue
		case l.header[b.ID] == b:
			l.outer[b.ID] = h
		default:
			l.header[b.ID] = h
		}
		for _, p := range b.Preds {
			if d.Dominates(h, p) {
				work = append(work, p)
			}
		}
	}
}

// outermost returns the header of the outermost loop that b is known to be in,
// or b itself.
func (l *Loops) outermost(b *Block) *Block {
	if h := l.header[b.ID]; h != nil {
		b = h
	}
	for l.outer[b.ID] != nil {
		b = l.outer[b.ID]
	}
	return b
}
