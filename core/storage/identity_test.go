package storage

import (
	"errors"
	"strings"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/simdisk"
)

const directoryID = "AAAAAAAAAAAAAAAAAAAAAQ"

func TestAnIdentityIsParsed(t *testing.T) {
	good := "#comment\n\n version = 2 \ncluster.id=c\nnode.id=4\ndirectory.id=" + directoryID + "\n"
	id, _, err := parseIdentity([]byte(good))
	if err != nil || id.ClusterID != "c" || id.NodeID != 4 || id.Directory != [16]byte{15: 1} {
		t.Errorf("%+v, %v", id, err)
	}
	cases := []struct{ name, old, change, want string }{
		{"an old Kafka's", "version = 2", "version=0", "ZooKeeper"},
		{"newer", "version = 2", "version=3", "newer version"},
		{"no version", "version = 2", "", "no version"},
		{"no node", "node.id=4", "", "node.id"},
		{"node is no number", "node.id=4", "node.id=four", "node.id"},
		{"node too large", "node.id=4", "node.id=4294967296", "node.id"},
		{"no directory", "directory.id=" + directoryID, "", "directory.id"},
		{"directory too short", directoryID, "AAAA", "directory.id"},
		{"directory is no base64", directoryID, "!!", "directory.id"},
		{"no key", "cluster.id=c", "what is this", "no '='"},
	}
	for _, c := range cases {
		if _, _, err := parseIdentity([]byte(strings.Replace(good, c.old, c.change, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// rewrite puts other bytes into a file of a stopped machine; nil removes it.
func (r *rig) rewrite(path string, p []byte) {
	e := r.begin()
	r.tell(func(t *task.Task) {
		if p == nil {
			wait(t, e.Disk.Remove(path))
		} else {
			f := wait(t, e.Disk.Open(path, env.OpenCreate))
			wait(t, f.Truncate(0))
			wait(t, f.WriteAt(p, 0))
			wait(t, f.Sync())
		}
		wait(t, e.Disk.SyncDir("data"))
	})
	r.crash(simdisk.ProcessDeath)
}

func wait[T any](t *task.Task, p *task.Pending[T]) T {
	value, err := p.Wait(t)
	if err != nil {
		panic(err)
	}
	return value
}

func TestAFolderOfSomeoneElseIsRefused(t *testing.T) {
	cases := []struct {
		name   string
		change func(r *rig, text string)
		want   string
	}{
		{"another node", func(r *rig, _ string) { r.options.NodeID = 2 }, "node 1's"},
		{"another cluster", func(r *rig, _ string) { r.options.ClusterID = "other" }, "belongs to cluster cluster"},
		{"Kafka's", func(r *rig, text string) {
			r.rewrite("data/meta.properties", []byte(strings.Replace(text, "version=2", "version=1", 1)))
		}, "Apache Kafka"},
		{"a newer version's", func(r *rig, text string) {
			r.rewrite("data/meta.properties", []byte(strings.Replace(text, "version=2", "version=3", 1)))
		}, "newer version"},
		{"a journal without identity", func(r *rig, _ string) { r.rewrite("data/meta.properties", nil) }, "files were removed"},
		{"an identity without a journal", func(r *rig, _ string) {
			for _, path := range r.machine.Files() {
				if strings.HasPrefix(path, "data/journal-") {
					r.rewrite(path, nil)
				}
			}
		}, "journal-0.checkpoint"},
		{"an identity without checkpoints", func(r *rig, _ string) {
			r.rewrite("data/journal-0.checkpoint", nil)
			r.rewrite("data/journal-1.checkpoint", nil)
		}, "Nothing was changed"},
		{"another directory's journal", func(r *rig, text string) {
			at := strings.Index(text, "directory.id=") + len("directory.id=")
			r.rewrite("data/meta.properties", []byte(text[:at]+directoryID+"\n"))
		}, "directory.id differs"},
		{"no cluster asked for", func(r *rig, _ string) { r.options.ClusterID = "" }, ""},
	}
	for _, c := range cases {
		r := newRig(1, simdisk.PosixMin)
		r.mustOpen()
		r.crash(simdisk.PowerLoss)
		text, _ := r.machine.Bytes("data/meta.properties")
		c.change(r, string(text))
		err := r.open()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestADirectoryIsOpenOnce(t *testing.T) {
	r := newRig(1, simdisk.PosixMin)
	r.mustOpen()
	e := r.directory.env
	e.Disk = r.machine.Disk(r.node.Life()) // another process
	r.tell(func(s *task.Task) {
		if _, err := Open(s, e, r.options); !errors.Is(err, env.ErrLocked) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAFirstStartMaySufferAnyCrash(t *testing.T) {
	for at := task.Instant(0); at < 3_000_000; at += 23_000 {
		r := newRig(uint64(at), simdisk.Strictness(at%3))
		e := r.begin()
		r.loop.Go("open", func(s *task.Task) {
			if _, err := Open(s, e, r.options); err != nil {
				t.Error(err)
			}
		})
		r.node.Poke()
		r.kernel.Run(at)
		r.crash(simdisk.PowerLoss)
		if err := r.open(); err != nil {
			t.Fatalf("crash at %d: %v", at, err)
		}
		id := r.directory.Identity
		r.crash(simdisk.PowerLoss)
		if r.mustOpen(); r.directory.Identity != id {
			t.Fatalf("crash at %d: the identity changed from %v to %v", at, id, r.directory.Identity)
		}
	}
}

func TestAFirstStartOnAFullDiskSaysSo(t *testing.T) {
	r := newRig(44, simdisk.PosixMin)
	full := r.machine.Inject(simdisk.Rule{
		Kinds: simdisk.Of(simdisk.OpWriteAt), Files: "*" + identityFile + ".tmp", Effect: simdisk.FailBefore, Error: env.ErrNoSpace, Times: 1,
	})
	if err := r.open(); !errors.Is(err, env.ErrNoSpace) || full.Fired != 1 {
		t.Errorf("a first start without room, after %d refusals: %v", full.Fired, err)
	}
	r.crash(simdisk.ProcessDeath)
	r.mustOpen()
}
