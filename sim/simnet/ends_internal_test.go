package simnet

import (
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/sim/kernel"
)

type nobody struct{}

func (nobody) OnFrame(f *env.Frame) { f.Release() }
func (nobody) OnClose(error)        {}

// Connections that ended leave nothing behind that grows.
func TestEndedConnectionsAreForgotten(t *testing.T) {
	k := kernel.New(env.NewRandom(1, 2))
	n := New(k)
	node := k.Add()
	node.EndOfStep = func() { n.Flush(node) }
	node.Start()
	network := n.Endpoint(node)
	options := env.ConnOptions{FrameBytesMax: 100, FramesHeldMax: 1}
	network.Listen("any:9", options, func(env.Conn) env.ConnHandler { return nobody{} })
	k.Run(k.Now().Add(time.Second))
	ended := 0
	for range 20 {
		network.Dial("n0:9", options, nobody{}).Then(func(c env.Conn, err error) {
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
			ended++
		})
		k.Run(k.Now().Add(time.Second))
	}
	if left := len(n.places[0].ends); ended != 20 || left != 0 {
		t.Errorf("%d connections ended, %d ends are kept", ended, left)
	}
}
