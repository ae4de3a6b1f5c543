package net_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"barnabas/core/env/envtest"
	"barnabas/net"
	"barnabas/net/host"
)

// patience is how long a test waits for what must come. It only ends tests that fail.
const patience = 20 * time.Second

func TestNetwork(t *testing.T) {
	envtest.Network(t, func(t *testing.T) *envtest.NetworkWorld {
		return newWorld(t, net.Options{Poison: true}).suite()
	})
}

// world is a host that runs, with a network: both sides of every connection.
type world struct {
	host    *host.Host
	network *net.Network
	stop    chan struct{}
	ended   chan error

	waits chan wait
	cond  wait // the loop's
}

type wait struct {
	cond func() bool
	met  chan struct{}
}

func newWorld(t testing.TB, options net.Options) *world {
	checkGoroutines(t)
	w := &world{
		host: host.New(host.Options{}), stop: make(chan struct{}), ended: make(chan error, 1), waits: make(chan wait, 1),
	}
	w.network = net.New(w.host, options)
	w.host.AfterStep(w.askCond)
	go func() { w.ended <- w.host.Run(w.stop) }()
	t.Cleanup(func() {
		close(w.stop)
		if err := <-w.ended; err != nil {
			t.Errorf("the host ended with %v", err)
		}
	})
	return w
}

func (w *world) askCond() {
	if w.cond.cond != nil && w.cond.cond() {
		close(w.cond.met)
		w.cond = wait{}
	}
}

func (w *world) do(f func()) {
	done := make(chan struct{})
	w.host.Post(host.Call(func() {
		defer close(done)
		f()
	}), false)
	<-done
}

func (w *world) until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	met := make(chan struct{})
	w.do(func() { w.cond = wait{cond, met} })
	select {
	case <-met:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

func (w *world) suite() *envtest.NetworkWorld {
	side := envtest.NetworkSide{Loop: w.host.Loop(), Network: w.network, Do: w.do}
	return &envtest.NetworkWorld{
		Host: "localhost", Server: side, Client: side,
		Until: func(t *testing.T, what string, cond func() bool) { w.until(t, what, cond) },
	}
}

// checkGoroutines fails the test if, in the end, goroutines are left that were not there before.
func checkGoroutines(t testing.TB) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for deadline := time.Now().Add(patience); ; runtime.Gosched() {
			if runtime.NumGoroutine() <= before {
				return
			}
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				stacks = stacks[:runtime.Stack(stacks, true)]
				t.Errorf("%d goroutines are left, %d were there:\n%s",
					runtime.NumGoroutine(), before, strings.TrimSpace(string(stacks)))
				return
			}
		}
	})
}
