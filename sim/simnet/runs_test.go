package simnet_test

import (
	"slices"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/sim/simnet"
)

// storm is some traffic under every fault, with deaths, blocks and resets. It checks what a network owes everybody.
func storm(t *testing.T, seed uint64) (digest uint64, counted map[string]int) {
	counted = map[string]int{}
	w := newWorld(seed, 4)
	faults := stormy
	faults.LossIn, faults.HalfOpenPercent = 300, 50
	w.net.SetFaults(faults)
	w.net.Counted = func(kind string) { counted[kind]++ }
	r := w.kernel.Random
	draw := func(i int, n uint64, key uint64) uint64 { return r.Below(n, 9000, uint64(i), key) }

	var all []*traffic
	storms := bound
	storms.FramesHeldMax = 2
	address := w.listenWith(t, 0, storms, func(c env.Conn) env.ConnHandler {
		tr := &traffic{t: t, conn: c}
		all = append(all, tr)
		return tr
	})
	for i := range 150 {
		node := 1 + int(draw(i, 3, 0))
		switch draw(i, 12, 1) {
		case 0, 1, 2:
			tr := &traffic{t: t, node: node}
			w.do(node, func() {
				w.ends[node].Dial(address, storms, tr).Then(func(c env.Conn, err error) {
					if err == nil {
						tr.conn = c
						all = append(all, tr)
					}
				})
			})
		case 3:
			w.kill(node)
			w.start(node)
			for _, tr := range all {
				tr.dead = tr.dead || tr.node == node
			}
		case 4:
			w.net.Block(w.nodes[node], w.nodes[0])
			w.within(time.Duration(draw(i, 1e9, 2)), func() bool { return false })
			w.net.Unblock(w.nodes[node], w.nodes[0])
		case 5:
			w.net.Reset(w.nodes[node], w.nodes[0])
		default:
			w.do(node, func() {
				for j, tr := range all {
					if tr.node == node && !tr.dead {
						tr.releaseAll()
						tr.send(int(draw(i*1000+j, 20_000, 3)), draw(i*1000+j, 30, 4) == 0)
					}
				}
			})
			w.do(0, func() {
				for j, tr := range all {
					if tr.node == 0 {
						tr.releaseAll()
						tr.send(int(draw(i*1000+j, 5000, 5)), draw(i*1000+j, 100, 6) == 0)
					}
				}
			})
			w.within(time.Duration(draw(i, 30e6, 7)), func() bool { return false })
		}
	}
	w.net.SetFaults(simnet.Faults{})
	w.within(time.Minute, func() bool { return false })
	for i, tr := range all {
		if tr.dead {
			continue
		}
		w.do(tr.node, tr.releaseAll)
		if tr.closed == 0 && tr.conn != nil {
			w.do(tr.node, tr.conn.Close)
		}
		if !w.within(time.Minute, func() bool { return tr.closed == 1 && tr.done == tr.sent }) {
			t.Errorf("seed %d, connection %d: %d ends, %d of %d sends done", seed, i, tr.closed, tr.done, tr.sent)
		}
	}
	return w.kernel.Digest(), counted
}

// traffic is an end that sends numbered frames and checks that those of its peer come in order, without a gap.
type traffic struct {
	t          *testing.T
	node       int
	conn       env.Conn
	dead       bool
	sent, done int
	got        int
	closed     int
	held       []*env.Frame
}

func (tr *traffic) releaseAll() {
	for _, f := range tr.held {
		f.Release()
	}
	tr.held = nil
}

func (tr *traffic) send(size int, last bool) {
	if tr.conn == nil || tr.closed > 0 {
		return
	}
	number := tr.sent
	tr.sent++
	f := frame(payload(number, size))
	tr.conn.Send([][]byte{f[:2], nil, f[2:]}, func() {
		if tr.done != number || tr.dead {
			tr.t.Errorf("send %d was done as number %d, dead %v", number, tr.done, tr.dead)
		}
		tr.done++
	})
	if last {
		tr.conn.Close()
	}
}

func (tr *traffic) OnFrame(f *env.Frame) {
	if tr.closed > 0 || tr.dead {
		tr.t.Error("a frame after the end")
	}
	if !slices.Equal(f.Bytes, payload(tr.got, len(f.Bytes))) {
		tr.t.Errorf("frame %d is not the one that was sent", tr.got)
	}
	tr.got++
	if tr.got%5 == 0 {
		tr.held = append(tr.held, f)
	} else {
		f.Release()
	}
}

func (tr *traffic) OnClose(error) {
	tr.closed++
	if tr.closed > 1 || tr.dead {
		tr.t.Errorf("%d ends were heard, dead %v", tr.closed, tr.dead)
	}
}

func TestWhateverHappensStreamsAreWhole(t *testing.T) {
	total := map[string]int{}
	for seed := range uint64(40) {
		_, counted := storm(t, seed)
		for kind, n := range counted {
			total[kind] += n
		}
	}
	t.Logf("faults that took effect: %v", total)
	for _, kind := range []string{"N1", "N2", "N8"} {
		if total[kind] == 0 {
			t.Errorf("no fault %s took effect", kind)
		}
	}
}

func TestOneSeedIsOneRun(t *testing.T) {
	first, _ := storm(t, 77)
	again, _ := storm(t, 77)
	other, _ := storm(t, 78)
	if first != again {
		t.Error("one seed gave two runs")
	}
	if first == other {
		t.Error("two seeds gave one run")
	}
}
