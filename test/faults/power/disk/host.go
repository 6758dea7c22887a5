package main

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// host mounts one disk, again after each loss of power.
type host struct {
	mountPoint string
	disk       *disk
	mounted    *mounted
	server     *fuse.Server
}

func (h *host) mount() error {
	h.mounted = newMounted(h.disk)
	server, err := fuse.NewServer(h.mounted, h.mountPoint, &fuse.MountOptions{
		FsName: "lossy", Name: "lossy",
		// By the system call: no fusermount is needed, only the right to mount.
		DirectMountStrict:        true,
		DisableXAttrs:            true,
		DisableReadDirPlus:       true,
		ExplicitDataCacheControl: true,
	})
	if err != nil {
		h.mounted = nil
		return err
	}
	h.server = server
	go server.Serve()
	return server.WaitMount()
}

func (h *host) cut() {
	if h.mounted == nil {
		return
	}
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	select {
	case <-h.mounted.isCut:
	default:
		close(h.mounted.isCut)
	}
}

// unmount ends the connection: every operation that waits fails, also of processes that go on.
func (h *host) unmount() {
	if h.mounted == nil {
		return
	}
	abort(h.mountPoint)
	close(h.mounted.isOver)
	h.server.Wait()
	h.mounted = nil
}

// abort: forced, the kernel gives up the connection, even where files are open; detached, the mount is gone from here.
func abort(mountPoint string) {
	_ = syscall.Unmount(mountPoint, syscall.MNT_FORCE)
	_ = syscall.Unmount(mountPoint, syscall.MNT_DETACH)
}
