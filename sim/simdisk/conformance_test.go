package simdisk

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"barnabas/core/env"
	"barnabas/core/env/envtest"
	"barnabas/core/task"
	"barnabas/sim/kernel"
)

var update = flag.Bool("update", false, "write the outcomes of crash stories anew")

// rig is one machine with one node.
type rig struct {
	kernel  *kernel.Kernel
	node    *kernel.Node
	machine *Machine
	disk    *Disk
	loop    *task.Loop
}

func newRig(seed uint64, p Profile) *rig {
	k := kernel.New(env.NewRandom(seed, 7))
	r := &rig{kernel: k, node: k.Add()}
	r.machine = New(k, r.node, p)
	r.start()
	return r
}

func (r *rig) start() {
	r.loop = r.node.Start()
	r.disk = r.machine.Disk(r.node.Life())
}

// run runs a story to its end and stops the world in that instant.
func (r *rig) run(story func(t *task.Task)) {
	ended := false
	r.loop.Go("story", func(t *task.Task) {
		story(t)
		ended = true
	})
	r.node.Poke()
	for !ended {
		if !r.kernel.Run(r.kernel.Now()+2000) && !ended {
			panic("the story waits for nothing")
		}
	}
}

func (r *rig) world() *envtest.DiskWorld {
	return &envtest.DiskWorld{
		Disk: r.disk, Run: r.run, Other: func() env.Disk { return r.machine.Disk(r.node.Life()) },
	}
}

func TestConformance(t *testing.T) {
	for seed := range uint64(6) {
		p := Drawn(env.NewRandom(seed, 1), seed)
		if seed == 0 {
			p = Plain(Ordered)
		}
		envtest.Disk(t, func(*testing.T) *envtest.DiskWorld { return newRig(seed, p).world() })
	}
}

// TestCrashStories computes what each story may leave and compares it with what stands after it.
func TestCrashStories(t *testing.T) {
	kinds := []string{"process", "power ordered", "power posix-min", "power adversarial"}
	for _, c := range envtest.DiskCrashes(t) {
		t.Run(c.Name, func(t *testing.T) {
			outcomes := map[string][]string{}
			for _, strictness := range []Strictness{Ordered, PosixMin, Adversarial} {
				r := newRig(1, Plain(strictness))
				r.run(func(s *task.Task) {
					if err := c.Tell(s, r.world()); err != nil {
						t.Fatal(err)
					}
				})
				power := "power " + strictness.String()
				outcomes["process"] = append(outcomes["process"], allowed(t, r.machine, ProcessDeath)...)
				outcomes[power] = allowed(t, r.machine, PowerLoss)
			}
			for _, kind := range kinds {
				slices.Sort(outcomes[kind])
				outcomes[kind] = slices.Compact(outcomes[kind])
				if n := len(outcomes[kind]); n > 64 {
					outcomes[kind] = []string{fmt.Sprintf("%d outcomes", n)}
				}
				if !*update && !slices.Equal(outcomes[kind], c.Outcomes(kind)) {
					t.Errorf("%s: got\n%q\nwant\n%q", kind, outcomes[kind], c.Outcomes(kind))
				}
			}
			if *update {
				file := "../../core/env/envtest/testdata/disk/crashes/" + c.Name + ".txt"
				if err := os.WriteFile(file, []byte(c.Text(kinds, outcomes)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func allowed(t *testing.T, m *Machine, kind Crash) (outcomes []string) {
	_, complete := m.CrashStates(kind, 1<<14, func(left *Machine) { outcomes = append(outcomes, render(left)) })
	if !complete {
		t.Errorf("the story has too many outcomes to list")
	}
	return outcomes
}

func render(m *Machine) string {
	paths := m.Files()
	var contents [][]byte
	for _, path := range paths {
		content, _ := m.Bytes(path)
		contents = append(contents, content)
	}
	return envtest.RenderDisk(paths, contents)
}
