package main

import (
	"sort"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const (
	modeType    = syscall.S_IFMT
	modeDir     = syscall.S_IFDIR
	modeRegular = syscall.S_IFREG
	// Nobody else changes what is here, so what the kernel knows stays true.
	cachedSeconds = 3600
	freeBytes     = 64 << 30
	noReplace     = 1
)

// mounted is the disk as the kernel sees it between two losses of power.
type mounted struct {
	fuse.RawFileSystem
	disk *disk
	// Closed when the power is cut, and when the mount is over.
	isCut, isOver chan struct{}
	listings      sync.Map
	lastListing   uint64
}

func newMounted(d *disk) *mounted {
	return &mounted{
		RawFileSystem: fuse.NewDefaultRawFileSystem(), disk: d,
		isCut: make(chan struct{}), isOver: make(chan struct{}),
	}
}

// enter takes the lock. Whatever comes after the cut waits until the machine is off, and is never answered.
func (m *mounted) enter() bool {
	m.disk.mu.Lock()
	select {
	case <-m.isCut:
		m.disk.mu.Unlock()
		<-m.isOver
		return false
	default:
		return true
	}
}

func (m *mounted) String() string { return "lossy" }

func (n *node) attributes(out *fuse.Attr) {
	out.Ino, out.Mode, out.Nlink, out.Rdev, out.Blksize = n.ino, n.mode, n.links, n.rdev, pageBytes
	out.Uid, out.Gid = n.uid, n.gid
	if n.now != nil {
		out.Size = uint64(n.now.size)
		out.Blocks = uint64(len(n.now.pages)) * (pageBytes / 512)
	} else {
		out.Size = uint64(len(n.target))
	}
	out.SetTimes(&n.modified, &n.modified, &n.modified)
}

func (n *node) entry(out *fuse.EntryOut) {
	out.NodeId, out.EntryValid, out.AttrValid = n.ino, cachedSeconds, cachedSeconds
	n.attributes(&out.Attr)
}

func (m *mounted) Lookup(_ <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	defer m.disk.mu.Unlock()
	ino := m.disk.now[header.NodeId][name]
	if ino == 0 {
		return fuse.ENOENT
	}
	m.disk.nodes[ino].entry(out)
	return fuse.OK
}

func (m *mounted) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	defer m.disk.mu.Unlock()
	out.AttrValid = cachedSeconds
	m.disk.nodes[in.NodeId].attributes(&out.Attr)
	return fuse.OK
}

func (m *mounted) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	defer m.disk.mu.Unlock()
	n := m.disk.nodes[in.NodeId]
	if size, ok := in.GetSize(); ok {
		m.disk.truncate(n, int64(size))
	}
	if mode, ok := in.GetMode(); ok {
		n.mode = n.mode&modeType | mode
	}
	if uid, ok := in.GetUID(); ok {
		n.uid = uid
	}
	if gid, ok := in.GetGID(); ok {
		n.gid = gid
	}
	if at, ok := in.GetMTime(); ok {
		n.modified = at
	}
	out.AttrValid = cachedSeconds
	n.attributes(&out.Attr)
	return fuse.OK
}

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

func (m *mounted) Open(_ <-chan struct{}, _ *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	// Kept: several processes map the same file, and a page that one of them wrote must not be dropped for another.
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

func (m *mounted) Read(_ <-chan struct{}, in *fuse.ReadIn, into []byte) (fuse.ReadResult, fuse.Status) {
	if !m.enter() {
		return nil, fuse.EIO
	}
	defer m.disk.mu.Unlock()
	return fuse.ReadResultData(m.disk.nodes[in.NodeId].now.read(int64(in.Offset), into[:in.Size])), fuse.OK
}

func (m *mounted) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if !m.enter() {
		return 0, fuse.EIO
	}
	defer m.disk.mu.Unlock()
	m.disk.write(m.disk.nodes[in.NodeId], int64(in.Offset), data)
	return uint32(len(data)), fuse.OK
}

// Closing puts nothing on a disk.
func (m *mounted) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }

func (m *mounted) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	if !m.disk.sync(m.disk.nodes[in.NodeId], m.enter) {
		return fuse.EIO
	}
	m.disk.mu.Unlock()
	return fuse.OK
}

func (m *mounted) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return m.Fsync(cancel, in)
}

// OpenDir takes the listing as it is: whoever removes entries while reading on must not miss others.
func (m *mounted) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if !m.enter() {
		return fuse.EIO
	}
	defer m.disk.mu.Unlock()
	entries := []fuse.DirEntry{{Name: ".", Ino: in.NodeId, Mode: modeDir}, {Name: "..", Mode: modeDir}}
	for name, ino := range m.disk.now[in.NodeId] {
		entries = append(entries, fuse.DirEntry{Name: name, Ino: ino, Mode: m.disk.nodes[ino].mode})
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name < entries[j].Name })
	m.lastListing++
	out.Fh = m.lastListing
	m.listings.Store(out.Fh, entries)
	return fuse.OK
}

func (m *mounted) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	listing, _ := m.listings.Load(in.Fh)
	entries := listing.([]fuse.DirEntry)
	for i := in.Offset; i < uint64(len(entries)); i++ {
		if !out.AddDirEntry(entries[i]) {
			break
		}
	}
	return fuse.OK
}

func (m *mounted) ReleaseDir(in *fuse.ReleaseIn) { m.listings.Delete(in.Fh) }

func (m *mounted) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	const blocks = freeBytes / pageBytes
	*out = fuse.StatfsOut{Bsize: pageBytes, Frsize: pageBytes, Blocks: blocks, Bfree: blocks, Bavail: blocks, NameLen: 255}
	return fuse.OK
}
