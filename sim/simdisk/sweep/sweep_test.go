package sweep_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
	"barnabas/sim/simdisk/sweep"
)

// scribe is a program that writes numbers into a file and says how many are durable.
type scribe struct {
	bug   string
	disk  *simdisk.Disk
	said  uint64
	gives error // why it gave up
}

const numbers = 6

func (w *scribe) write(s *task.Task) error {
	if _, err := w.disk.MakeFolder("data").Wait(s); err != nil {
		return err
	}
	f, err := w.disk.Open("data/numbers-7", env.OpenCreate).Wait(s)
	if err != nil {
		return err
	}
	defer f.Close()
	if w.bug != "folder" {
		for _, folder := range []string{"data", ""} {
			if _, err := w.disk.SyncDir(folder).Wait(s); err != nil {
				return err
			}
		}
	}
	for n := uint64(1); n <= numbers; n++ {
		if _, err := f.WriteAt(binary.LittleEndian.AppendUint64(nil, n), int64(n-1)*env.BlockBytes).Wait(s); err != nil {
			if w.bug == "panics" && errors.Is(err, env.ErrNoSpace) {
				panic("who would have thought")
			}
			return err
		}
		_, err := f.Sync().Wait(s)
		if w.bug == "retries" && err != nil {
			_, err = f.Sync().Wait(s)
		}
		if err != nil && w.bug != "ignores" {
			return err
		}
		w.said = n
	}
	return nil
}

// read returns how many numbers are there.
func (w *scribe) read(s *task.Task) (uint64, error) {
	f, err := w.disk.Open("data/numbers-7", env.OpenExisting).Wait(s)
	if errors.Is(err, env.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	p := make([]byte, numbers*env.BlockBytes)
	n, err := f.ReadAt(p, 0).Wait(s)
	if err != nil {
		return 0, err
	}
	count := uint64(0)
	for int(count)*env.BlockBytes < n && binary.LittleEndian.Uint64(p[count*env.BlockBytes:]) == count+1 {
		count++
	}
	return count, nil
}

// run is the scribe's life: it writes, the power goes, and what it said must be there.
func run(bug string) sweep.Run {
	return func(arm func(*simdisk.Machine)) error {
		k := kernel.New(env.NewRandom(5, 5))
		defer k.End()
		node := k.Add()
		machine := simdisk.New(k, node, simdisk.Plain(simdisk.PosixMin))
		arm(machine)
		w := &scribe{bug: bug}
		live := func(story func(s *task.Task)) {
			ended := false
			loop := node.Start()
			w.disk = machine.Disk(node.Life())
			loop.Go("scribe", func(s *task.Task) {
				story(s)
				ended = true
			})
			for !ended && node.Alive() && k.Run(k.Now().Add(time.Second)) {
			}
		}
		live(func(s *task.Task) { w.gives = w.write(s) })
		if node.Alive() {
			machine.PowerLost()
			node.Kill()
		}
		machine.EndFaults()
		var there uint64
		err := errors.New("the reader never ended")
		live(func(s *task.Task) { there, err = w.read(s) })
		if err != nil {
			return err
		}
		if there < w.said {
			return fmt.Errorf("%d numbers are there, it said %d", there, w.said)
		}
		return nil
	}
}

func TestASweepFailsEveryOperation(t *testing.T) {
	r, err := sweep.Over(sweep.Options{}, run(""))
	if err != nil || len(r.Failures) > 0 {
		t.Fatalf("%v\n%v", err, r)
	}
	// make folder, open, two syncs of folders, six writes and six syncs.
	if r.Operations != 16 || r.Sites != 16 || r.Fired != r.Tries {
		t.Errorf("%v", r)
	}
	want := map[string]int{
		"write numbers-# fails partly (no space left on the device)":   6,
		"sync numbers-# fails partly (input/output error)":             6,
		"sync numbers-# crashes during (power)":                        6,
		"open numbers-# fails before (too many open files)":            1,
		"sync folder / fails after (input/output error)":               1,
		"make folder data crashes after (process)":                     1,
		"sync folder data fails before (the file system is read-only)": 1,
	}
	for _, row := range r.Rows {
		delete(want, fmt.Sprintf("%v %s %v", row.Kind, row.Class, row.Outcome))
	}
	if len(want) > 0 {
		t.Errorf("never tried: %v\n%v", want, r)
	}
	again, _ := sweep.Over(sweep.Options{}, run(""))
	if r.String() != again.String() {
		t.Error("the second sweep differs")
	}
}

func TestASweepFindsWhatIsWrong(t *testing.T) {
	for bug, want := range map[string]string{
		"ignores": "it said", "retries": "it said", "folder": "it said", "panics": "who would have thought",
	} {
		r, err := sweep.Over(sweep.Options{FailuresMax: 1}, run(bug))
		if err != nil && bug == "folder" && strings.Contains(err.Error(), want) {
			continue // no fault is needed for that one
		}
		if err != nil || len(r.Failures) == 0 || !strings.Contains(r.Failures[0].Err.Error(), want) {
			t.Errorf("%s: %v\n%v", bug, err, r)
		}
	}
}

func TestAFaultThatDoesNotFireIsAFailure(t *testing.T) {
	arms := 0
	r, err := sweep.Over(sweep.Options{FailuresMax: 3}, func(arm func(*simdisk.Machine)) error {
		if arms++; arms > 1 { // another program than the one that was listed
			return run("folder")(func(m *simdisk.Machine) {
				arm(m)
				m.EndFaults()
			})
		}
		return run("")(arm)
	})
	if err != nil || r.Fired != 0 || len(r.Failures) != 3 {
		t.Errorf("%v\n%v", err, r)
	}
	if _, err := sweep.Over(sweep.Options{}, func(func(*simdisk.Machine)) error { return nil }); err == nil {
		t.Error("a program that is never armed is swept")
	}
}

func TestSitesAreBoundedByClass(t *testing.T) {
	for _, most := range []int{1, 2, 3, 5, 6, 7} {
		o := sweep.Options{PerClass: most, Outcomes: func(simdisk.Kind) []sweep.Outcome {
			return []sweep.Outcome{{Effect: simdisk.FailBefore, Error: env.ErrIO}}
		}}
		o.Keep = func(s simdisk.Site) bool { return s.Kind == simdisk.OpSync }
		if r, err := sweep.Over(o, run("")); err != nil || r.Tries != min(most, numbers) {
			t.Errorf("%d: %v\n%v", most, err, r)
		}
	}
}
