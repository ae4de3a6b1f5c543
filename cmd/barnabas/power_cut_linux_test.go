package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/core/mutant"
)

// These are for just power-cut, which needs root and a kernel with loop devices, FUSE and ext4:
//
//	go test ./cmd/barnabas -run '^TestPowerCut$' -count=1 -v -timeout 1h -power.cuts 50
//	go test -tags mutants … -power.mutant ack-before-sync
var (
	powerCuts   = flag.Int("power.cuts", 0, "how often TestPowerCut cuts the power under load; 0 leaves it out")
	powerSeed   = flag.Uint64("power.seed", 0, "the seed of its choices; 0 takes a new one")
	powerMutant = flag.String("power.mutant", "", "the bug its broker has, which must then lose something")
)

// powerPlace is the variable by which the test starts itself where its mounts are nobody else's, and end with it.
const powerPlace = "POWER_TEST_FOLDER"

// TestPowerCut runs the broker on an ext4 whose disk is this test's own, and cuts that disk's power at random moments
// under load, also while the broker recovers. What the kernel had not written to the disk is lost, and of what it had
// written and not flushed, any part. The file system is mounted as it was left, a broker is started on it, and what is
// there is compared with what was acknowledged.
//
// With a mutant it looks for the opposite: that such a broker loses something shows that the test can see it.
func TestPowerCut(t *testing.T) {
	if *powerCuts == 0 {
		t.Skip("just power-cut runs it")
	}
	folder := os.Getenv(powerPlace)
	if folder == "" {
		startApart(t)
		return
	}
	p := newPower(t, folder)
	if *powerMutant != "" {
		p.lose()
		return
	}
	p.k.begin()
	for range *powerCuts {
		fresh := p.k.load()
		p.k.crash(p.k.broker)
		fresh.abandon()
		p.k.crashEarly()
		p.k.start()
		p.k.took = append(p.k.took, p.k.broker.took)
		p.k.verify(true)
		t.Logf("cut %d: %s; ready after %v; %d acknowledged so far, %d read", len(p.k.took), p.story,
			p.k.broker.took.Round(time.Millisecond), p.k.history.count(), p.k.history.read)
	}
	p.k.end()
	t.Logf("%s; %d flushes", p.k.totals("power cuts"), p.flushes)
}

// startApart runs the test again as a process with mounts of its own.
func startApart(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("the test mounts file systems: it must be run by root")
	}
	folder, err := os.MkdirTemp("", "barnabas-power-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(folder) // it is empty then, or holds what there is to look at
	words := []string{"-test.run=^TestPowerCut$", "-test.count=1", fmt.Sprint("-test.v=", testing.Verbose())}
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "power.cuts" || f.Name == "power.seed" || f.Name == "power.mutant" || f.Name == "test.timeout" {
			words = append(words, "-"+f.Name+"="+f.Value.String())
		}
	})
	child := exec.Command(os.Args[0], words...)
	child.Env = append(os.Environ(), powerPlace+"="+folder)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	// Whatever it starts ends with it, and it ends with us.
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
	}
	runtime.LockOSThread() // the signal comes when the thread ends that started it
	defer runtime.UnlockOSThread()
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
}

// power is the disk and its supply.
type power struct {
	t       *testing.T
	k       *killLoop
	line    line
	folder  string
	device  *device
	mounted *mounted
	before  *device // as it was found after the last cut
	story   string
	flushes int
}

func newPower(t *testing.T, folder string) *power {
	seed := *powerSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	p := &power{t: t, folder: folder}
	t.Cleanup(func() { p.end(seed) })
	p.k = newKillLoop(t, seed, filepath.Join(folder, "root", "data"), "fsync")
	p.k.crash, p.k.dial = p.crash, kgo.Dialer(p.line.dial)
	var err error
	if p.device, err = makeFileSystem(folder); err != nil {
		t.Fatal(err)
	}
	p.mount()
	return p
}

