// Command lossy-disk is a file system in memory that loses power when it is told to: what was not synced is then gone, or
// some of it, as disk.go and survive.go say.
//
//	lossy-disk [-strict-names] [-sync-time 2ms] MOUNTPOINT
//
// It takes one command a line and answers each with one line of JSON:
//
//	mount            the disk as it is can be used
//	cut              the power is cut: from here on no operation is answered, and nothing more reaches the disk
//	lose MODE SEED   the machine is off: the mount is gone, and of what was not synced there is what MODE leaves
//	                 (nothing, prefix or pages, by SEED)
//
// At the end of its input, and when it is killed, the mount goes with it.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
)

func main() {
	strictNames := flag.Bool("strict-names", false, "a name is on the disk after a sync of its directory only")
	syncTime := flag.Duration("sync-time", 0, "how long a sync takes at most")
	guarded := flag.Bool("guard", false, "only unmount, at the end of the input")
	flag.Parse()
	mountPoint := flag.Arg(0)
	if *guarded {
		watch(mountPoint)
		return
	}
	guard, err := startGuard(mountPoint)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	host := &host{mountPoint: mountPoint, disk: newDisk(*strictNames, *syncTime)}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer, err := host.obey(strings.Fields(lines.Text()))
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		line, _ := json.Marshal(answer)
		fmt.Println(string(line))
	}
	host.cut()
	host.unmount()
	guard.end()
}

func (h *host) obey(words []string) (any, error) {
	done := map[string]bool{"done": true}
	switch {
	case len(words) == 1 && words[0] == "mount":
		return done, h.mount()
	case len(words) == 1 && words[0] == "cut":
		h.cut()
		return done, nil
	case len(words) == 3 && words[0] == "lose":
		seed, err := strconv.ParseUint(words[2], 10, 64)
		if err != nil {
			return nil, err
		}
		h.cut()
		h.unmount()
		return h.disk.lose(words[1], seed)
	}
	return nil, fmt.Errorf("unknown command %q", strings.Join(words, " "))
}
