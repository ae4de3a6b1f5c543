package storage

import (
	"fmt"
	"slices"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

// Of the files that are kept open, those used longest ago go first, and none that is in use.
func TestTheLeastRecentlyUsedFileIsClosed(t *testing.T) {
	r := newRig(21, simdisk.PosixMin)
	e := r.begin()
	f := &files{disk: e.Disk, most: 3}
	kept := func() (names []string) {
		for o := f.recent.prev; o != &f.recent; o = o.prev {
			names = append(names, o.path)
		}
		if len(names) != len(f.open) {
			t.Errorf("%d files in the ring, %d by name", len(names), len(f.open))
		}
		return names
	}
	want := func(names ...string) {
		t.Helper()
		if got := kept(); !slices.Equal(got, names) {
			t.Fatalf("open are %v, want %v", got, names)
		}
	}
	r.tell(func(s *task.Task) {
		wait(s, e.Disk.MakeFolder("x"))
		take := func(name string) *openFile {
			o, err := f.take(s, name, env.OpenCreate)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		for i := range 3 {
			f.release(take(fmt.Sprint(i)))
		}
		want("0", "1", "2")
		f.release(take("0"))
		want("1", "2", "0")
		held := take("1")
		want("2", "0", "1")
		f.release(take("x/3"))
		want("0", "1", "x/3")
		f.release(take("x/4"))
		want("1", "x/3", "x/4")
		f.release(take("5"))
		f.release(take("6"))
		want("1", "5", "6")
		f.release(take("x/3"))
		f.forgetUnder("x")
		want("1", "6")
		f.forget("1")
		want("6")
		if held.stale != true || held.uses != 1 {
			t.Errorf("a file in use was let go: %+v", held)
		}
		f.release(held)
		f.shrink(0)
		want()
		f.release(take("7"))
		want("7")
	})
}
