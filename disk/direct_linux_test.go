package disk

import (
	"testing"

	"golang.org/x/sys/unix"

	"barnabas/core/env"
	"barnabas/core/task"
)

// TestDirectWritesAreUsed looks behind the curtain: where the probe says so, the second descriptor is there.
func TestDirectWritesAreUsed(t *testing.T) {
	w := openWorld(t, t.TempDir(), Options{})
	if w.Disk.Describe().Write != "O_DIRECT|O_DSYNC" {
		t.Skip("no direct writes here")
	}
	w.Run(func(s *task.Task) {
		opened, err := w.Disk.Open(w.Folder+"/f", env.OpenNew).Wait(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opened.WriteSync(w.Disk.Buffer(8192), 0).Wait(s); err != nil {
			t.Fatal(err)
		}
		f := opened.(*file)
		flags, err := unix.FcntlInt(uintptr(f.directDescriptor()), unix.F_GETFL, 0)
		if err != nil || flags&unix.O_DSYNC == 0 || flags&unix.O_DIRECT == 0 {
			t.Errorf("flags %x, %v", flags, err)
		}
		opened.Close()
	})
}
