package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/net/host"
)

// onOverlay tells a story on a disk over the real one.
func onOverlay(t *testing.T, story func(*task.Task, env.Disk)) {
	t.Helper()
	h := host.New(host.Options{})
	d := newOverlay(h)
	h.Loop().Go("story", func(task *task.Task) {
		story(task, d)
		h.Fail(errLooked)
	})
	if err := h.Run(nil); !errors.Is(err, errLooked) {
		t.Fatal(err)
	}
}

func wait[T any](t *testing.T, on *task.Task, p *task.Pending[T]) T {
	t.Helper()
	value, err := p.Wait(on)
	if err != nil {
		t.Error(err)
	}
	return value
}

// TestOverlayFile reads, writes and truncates at random, on a file that is there and on a new one, and compares with bytes in
// memory. The real file stays as it was.
func TestOverlayFile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		path := filepath.Join(t.TempDir(), "file")
		var model []byte
		if round%2 == 0 {
			model = bytes.Repeat([]byte("real"), random.IntN(8000))
			if err := os.WriteFile(path, model, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := bytes.Clone(model)
		onOverlay(t, func(on *task.Task, d env.Disk) {
			file := wait(t, on, d.Open(path, env.OpenCreate))
			for range 60 {
				at := random.IntN(4 * 8192)
				p := bytes.Repeat([]byte{byte(random.IntN(2) * random.IntN(256))}, random.IntN(3*4096))
				switch random.IntN(4) {
				case 0, 1:
					if len(p) == 0 {
						continue
					}
					wait(t, on, file.WriteAt(p, int64(at)))
					model = append(model, make([]byte, max(0, at+len(p)-len(model)))...)
					copy(model[at:], p)
				case 2:
					if random.IntN(4) == 0 {
						wait(t, on, file.Truncate(int64(at)))
						model = append(model[:min(at, len(model))], make([]byte, max(0, at-len(model)))...)
					}
				case 3:
					n := wait(t, on, file.ReadAt(p, int64(at)))
					if want := model[min(at, len(model)):min(at+len(p), len(model))]; !bytes.Equal(p[:n], want) {
						t.Fatalf("round %d: %d bytes at %d differ", round, n, at)
					}
				}
				if size := wait(t, on, file.Size()); size != int64(len(model)) {
					t.Fatalf("round %d: %d bytes, want %d", round, size, len(model))
				}
			}
			file.Close()
		})
		after, _ := os.ReadFile(path)
		if !bytes.Equal(after, before) {
			t.Error("the real file has changed")
		}
	}
}

// TestOverlayNames makes, renames and removes files, and shows that only those who look here see it.
func TestOverlayNames(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := footprint(t, folder)
	onOverlay(t, func(on *task.Task, d env.Disk) {
		at := func(name string) string { return folder + "/" + name }
		if _, err := d.Open(at("absent"), env.OpenExisting).Wait(on); !errors.Is(err, env.ErrNotExist) {
			t.Errorf("opened what is not there: %v", err)
		}
		if _, err := d.Open(at("one"), env.OpenNew).Wait(on); !errors.Is(err, env.ErrExist) {
			t.Errorf("made what is there: %v", err)
		}
		wait(t, on, d.Open(at("three"), env.OpenNew)).Close()
		wait(t, on, d.Rename(at("one"), at("two")))
		wait(t, on, d.MakeFolder(at("below")))
		wait(t, on, d.Open(at("below/four"), env.OpenCreate)).Close()
		if names := wait(t, on, d.List(folder)); !slices.Equal(names, []string{"three", "two"}) {
			t.Errorf("%q", names)
		}
		if names := wait(t, on, d.List(at("below"))); !slices.Equal(names, []string{"four"}) {
			t.Errorf("%q", names)
		}
		p := make([]byte, 9)
		file := wait(t, on, d.Open(at("two"), env.OpenExisting))
		if n := wait(t, on, file.ReadAt(p, 0)); string(p[:n]) != "one" {
			t.Errorf("renamed, it has %q", p[:n])
		}
		file.Close()
		wait(t, on, d.Remove(at("two")))
		if _, err := d.Remove(at("two")).Wait(on); !errors.Is(err, env.ErrNotExist) {
			t.Errorf("removed twice: %v", err)
		}
	})
	if after := footprint(t, folder); after != before {
		t.Errorf("%s\nnow\n%s", before, after)
	}
}
