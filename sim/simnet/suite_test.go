package simnet_test

import (
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/env/envtest"
	"barnabas/core/task"
	"barnabas/sim/kernel"
	"barnabas/sim/simnet"
)

// stormy is every fault at once that a connection survives, and often.
var stormy = simnet.Faults{
	DelayMin: 100 * time.Microsecond, DelayMean: 2 * time.Millisecond, TailIn: 50, ChunkPercent: 60, SlowPercent: 20,
}

func TestCalmNetwork(t *testing.T)   { suite(t, 1, simnet.Faults{}) }
func TestStormyNetwork(t *testing.T) { suite(t, 2, stormy) }

func suite(t *testing.T, seed uint64, faults simnet.Faults) {
	envtest.Network(t, func(*testing.T) *envtest.NetworkWorld {
		w := newWorld(seed, 2)
		w.net.SetFaults(faults)
		return &envtest.NetworkWorld{
			Host: w.net.HostOf(w.nodes[0]), Server: w.side(0), Client: w.side(1), Until: w.until,
		}
	})
}

// world is some nodes with one network.
type world struct {
	kernel *kernel.Kernel
	net    *simnet.Network
	nodes  []*kernel.Node
	ends   []env.Network
	cond   func() bool
	met    bool
}

func newWorld(seed uint64, nodes int) *world {
	k := kernel.New(env.NewRandom(seed, 99))
	w := &world{kernel: k, net: simnet.New(k)}
	for range nodes {
		n := k.Add()
		w.nodes = append(w.nodes, n)
		w.ends = append(w.ends, nil)
		n.EndOfStep = func() { w.net.Flush(n) }
		w.start(n.ID)
	}
	k.AfterStep = func(*kernel.Node) { w.ask() }
	return w
}

func (w *world) start(node int) {
	w.nodes[node].Start()
	w.ends[node] = w.net.Endpoint(w.nodes[node])
}

func (w *world) kill(node int) {
	w.net.ProcessDied(w.nodes[node])
	w.nodes[node].Kill()
}

func (w *world) ask() { w.met = w.met || w.cond != nil && w.cond() }

// call is an input that calls a function.
type call func()

func (c call) Happen() { c() }

func (w *world) do(node int, f func()) {
	done := false
	w.nodes[node].Deliver(w.kernel.Now(), kernel.KindControl, false, 0, call(func() { f(); done = true }))
	for !done && w.kernel.Run(w.kernel.Now().Add(time.Microsecond)) {
	}
}

// within says whether cond came true within virtual time.
func (w *world) within(d time.Duration, cond func() bool) bool {
	w.cond, w.met = cond, false
	defer func() { w.cond = nil }()
	w.ask()
	for end := w.kernel.Now().Add(d); !w.met && w.kernel.Now() < end; {
		w.kernel.Run(min(end, w.kernel.Now().Add(50*time.Microsecond)))
	}
	return w.met
}

func (w *world) until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	if !w.within(time.Hour, cond) {
		t.Fatalf("waited in vain for %s", what)
	}
}

func (w *world) side(node int) envtest.NetworkSide {
	return envtest.NetworkSide{
		Loop: w.nodes[node].Loop(), Network: w.ends[node], Do: func(f func()) { w.do(node, f) },
	}
}

var _ task.Input = call(nil)
