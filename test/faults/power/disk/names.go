package main

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const noReplace = 1

// make adds a node under a name that is not there.
func (m *mounted) make(header *fuse.InHeader, name string, mode uint32, out *fuse.EntryOut, with func(*node)) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	defer m.disk.mu.Unlock()
	if m.disk.now[header.NodeId][name] != 0 {
		return fuse.Status(syscall.EEXIST)
	}
	n := m.disk.newNode(mode, header.Uid, header.Gid)
	n.links = 1
	if mode&modeType == modeDir {
		n.links = 2
	}
	with(n)
	m.disk.name([]edit{{header.NodeId, name, n.ino}}, n.ino)
	n.entry(out)
	return fuse.OK
}

func (m *mounted) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	return m.make(&in.InHeader, name, modeRegular|in.Mode&0o7777, &out.EntryOut, func(*node) {})
}

func (m *mounted) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	return m.make(&in.InHeader, name, in.Mode, out, func(n *node) { n.rdev = in.Rdev })
}

func (m *mounted) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return m.make(&in.InHeader, name, modeDir|in.Mode&0o7777, out, func(*node) {})
}

func (m *mounted) Symlink(_ <-chan struct{}, header *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return m.make(header, name, syscall.S_IFLNK|0o777, out, func(n *node) { n.target = target })
}

func (m *mounted) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	defer m.disk.mu.Unlock()
	if m.disk.now[in.NodeId][name] != 0 {
		return fuse.Status(syscall.EEXIST)
	}
	n := m.disk.nodes[in.Oldnodeid]
	n.links++
	m.disk.name([]edit{{in.NodeId, name, n.ino}}, n.ino)
	n.entry(out)
	return fuse.OK
}

func (m *mounted) Readlink(_ <-chan struct{}, header *fuse.InHeader) ([]byte, fuse.Status) {
	if !m.enter() {
		return nil, fuse.EIO
	}
	defer m.disk.mu.Unlock()
	return []byte(m.disk.nodes[header.NodeId].target), fuse.OK
}

func (m *mounted) Unlink(_ <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	return m.remove(header.NodeId, name)
}

func (m *mounted) Rmdir(_ <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	return m.remove(header.NodeId, name)
}

func (m *mounted) remove(dir uint64, name string) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	defer m.disk.mu.Unlock()
	ino := m.disk.now[dir][name]
	if ino == 0 {
		return fuse.ENOENT
	}
	if len(m.disk.now[ino]) > 0 {
		return fuse.Status(syscall.ENOTEMPTY)
	}
	m.disk.nodes[ino].links--
	m.disk.name([]edit{{dir, name, 0}}, ino)
	return fuse.OK
}

func (m *mounted) Rename(_ <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	defer m.disk.mu.Unlock()
	if in.Flags&^noReplace != 0 {
		return fuse.EINVAL
	}
	ino, replaced := m.disk.now[in.NodeId][from], m.disk.now[in.Newdir][to]
	switch {
	case ino == 0:
		return fuse.ENOENT
	case ino == replaced:
		return fuse.OK
	case replaced == 0:
		m.disk.name([]edit{{in.NodeId, from, 0}, {in.Newdir, to, ino}}, ino)
		return fuse.OK
	case in.Flags&noReplace != 0:
		return fuse.Status(syscall.EEXIST)
	case len(m.disk.now[replaced]) > 0:
		return fuse.Status(syscall.ENOTEMPTY)
	}
	m.disk.nodes[replaced].links--
	m.disk.name([]edit{{in.NodeId, from, 0}, {in.Newdir, to, ino}}, ino, replaced)
	return fuse.OK
}
