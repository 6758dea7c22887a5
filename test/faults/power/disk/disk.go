package main

import (
	"sync"
	"time"
)

const rootIno = 1

// node is a file, a directory, a symbolic link or a socket, under whatever names it has.
type node struct {
	ino      uint64
	mode     uint32
	rdev     uint32
	uid, gid uint32
	target   string
	links    uint32
	modified time.Time
	// What readers see, and what is on the disk.
	now, durable *content
	// Writes that are not on the disk, in their order.
	unsynced []*piece
}

// tree has the entries of each directory.
type tree map[uint64]map[string]uint64

func (t tree) set(e edit) {
	if t[e.dir] == nil {
		t[e.dir] = map[string]uint64{}
	}
	if e.ino == 0 {
		delete(t[e.dir], e.name)
	} else {
		t[e.dir][e.name] = e.ino
	}
}

// edit gives a name to a node, or takes it away where ino is 0.
type edit struct {
	dir  uint64
	name string
	ino  uint64
}

// change is one step of the file system's journal: names that change together, or the new size of a file.
type change struct {
	seq   uint64
	edits []edit
	// The nodes whose names these are.
	named []uint64
	sized *node
	size  int64
}

// disk keeps two states, the one that processes see and the one that a loss of power leaves, and what lies between them.
//
// The rule, by default that of a journaling file system such as ext4 in ordered mode:
//   - A write is on the disk after an fsync (fdatasync, msync, O_SYNC, O_DSYNC) of its file.
//   - Changes of names and sizes are ordered: one is on the disk only with all that came before it. An fsync of a file
//     puts them there up to the last one of that file: its creation, renaming, linking, resizing. One of a directory:
//     up to the last one in that directory, or of it.
//   - Owner, mode and times of a node are on the disk at once. No program here relies on their loss.
//
// With strictNames it promises no more than POSIX does: an fsync of a file says nothing about its name, which is on the
// disk after an fsync of the directory.
type disk struct {
	mu          sync.Mutex
	strictNames bool
	// How long a sync takes at most.
	syncTime     time.Duration
	seq          uint64
	lastIno      uint64
	nodes        map[uint64]*node
	now, durable tree
	unsynced     []*change
}

func newDisk(strictNames bool, syncTime time.Duration) *disk {
	d := &disk{strictNames: strictNames, syncTime: syncTime, lastIno: rootIno, now: tree{}, durable: tree{}}
	d.nodes = map[uint64]*node{rootIno: {ino: rootIno, mode: modeDir | 0o700, links: 2, modified: time.Now()}}
	return d
}

func (d *disk) nextSeq() uint64 {
	d.seq++
	return d.seq
}

func (d *disk) newNode(mode, uid, gid uint32) *node {
	d.lastIno++
	n := &node{ino: d.lastIno, mode: mode, uid: uid, gid: gid, modified: time.Now()}
	if mode&modeType == modeRegular {
		n.now, n.durable = newContent(), newContent()
	}
	d.nodes[n.ino] = n
	return n
}

// name changes what processes see; the change is on the disk after a sync.
func (d *disk) name(edits []edit, named ...uint64) {
	for _, e := range edits {
		d.now.set(e)
		d.nodes[e.dir].modified = time.Now()
	}
	d.unsynced = append(d.unsynced, &change{seq: d.nextSeq(), edits: edits, named: named})
}

func (d *disk) write(n *node, offset int64, data []byte) {
	for _, p := range split(offset, data, d.nextSeq) {
		n.now.write(p)
		n.unsynced = append(n.unsynced, p)
	}
	n.modified = time.Now()
}

func (d *disk) truncate(n *node, size int64) {
	n.now.truncate(size)
	n.modified = time.Now()
	d.unsynced = append(d.unsynced, &change{seq: d.nextSeq(), sized: n, size: size})
}
