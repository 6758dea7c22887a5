package main

import (
	"io"
	"os"
	"os/exec"
	"syscall"
)

// guard is a process that outlives this one, whatever kills it, and takes away what it left mounted.
type guard struct {
	command *exec.Cmd
	// Never written to: it ends with this process. Kept, or the garbage collector would close it before.
	lifeline io.WriteCloser
}

func startGuard(mountPoint string) (*guard, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, "-guard", mountPoint)
	// In a session of its own no signal to the group of this one reaches it.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	lifeline, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &guard{command, lifeline}, command.Start()
}

func (g *guard) end() {
	_ = g.lifeline.Close()
	_ = g.command.Wait()
}

func watch(mountPoint string) {
	_, _ = io.Copy(io.Discard, os.Stdin)
	abort(mountPoint)
}
