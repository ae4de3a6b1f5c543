package kernel

import (
	"slices"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/task"
)

// note is an input that writes its name down.
type note struct {
	name string
	book *[]string
}

func (n note) Happen() { *n.book = append(*n.book, n.name) }

func world(seed uint64) (*Kernel, *Node) {
	k := New(env.NewRandom(seed, 1))
	n := k.Add()
	n.Start()
	return k, n
}

func TestEventsComeInTheOrderOfTheirTimes(t *testing.T) {
	k, _ := world(1)
	var got []int
	for _, at := range []int{30, 10, 20} {
		k.At(task.Instant(at), func() { got = append(got, at) })
	}
	k.Run(25)
	if !slices.Equal(got, []int{10, 20}) || k.Now() != 25 {
		t.Fatalf("%v at %d", got, k.Now())
	}
}

func TestTiesAreBrokenByTheSeedAndNotByInsertion(t *testing.T) {
	orders := make(map[string]bool)
	for seed := range uint64(40) {
		k, _ := world(seed)
		order := ""
		for _, name := range []string{"a", "b", "c"} {
			k.At(5, func() { order += name })
		}
		k.Run(5)
		orders[order] = true
	}
	if len(orders) != 6 {
		t.Fatalf("of the six orders of three events, %d came up in 40 seeds", len(orders))
	}
}

func TestInputsOfABusyNodeComeInOneList(t *testing.T) {
	k, n := world(1)
	n.ListMax = 1 << 20 // a cut is unlikely then
	lists := 0
	k.OnList = func(*Node) { lists++ }
	var got []string
	n.Deliver(10_000, KindBytes, false, 0, note{"first", &got})
	for _, name := range []string{"b", "c", "d"} {
		n.Deliver(10_001, KindBytes, name == "d", 0, note{name, &got}) // the node is busy for microseconds
	}
	k.Run(1_000_000)
	if lists != 1 || len(got) != 4 || got[0] != "first" || got[1] != "d" {
		t.Fatalf("%d lists, inputs %v: completions go first", lists, got)
	}
}

func TestAPausedNodeGetsItsInputsWhenItGoesOn(t *testing.T) {
	k, n := world(1)
	k.Run(1000)
	var got []string
	n.Pause()
	n.Deliver(2000, KindBytes, false, 0, note{"x", &got})
	k.Run(100_000)
	if len(got) != 0 {
		t.Fatal("a paused node stepped")
	}
	n.Resume()
	k.Run(200_000)
	if len(got) != 1 {
		t.Fatal("the input was lost")
	}
}

func TestWhatADeadProcessBeganNeverReachesTheNext(t *testing.T) {
	k, n := world(1)
	var got []string
	n.Deliver(500, KindDisk, true, 0, note{"old", &got})
	n.Kill()
	n.Start()
	n.Deliver(500, KindDisk, true, 0, note{"new", &got})
	k.Run(100_000)
	if !slices.Equal(got, []string{"new"}) {
		t.Fatalf("%v", got)
	}
}

func TestTimersWakeANode(t *testing.T) {
	k, n := world(1)
	fired := task.Instant(0)
	n.Loop().At(task.Instant(0).Add(time.Second), func() { fired = n.Loop().Now() })
	n.Poke()
	k.Run(task.Instant(0).Add(3 * time.Second))
	if fired < task.Instant(0).Add(time.Second) || fired > task.Instant(0).Add(time.Second+time.Millisecond) {
		t.Fatalf("fired at %d", fired)
	}
}

func TestAPanicEndsTheProcessAndIsReported(t *testing.T) {
	k, n := world(1)
	var cause any
	n.Crashed = func(c any, _ string) { cause = c }
	n.Deliver(10, KindControl, false, 0, boom{})
	k.Run(100_000)
	if cause != "boom" || n.Alive() {
		t.Fatalf("%v, alive %t", cause, n.Alive())
	}
}

type boom struct{}

func (boom) Happen() { panic("boom") }

func TestTheDigestLooksAtTimeNodeKindAndPayload(t *testing.T) {
	digest := func(at task.Instant, second bool, kind Kind, payload uint64) uint64 {
		k := New(env.NewRandom(1, 1))
		nodes := []*Node{k.Add(), k.Add()}
		n := nodes[0]
		if second {
			n = nodes[1]
		}
		n.Start()
		var got []string
		n.Deliver(at, kind, false, payload, note{"x", &got})
		k.Run(1_000_000)
		return k.Digest()
	}
	base := digest(9000, false, KindBytes, 1)
	for name, other := range map[string]uint64{
		"time": digest(9001, false, KindBytes, 1), "node": digest(9000, true, KindBytes, 1),
		"kind": digest(9000, false, KindDisk, 1), "payload": digest(9000, false, KindBytes, 2),
	} {
		if other == base {
			t.Errorf("another %s gives the same digest", name)
		}
	}
	if digest(9000, false, KindBytes, 1) != base {
		t.Error("the same world gives another digest")
	}
}

func TestEveryKindHasAName(t *testing.T) {
	seen := map[string]bool{}
	for k := KindTimer; k <= KindWork; k++ {
		if name := k.String(); name == "" || seen[name] {
			t.Errorf("kind %d is called %q", k, name)
		}
		seen[k.String()] = true
	}
}
