package main

import (
	"math/rand/v2"
	"time"
)

// sync puts on the disk what the rule says, of what was there when it was asked: what comes meanwhile may be lost.
// Called with the lock held, which it gives away for the time that it takes.
func (d *disk) sync(n *node, again func() bool) bool {
	upTo := d.seq
	if d.syncTime > 0 {
		d.mu.Unlock()
		time.Sleep(time.Duration(rand.Int64N(int64(d.syncTime))))
		if !again() {
			return false
		}
	}
	d.commit(d.meant(n, upTo))
	var later []*piece
	for _, p := range n.unsynced {
		if p.seq <= upTo {
			n.durable.write(p)
		} else {
			later = append(later, p)
		}
	}
	n.unsynced = later
	return true
}

// meant tells which changes a sync of the node puts on the disk.
func (d *disk) meant(n *node, upTo uint64) func(*change) bool {
	var last uint64
	if !d.strictNames {
		for _, c := range d.unsynced {
			if c.seq <= upTo && (c.sized == n || c.touches(n.ino)) {
				last = c.seq
			}
		}
		return func(c *change) bool { return c.seq <= last }
	}
	// Of a directory: its own, and whatever these need of others, which a rename between two of them shares.
	chosen := map[*change]bool{}
	dirs := map[uint64]bool{n.ino: true}
	for i := len(d.unsynced) - 1; i >= 0; i-- {
		c := d.unsynced[i]
		if c.seq > upTo {
			continue
		}
		chosen[c] = c.sized == n
		for _, e := range c.edits {
			chosen[c] = chosen[c] || dirs[e.dir]
		}
		for _, e := range c.edits {
			dirs[e.dir] = dirs[e.dir] || chosen[c]
		}
	}
	return func(c *change) bool { return chosen[c] }
}

func (c *change) touches(ino uint64) bool {
	for _, e := range c.edits {
		if e.dir == ino {
			return true
		}
	}
	for _, named := range c.named {
		if named == ino {
			return true
		}
	}
	return false
}

// commit puts changes on the disk, in their order.
func (d *disk) commit(chosen func(*change) bool) {
	var left []*change
	for _, c := range d.unsynced {
		if !chosen(c) {
			left = append(left, c)
			continue
		}
		for _, e := range c.edits {
			d.durable.set(e)
		}
		if c.sized != nil {
			c.sized.resizeDurable(c)
		}
	}
	d.unsynced = left
}

// resizeDurable also cuts off what was written before and is not on the disk yet: it would come back behind the end.
func (n *node) resizeDurable(c *change) {
	n.durable.truncate(c.size)
	for _, p := range n.unsynced {
		if p.seq < c.seq && p.end() > c.size {
			p.data = p.data[:max(0, int64(len(p.data))+c.size-p.end())]
		}
	}
}
