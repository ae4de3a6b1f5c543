package journal

import (
	"slices"

	"barnabas/core/task"
)

// Under durability=replicated a commit is stable when its write returned, and "known durable" advances only by explicit
// syncs (rule J6): at once for commits that must be durable before they count, otherwise once in a while, by time and
// by bytes. Commits go through the system's cache; segments are made, numbered and read past it, and the disk keeps both
// ways alike.

func (j *Journal) markDirty(s *segment) {
	if !slices.Contains(j.dirty, s) {
		j.dirty = append(j.dirty, s)
	}
}

func (j *Journal) scheduleSync() {
	switch {
	case j.syncTo > j.marks.Durable || j.unsynced >= syncBytes:
		j.sync()
	case len(j.dirty) > 0 && j.syncTimer == nil:
		j.syncTimer = j.env.Loop.At(j.env.Loop.Now().Add(syncInterval), func() {
			j.syncTimer = nil
			j.sync()
		})
	}
}

// sync makes everything written so far durable. While one is under way it does nothing: its end looks again.
func (j *Journal) sync() {
	if j.syncing || len(j.dirty) == 0 || j.failure != nil {
		return
	}
	j.syncing, j.unsynced = true, 0
	covers := j.marks.Written
	files := j.dirty
	j.dirty = nil
	left := len(files)
	for _, s := range files {
		s.file.Sync().Then(func(_ task.Done, err error) {
			if err != nil {
				// A failed sync proves that bytes may be lost; another one would prove nothing.
				j.fail(err)
				return
			}
			if left--; left == 0 {
				j.syncing = false
				j.marked(Marks{Written: covers, Durable: covers})
				j.scheduleSync()
			}
		})
	}
}

// durableWait is somebody who waits until a commit is durable.
type durableWait struct {
	sequence uint64
	done     *task.Pending[task.Done]
}

// AwaitDurable completes when all commits up to the sequence are durable, under either setting, or with why they never
// will be.
func (j *Journal) AwaitDurable(sequence uint64) *task.Pending[task.Done] {
	done := task.NewPending[task.Done](j.env.Loop)
	if j.failure != nil || j.marks.Durable >= sequence {
		done.Complete(task.Done{}, j.failure)
		return done
	}
	j.waits = append(j.waits, durableWait{sequence, done})
	if !j.options.Synced {
		j.syncTo = max(j.syncTo, sequence)
		j.scheduleSync()
	}
	return done
}

func (j *Journal) wakeDurable() {
	left := j.waits[:0]
	for _, w := range j.waits {
		if j.failure != nil || j.marks.Durable >= w.sequence {
			w.done.Complete(task.Done{}, j.failure)
			continue
		}
		left = append(left, w)
	}
	clear(j.waits[len(left):])
	j.waits = left
}
