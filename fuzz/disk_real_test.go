//go:build unix

package fuzz

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/disk"
)

var (
	diskScripts = flag.Int("disk.scripts", 300, "how many random scripts TestDiskScripts runs")
	diskKills   = flag.Int("disk.kills", 60, "how many scripts TestDiskScriptsKilled runs, each in a process of its own")
	diskSeed    = flag.Uint64("disk.seed", 0, "the first script's seed; 0 takes a new one")
)

// firstSeed is where a run of scripts begins.
func firstSeed() uint64 {
	if *diskSeed != 0 {
		return *diskSeed
	}
	return rand.Uint64() >> 16
}

// realDisk is a process on the real disk, its loop in small.
type realDisk struct {
	diskRunner
	posix *disk.Posix
	loop  *task.Loop
	inbox chan task.Input
	begun time.Time
}

// openReal opens the real disk in one of its ways, chosen by the seed.
func openReal(folder string, seed uint64) *realDisk {
	r := &realDisk{loop: task.NewLoop(0, nil), inbox: make(chan task.Input, 1024), begun: time.Now()}
	options := disk.Options{Folder: folder, Buffered: seed%4 == 0, Workers: []int{0, 0, 1, 2}[seed/4%4]}
	r.posix = disk.NewPosix(r.loop, func(in task.Input) { r.inbox <- in }, options)
	r.disk, r.folder = r.posix, folder+"/"
	return r
}

func (r *realDisk) run(story func(t *task.Task)) {
	ended := false
	r.loop.Go("story", func(t *task.Task) {
		story(t)
		ended = true
	})
	var completions []task.Input
	for {
		r.loop.Step(task.Instant(time.Since(r.begun)), completions, nil)
		if ended {
			return
		}
		completions = append(completions[:0], <-r.inbox)
	}
}

// stateOf reads a folder with a fresh process.
func stateOf(t *testing.T, folder string) (state diskState) {
	t.Helper()
	r := openReal(folder, 1)
	defer r.posix.Stop()
	r.run(func(s *task.Task) {
		var err error
		if state, err = readState(s, r.disk, r.folder); err != nil {
			t.Fatal(err)
		}
	})
	return state
}

// TestDiskScripts runs random scripts on the real disk. What they saw and what they leave must be what the simulated disk
// gives for some order of what was in progress together.
func TestDiskScripts(t *testing.T) {
	first, replays := firstSeed(), 0
	for seed := first; seed < first+uint64(*diskScripts); seed++ {
		script, folder := drawScript(seed), t.TempDir()
		r := openReal(folder, seed)
		var outcomes [][]string
		r.run(func(s *task.Task) {
			for _, ops := range script {
				outcomes = append(outcomes, r.batch(s, ops))
			}
			for handle := range r.files {
				r.close(handle)
			}
		})
		r.posix.Stop()
		left := stateOf(t, folder)
		j := judge{script: script, outcomes: outcomes, allowed: func(order []diskOp) bool { return leaves(order, left) }}
		if !j.find(0, nil) {
			t.Fatalf("-disk.seed %d: the simulated disk does not allow this:\n%s%v", seed, tellScript(script, outcomes), left)
		}
		replays += j.replays
	}
	t.Logf("%d scripts from seed %d, %d replays", *diskScripts, first, replays)
}

// The variables by which the test starts itself as the process that is killed.
const (
	scriptSeed   = "DISK_SCRIPT_SEED"
	scriptFolder = "DISK_SCRIPT_FOLDER"
)

// TestDiskScriptsKilled ends each script with kill -9 while its last batch is in progress.
func TestDiskScriptsKilled(t *testing.T) {
	if os.Getenv(scriptSeed) != "" {
		dieInScript(t)
	}
	first := firstSeed()
	for seed := first; seed < first+uint64(*diskKills); seed++ {
		script, folder := drawScript(seed), t.TempDir()
		outcomes := killInScript(t, seed, folder)
		left := stateOf(t, filepath.Join(folder, "disk"))
		last := script[len(script)-1]
		j := judge{script: script, outcomes: outcomes, allowed: func(order []diskOp) bool { return dies(order, last, left) }}
		if !j.find(0, nil) {
			t.Fatalf("-disk.seed %d: the simulated disk does not allow this:\n%s%v", seed, tellScript(script, outcomes), left)
		}
	}
	t.Logf("%d scripts from seed %d", *diskKills, first)
}

// killInScript runs a script in a process that kills itself, and returns what that had seen by then.
func killInScript(t *testing.T, seed uint64, folder string) (outcomes [][]string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestDiskScriptsKilled$")
	child.Env = append(os.Environ(), scriptSeed+"="+strconv.FormatUint(seed, 10), scriptFolder+"="+folder)
	said, err := child.CombinedOutput()
	if child.ProcessState == nil || child.ProcessState.ExitCode() != -1 {
		t.Fatalf("the process was not killed: %v\n%s", err, said)
	}
	text, err := os.ReadFile(filepath.Join(folder, "outcomes"))
	if err == nil {
		err = json.Unmarshal(text, &outcomes)
	}
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// dieInScript is the process that is killed.
func dieInScript(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv(scriptSeed), 10, 64)
	folder := os.Getenv(scriptFolder)
	script := drawScript(seed)
	if err := os.Mkdir(filepath.Join(folder, "disk"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := openReal(filepath.Join(folder, "disk"), seed)
	r.run(func(s *task.Task) {
		outcomes := [][]string{}
		for _, ops := range script[:len(script)-1] {
			outcomes = append(outcomes, r.batch(s, ops))
		}
		text, err := json.Marshal(outcomes)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "outcomes"), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range script[len(script)-1] {
			r.begin(o)
		}
		delay := time.Duration(env.NewRandom(seed, 10).Below(300, 1)) * time.Microsecond
		for begun := time.Now(); time.Since(begun) < delay; {
			_ = begun // the pool works meanwhile
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	})
}