// mount mounts what is on the disk, in one of the ways people mount ext4, on a disk as fast as any.
func (p *power) mount() {
	p.t.Helper()
	random := p.k.random
	p.device.writeTakes = time.Duration(20<<random.IntN(5)) * time.Microsecond
	p.device.flushTakes = time.Duration(100<<random.IntN(6)) * time.Microsecond
	ways := []string{"", "commit=1", "data=writeback", "nodelalloc", "data=journal"}
	way := ways[random.IntN(len(ways))]
	var err error
	if p.mounted, err = mountDevice(p.device, p.folder, way); err != nil {
		p.t.Fatalf("%s: %v", way, err)
	}
}

// crash cuts the power, and mounts what is left.
func (p *power) crash(b *broker) {
	p.t.Helper()
	if p.k.random.IntN(3) > 0 {
		p.device.awaitWrites(1+p.k.random.IntN(4), 20*time.Millisecond) // in the middle of something
	}
	closeAll := p.line.cut()
	left, story := p.device.cut(p.k.random)
	closeAll()
	p.story = story
	b.kill()
	p.flushes += p.device.flushes
	if err := p.mounted.unmount(); err != nil {
		p.t.Fatal(err)
	}
	p.device, p.before = left, left.copy()
	p.mount()
	p.line.mend()
}

// end leaves the disk of the last cut behind when the test has failed.
func (p *power) end(seed uint64) {
	if p.k.broker != nil {
		p.k.broker.kill()
	}
	err := p.mounted.unmount()
	if p.t.Failed() && p.before != nil {
		image := filepath.Join(p.folder, "cut.image")
		err = errors.Join(err, p.before.save(image))
		p.t.Logf("-power.seed %d; the last cut: %s\nthe disk as it was left is %s; look at it with\n\tmount -o loop %s /mnt && ls /mnt/data", seed, p.story, image, image)
	}
	if err = errors.Join(err, os.Remove(filepath.Join(p.folder, "shown")), os.Remove(filepath.Join(p.folder, "root"))); err != nil {
		p.t.Error(err)
	}
}

// lose cuts the power of a broker with a bug until something is lost.
func (p *power) lose() {
	entry, found := mutant.Find(*powerMutant)
	if !found || !mutant.Available {
		p.t.Fatalf("no mutant %q in this build: it takes -tags mutants", *powerMutant)
	}
	p.t.Setenv(mutantVariable, entry.Name)
	p.k.begin()
	for _, w := range p.k.writers {
		w.given.Store(true) // what a lying broker refuses later is no news
	}
	for cut := range *powerCuts {
		fresh := p.k.load()
		p.k.crash(p.k.broker)
		fresh.abandon()
		if lost := p.loss(); lost != "" {
			p.t.Logf("cut %d of %d, %s: something is lost with %s: %s", cut+1, *powerCuts, p.story, entry.Name, lost)
			return
		}
	}
	p.t.Errorf("nothing is lost with %s in %d cuts, %d records acknowledged", entry.Name, *powerCuts, p.k.history.count())
}

// loss starts a broker and says what is not there any more, or "".
func (p *power) loss() string {
	p.k.broker = launch(p.t, p.k.folder, p.k.words()...)
	if !p.becomesReady(p.k.broker) {
		return "the broker does not start: " + p.k.broker.said()
	}
	if problems := p.k.history.verify(p.k.broker, true); problems != nil {
		if report := p.k.history.judge(p.t); report.Clean() {
			p.t.Error("the judge of histories sees nothing of it")
		} else {
			p.t.Logf("the judge of histories finds %s", p.k.history.h.Describe(&report.Findings[0]))
		}
		return problems[0]
	}
	return ""
}

// becomesReady waits until the broker is ready or has ended, and says whether it is ready.
func (p *power) becomesReady(b *broker) bool {
	for begun := time.Now(); time.Since(begun) < patience; pause() {
		select {
		case <-b.ended:
			return false
		default:
		}
		if _, err := os.Stat(b.ready); err == nil {
			return b.isReady(p.t)
		}
	}
	p.t.Fatalf("neither ready nor ended after %v:\n%s", patience, b.said())
	return false
}
