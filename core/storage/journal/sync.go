package journal

import (
	"slices"

	"barnabas/core/task"
)

// Under durability=replicated a commit is stable when its write returned, and "known durable" advances only by explicit
// syncs (rule J6): at once for commits that must be durable before they count, otherwise once in a while.

func (j *Journal) markDirty(s *segment) {
	if !slices.Contains(j.dirty, s) {
		j.dirty = append(j.dirty, s)
	}
}

func (j *Journal) scheduleSync() {
	switch {
	case j.syncTo > j.marks.Durable:
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
	j.syncing = true
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
