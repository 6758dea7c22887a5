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
