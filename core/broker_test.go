package core_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"barnabas/core"
	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// machine is a simulated machine that brokers are started on.
type machine struct {
	t      *testing.T
	kernel *kernel.Kernel
	net    *simnet.Network
	node   *kernel.Node
	disk   *simdisk.Machine
	starts uint64
	failed []string
}

func newMachine(t *testing.T) *machine {
	k := kernel.New(env.NewRandom(1, 9))
	m := &machine{t: t, kernel: k, net: simnet.New(k), node: k.Add()}
	m.node.EndOfStep = func() { m.net.Flush(m.node) }
	m.disk = simdisk.New(k, m.node, simdisk.Plain(simdisk.PosixMin))
	m.node.Start()
	return m
}

// open starts a broker in the node's present process and waits until it is ready or gives up.
func (m *machine) open(o core.Options) (*core.Broker, core.Started, error) {
	m.starts++
	s, _, err := config.Parse([]config.Pair{
		{Name: "journal.segment.bytes", Value: "65536"},
		{Name: "message.max.bytes", Value: "16384"},
		{Name: "journal.commit.max.bytes", Value: "16384"},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	o.Settings = s
	if o.Listeners == nil {
		o.Listeners = []string{"n0:9092"}
	}
	b := core.Open(env.Env{
		Loop: m.node.Loop(), Clock: clock{m.node}, Disk: m.disk.Disk(m.node.Life()), Network: m.net.Endpoint(m.node),
		Work: m.node.Work(), Random: env.NewRandom(2, m.starts), Probe: env.NoProbe{}, Talk: talk{m},
	}, o)
	var started core.Started
	b.Ready().Then(func(s core.Started, e error) { started, err = s, e })
	m.wait(b.Ready().IsDone)
	return b, started, err
}

func (m *machine) wait(until func() bool) {
	m.t.Helper()
	m.node.Poke()
	for limit := m.kernel.Now().Add(time.Minute); !until(); m.kernel.Run(m.kernel.Now().Add(time.Millisecond)) {
		if m.kernel.Now() > limit {
			m.t.Fatal("it takes for ever")
		}
	}
	m.kernel.Run(m.kernel.Now().Add(time.Millisecond))
}

func (m *machine) restart(power bool) {
	if power {
		m.disk.PowerLost()
	} else {
		m.disk.ProcessDied()
	}
	m.net.ProcessDied(m.node)
	m.node.Kill()
	m.node.Start()
}

type clock struct{ node *kernel.Node }

func (c clock) Wall() env.Timestamp { return env.Timestamp(c.node.Loop().Now() / 1e6) }

type talk struct{ m *machine }

func (talk) Say(string)          {}
func (t talk) Fail(reason error) { t.m.failed = append(t.m.failed, reason.Error()) }

func TestAStartSaysWhatItFound(t *testing.T) {
	m := newMachine(t)
	f := func(when, recovery string) (*core.Broker, core.Started) {
		t.Helper()
		b, s, err := m.open(core.Options{Folder: "data", ClusterID: "c"})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if !strings.HasPrefix(s.Recovery, recovery) || s.Durability != "fsync" || s.ClusterID != "c" || len(s.Addresses) != 1 || s.Addresses[0] != "n0:9092" {
			t.Errorf("%s: %+v, want %q", when, s, recovery)
		}
		return b, s
	}
	b, _ := f("at first", "new log directory")
	m.wait(b.Stop().IsDone)
	m.restart(true)
	f("after a stop", "after a clean stop")
	m.restart(false)
	f("after a crash", "after a crash")
	m.restart(true)
	f("after a power loss", "after a crash")
}

func TestADirectoryOfAnotherClusterIsRefused(t *testing.T) {
	m := newMachine(t)
	if _, _, err := m.open(core.Options{Folder: "data", ClusterID: "ours"}); err != nil {
		t.Fatal(err)
	}
	m.restart(false)
	if _, _, err := m.open(core.Options{Folder: "data", ClusterID: "theirs"}); err == nil {
		t.Error("a directory of another cluster was taken")
	}
	m.restart(false)
	if _, s, err := m.open(core.Options{Folder: "data"}); err != nil || s.ClusterID != "ours" {
		t.Errorf("without a cluster id: %+v, %v", s, err)
	}
}

func TestASecondBrokerOnOneFolderOrAddressIsRefused(t *testing.T) {
	m := newMachine(t)
	if _, _, err := m.open(core.Options{Folder: "data"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.open(core.Options{Folder: "other"}); !errors.Is(err, env.ErrAddressInUse) {
		t.Errorf("the same address: %v", err)
	}
	if _, _, err := m.open(core.Options{Folder: "data", Listeners: []string{"n0:9093"}}); !errors.Is(err, env.ErrLocked) {
		t.Errorf("the same folder: %v", err)
	}
}

func TestEachProcessIsAnIncarnationAndABrokerEpochOfItsOwn(t *testing.T) {
	m := newMachine(t)
	last := int64(-1)
	seen := make(map[[16]byte]bool)
	for start := range 4 {
		b, _, err := m.open(core.Options{Folder: "data"})
		if err != nil {
			t.Fatal(err)
		}
		me := b.Image().Brokers.At(1)
		if me.Fenced || me.Epoch <= last || me.Epoch != b.Directory().BrokerEpoch() || seen[b.Incarnation()] || me.Incarnation != b.Incarnation() {
			t.Errorf("start %d: %+v; last epoch %d, journalled %d", start, *me, last, b.Directory().BrokerEpoch())
		}
		last, seen[b.Incarnation()] = me.Epoch, true
		m.restart(start%2 == 0)
	}
	if len(m.failed) > 0 {
		t.Error(m.failed)
	}
}
