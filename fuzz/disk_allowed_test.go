package fuzz

import (
	"slices"

	"barnabas/core/env"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
)

// simulated is a process on a simulated disk.
type simulated struct {
	diskRunner
	kernel  *kernel.Kernel
	node    *kernel.Node
	machine *simdisk.Machine
	loop    *task.Loop
}

func newSimulated() *simulated {
	k := kernel.New(env.NewRandom(1, 7))
	s := &simulated{kernel: k, node: k.Add()}
	s.machine = simdisk.New(k, s.node, simdisk.Plain(simdisk.PosixMin))
	s.loop = s.node.Start()
	s.disk = s.machine.Disk(s.node.Life())
	return s
}

func (s *simulated) run(story func(t *task.Task)) {
	ended := false
	s.loop.Go("story", func(t *task.Task) {
		story(t)
		ended = true
	})
	s.node.Poke()
	for !ended {
		if !s.kernel.Run(s.kernel.Now()+2000) && !ended {
			panic("the story waits for nothing")
		}
	}
}

// replay runs operations one by one and returns their outcomes.
func (s *simulated) replay(ops []diskOp) (outcomes []string) {
	s.run(func(t *task.Task) {
		for _, o := range ops {
			outcomes = append(outcomes, s.begin(o)(t))
		}
	})
	return outcomes
}

// state is what the machine holds, as a process sees it.
func (s *simulated) state() (state diskState) {
	s.run(func(t *task.Task) {
		var err error
		if state, err = readState(t, s.disk, ""); err != nil {
			panic(err)
		}
	})
	return state
}

// judge looks for an order in which the simulated disk gives these outcomes and ends as allowed says. Every batch is
// over before the next begins, so only the order within batches is free.
type judge struct {
	script   [][]diskOp
	outcomes [][]string // of all batches that were waited for
	allowed  func(order []diskOp) bool
	replays  int
}

// find tries the batches from number at on, after the operations in order.
func (j *judge) find(at int, order []diskOp) bool {
	if at == len(j.outcomes) {
		return j.allowed(order)
	}
	found := false
	permute(j.script[at], j.outcomes[at], func(ops []diskOp, want []string) bool {
		j.replays++
		got := newSimulated().replay(slices.Concat(order, ops))
		if slices.Equal(got[len(order):], want) && j.find(at+1, slices.Concat(order, ops)) {
			found = true
		}
		return !found
	})
	return found
}

// permute calls visit with every order of the operations that makes a difference, and their outcomes alike, until it
// returns false.
func permute(ops []diskOp, outcomes []string, visit func([]diskOp, []string) bool) {
	var take func(ops, restOps []diskOp, words, restWords []string) bool
	take = func(ops, restOps []diskOp, words, restWords []string) bool {
		if len(restOps) == 0 {
			return visit(ops, words)
		}
		for i := range restOps {
			if len(ops) > 0 && ops[len(ops)-1].number > restOps[i].number && commute(ops[len(ops)-1], restOps[i]) {
				continue // the other order of these two was there already
			}
			if !take(append(slices.Clip(ops), restOps[i]), slices.Delete(slices.Clone(restOps), i, i+1),
				append(slices.Clip(words), restWords[i]), slices.Delete(slices.Clone(restWords), i, i+1)) {
				return false
			}
		}
		return true
	}
	take(nil, ops, nil, outcomes)
}

// commute says whether the order of two operations of a batch makes no difference. Those on names depend on each other;
// a read depends on writes elsewhere, since these move the file's end.
func commute(a, b diskOp) bool {
	if a.isTransfer() && b.isTransfer() {
		return (a.verb == "read") == (b.verb == "read")
	}
	return a.isOnFile() != b.isOnFile() || a.verb == "sync" || b.verb == "sync"
}

// leaves says whether the simulated disk holds this after the operations, when all of them have completed.
func leaves(order []diskOp, want diskState) bool {
	s := newSimulated()
	s.replay(order)
	return slices.Equal(s.state(), want)
}

// dies says whether it may hold this when the process dies after the operations, with others in progress.
func dies(order, last []diskOp, want diskState) (allowed bool) {
	permute(last, make([]string, len(last)), func(last []diskOp, _ []string) bool {
		s := newSimulated()
		s.replay(order)
		s.run(func(*task.Task) {
			for _, o := range last {
				s.begin(o)
			}
		})
		s.machine.CrashStates(simdisk.ProcessDeath, 1<<12, func(left *simdisk.Machine) {
			if !allowed {
				allowed = slices.Equal(machineState(left), want)
			}
		})
		return !allowed
	})
	return allowed
}

// machineState is what a machine without a process holds.
func machineState(m *simdisk.Machine) diskState {
	k := kernel.New(env.NewRandom(2, 7))
	s := &simulated{kernel: k, node: k.Add(), machine: m}
	m.Attach(k, s.node)
	s.loop = s.node.Start()
	s.disk = m.Disk(s.node.Life())
	return s.state()
}
