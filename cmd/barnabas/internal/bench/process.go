package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Process is what another process used, as Linux tells in /proc.
type Process struct {
	CPU          time.Duration // user and system, since it began
	RSS, RSSMost int64         // bytes now, and at most ever
}

// ticks a second, in which Linux gives CPU times to user space on every architecture that Go runs on.
const ticks = 100

// Look finds out about a process. Errors: there is none, or the system has no /proc.
func Look(pid int) (Process, error) {
	var p Process
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, fmt.Errorf("nothing can be said of process %d: %w", pid, err)
	}
	// The name in parentheses may hold anything, so what follows its end is counted.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return p, fmt.Errorf("/proc/%d/stat is not as expected: %q", pid, stat)
	}
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return p, err
		}
		p.CPU += time.Duration(n) * time.Second / ticks
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return p, err
	}
	p.RSS, p.RSSMost = kilobytes(string(status), "VmRSS:"), kilobytes(string(status), "VmHWM:")
	return p, nil
}

func kilobytes(status, name string) int64 {
	_, after, found := strings.Cut(status, name)
	if !found {
		return 0
	}
	n, _ := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	return n << 10
}
