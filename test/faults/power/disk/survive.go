package main

import (
	"fmt"
	"math/rand/v2"
	"sort"
)

// loss tells what a loss of power took.
type loss struct {
	UnsyncedWrites  int `json:"unsyncedWrites"`
	UnsyncedChanges int `json:"unsyncedChanges"`
	// Of those, what survived.
	KeptWrites  int `json:"keptWrites"`
	KeptChanges int `json:"keptChanges"`
}

// survivor tells what of the unsynced lasts; what is synced always does.
type survivor struct {
	// Changes up to this one.
	changes uint64
	write   func(n *node, p *piece) bool
}

// survivors: `nothing` of the unsynced survives; a `prefix` of it, as if the disk had written everything in order and
// stopped; `pages`: a prefix of the changes, and of each page on its own so many of its writes as the lot says.
func (d *disk) survivors(mode string, random *rand.Rand) (survivor, error) {
	switch mode {
	case "nothing":
		return survivor{0, func(*node, *piece) bool { return false }}, nil
	case "prefix":
		seqs := d.unsyncedSeqs()
		last := uint64(0)
		if kept := random.IntN(len(seqs) + 1); kept > 0 {
			last = seqs[kept-1]
		}
		return survivor{last, func(_ *node, p *piece) bool { return p.seq <= last }}, nil
	case "pages":
		last := uint64(0)
		if kept := random.IntN(len(d.unsynced) + 1); kept > 0 {
			last = d.unsynced[kept-1].seq
		}
		return survivor{last, d.pageSurvivor(random, last)}, nil
	}
	return survivor{}, fmt.Errorf("unknown mode %q", mode)
}

func (d *disk) unsyncedSeqs() []uint64 {
	var seqs []uint64
	for _, c := range d.unsynced {
		seqs = append(seqs, c.seq)
	}
	for _, n := range d.nodes {
		for _, p := range n.unsynced {
			seqs = append(seqs, p.seq)
		}
	}
	sort.Slice(seqs, func(i, j int) bool { return seqs[i] < seqs[j] })
	return seqs
}

func (d *disk) pageSurvivor(random *rand.Rand, lastChange uint64) func(*node, *piece) bool {
	kept := map[*piece]bool{}
	for _, n := range d.sortedNodes() {
		// What was written behind the new end of a file whose new size is lost has no place.
		until := ^uint64(0)
		for _, c := range d.unsynced {
			if c.sized == n && c.seq > lastChange {
				until = min(until, c.seq)
			}
		}
		pages := map[int64][]*piece{}
		var order []int64
		for _, p := range n.unsynced {
			if p.seq > until {
				continue
			}
			if pages[p.page] == nil {
				order = append(order, p.page)
			}
			pages[p.page] = append(pages[p.page], p)
		}
		for _, page := range order {
			for _, p := range pages[page][:someOf(random, len(pages[page]))] {
				kept[p] = true
			}
		}
	}
	return func(_ *node, p *piece) bool { return kept[p] }
}

// someOf: none and all are as likely as anything between.
func someOf(random *rand.Rand, n int) int {
	switch random.IntN(3) {
	case 0:
		return 0
	case 1:
		return n
	}
	return random.IntN(n + 1)
}

func (d *disk) sortedNodes() []*node {
	nodes := make([]*node, 0, len(d.nodes))
	for _, n := range d.nodes {
		nodes = append(nodes, n)
	}
	sort.Slice(nodes, func(i, j int) bool { return nodes[i].ino < nodes[j].ino })
	return nodes
}

// lose takes away what does not survive; what is left is what processes see from now on.
func (d *disk) lose(mode string, seed uint64) (loss, error) {
	it, err := d.survivors(mode, rand.New(rand.NewPCG(seed, 0)))
	if err != nil {
		return loss{}, err
	}
	told := loss{UnsyncedChanges: len(d.unsynced)}
	// Sizes and writes of a file in the order in which they came.
	sizes := map[*node][]*change{}
	for _, c := range d.unsynced {
		if c.seq > it.changes {
			continue
		}
		told.KeptChanges++
		for _, e := range c.edits {
			d.durable.set(e)
		}
		if c.sized != nil {
			sizes[c.sized] = append(sizes[c.sized], c)
		}
	}
	for _, n := range d.nodes {
		told.UnsyncedWrites += len(n.unsynced)
		resized := sizes[n]
		for _, p := range n.unsynced {
			for len(resized) > 0 && resized[0].seq < p.seq {
				n.durable.truncate(resized[0].size)
				resized = resized[1:]
			}
			if it.write(n, p) {
				told.KeptWrites++
				n.durable.write(p)
			}
		}
		for _, c := range resized {
			n.durable.truncate(c.size)
		}
	}
	d.restart()
	return told, nil
}

// restart: the machine starts anew, and a node without a name on the disk is gone.
func (d *disk) restart() {
	nodes := map[uint64]*node{rootIno: d.nodes[rootIno]}
	now, durable := tree{}, tree{}
	var visit func(dir uint64)
	visit = func(dir uint64) {
		for name, ino := range d.durable[dir] {
			now.set(edit{dir, name, ino})
			durable.set(edit{dir, name, ino})
			n := d.nodes[ino]
			if nodes[ino] != nil {
				n.links++
				continue
			}
			nodes[ino] = n
			n.links = 1
			n.unsynced = nil
			if n.durable != nil {
				n.now = n.durable.clone()
			}
			if n.mode&modeType == modeDir {
				n.links = 2
				visit(ino)
			}
		}
	}
	visit(rootIno)
	d.nodes, d.now, d.durable, d.unsynced = nodes, now, durable, nil
}
