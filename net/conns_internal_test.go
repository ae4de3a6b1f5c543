package net

import (
	stdnet "net"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/net/host"
)

type nobody struct{ onClose func() }

func (nobody) OnFrame(f *env.Frame) { f.Release() }
func (n nobody) OnClose(error)      { n.onClose() }

// Connections that ended leave nothing behind that grows.
func TestEndedConnectionsAreForgotten(t *testing.T) {
	h := host.New(host.Options{})
	n := New(h, Options{})
	const count = 20
	address := make(chan string, 1)
	stop, ended := make(chan struct{}), 0
	h.Loop().Later(func() {
		n.Listen("127.0.0.1:0", env.ConnOptions{FrameBytesMax: 1, FramesHeldMax: 1}, func(env.Conn) env.ConnHandler {
			return nobody{func() {
				if ended++; ended == count {
					close(stop)
				}
			}}
		}).Then(func(l env.Listener, err error) { address <- l.Address() })
	})
	kept := -1
	h.AtEnd(func() { // runs before the network's own end, which closes everything
		for deadline := time.Now().Add(5 * time.Second); kept != 0 && time.Now().Before(deadline); {
			n.mu.Lock()
			kept = len(n.conns)
			n.mu.Unlock()
		}
	})
	go func() {
		to := <-address
		for range count {
			socket, err := stdnet.Dial("tcp", to)
			if err != nil {
				t.Error(err)
				return
			}
			_ = socket.Close()
		}
	}()
	if err := h.Run(stop); err != nil || kept != 0 {
		t.Errorf("%d connections are kept, %v", kept, err)
	}
}
