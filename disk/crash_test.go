package disk

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"barnabas/core/env/envtest"
	"barnabas/core/task"
)

// The variables by which the test starts itself as the process that will be killed.
const (
	crashStory  = "DISK_TEST_CRASH_STORY"
	crashFolder = "DISK_TEST_CRASH_FOLDER"
	crashDelay  = "DISK_TEST_CRASH_DELAY"
)

// TestCrashStories runs each story in a process of its own, kills it there as kill -9 does, and looks whether what is
// left is among what the simulated disk allows.
func TestCrashStories(t *testing.T) {
	if name := os.Getenv(crashStory); name != "" {
		dieTelling(t, name)
	}
	for _, c := range envtest.DiskCrashes(t) {
		for _, delay := range []string{"0s", "30us", "200us"} {
			t.Run(c.Name+" "+delay, func(t *testing.T) {
				folder := t.TempDir()
				killOne(t, c.Name, folder, delay)
				w := openWorld(t, folder, Options{})
				w.Run(func(s *task.Task) {
					got, err := envtest.ReadDisk(s, w)
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Contains(c.Outcomes("process"), got) {
						t.Errorf("the simulated disk does not allow %s", got)
					}
				})
			})
		}
	}
}

// killOne runs a story in a process that kills itself.
func killOne(t *testing.T, story, folder, delay string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashStories$")
	child.Env = append(os.Environ(), crashStory+"="+story, crashFolder+"="+folder, crashDelay+"="+delay)
	output, err := child.CombinedOutput()
	if child.ProcessState == nil || child.ProcessState.ExitCode() != -1 {
		t.Fatalf("the process was not killed: %v\n%s", err, output)
	}
}

// dieTelling is the process that is killed.
func dieTelling(t *testing.T, name string) {
	w := openWorld(t, os.Getenv(crashFolder), Options{})
	delay, _ := time.ParseDuration(os.Getenv(crashDelay))
	for _, c := range envtest.DiskCrashes(t) {
		if c.Name != name {
			continue
		}
		w.Run(func(s *task.Task) {
			if err := c.Tell(s, w); err != nil {
				t.Fatal(err)
			}
			for begun := time.Now(); time.Since(begun) < delay; {
				_ = begun // the pool works meanwhile
			}
			_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
			select {}
		})
	}
}
