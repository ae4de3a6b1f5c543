package fuzz

import (
	"errors"
	"testing"

	"barnabas/core"
	"barnabas/core/config"
	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/wire"
	"barnabas/sim/kernel"
	"barnabas/sim/simdisk"
	"barnabas/sim/simnet"
)

// FuzzInspect looks at frames as a listener does before the loop: whatever comes, facts come out.
func FuzzInspect(f *testing.F) {
	batch := record.NewBuilder(nil, 0, -1)
	batch.Append(1, []byte("key"), []byte("value"))
	request := protocol.NewProduceRequest()
	request.TopicData = []protocol.TopicProduceData{{Name: "t", PartitionData: []protocol.PartitionProduceData{
		{Records: protocol.Records{Bytes: batch.Finish(0)}},
	}}}
	w := protocol.NewWriter(nil)
	if err := protocol.EncodeRequest(w, protocol.RequestHeader{RequestApiVersion: 9}, request); err != nil {
		f.Fatal(err)
	}
	f.Add(w.Bytes()[4:])
	f.Add([]byte{0, 18, 0, 99, 0, 0, 0, 1})
	inspect := wire.NewInspect(env.Inline{}, 1<<20)
	f.Fuzz(func(t *testing.T, frame []byte) {
		facts, ok := inspect(frame, inspect(frame, nil)).(*wire.Facts)
		if !ok {
			t.Fatal("no facts")
		}
		if facts.Err == nil && facts.Message == nil {
			t.Fatal("neither a request nor an error")
		}
	})
}

// FuzzStartOnDamagedFolder starts a broker on a folder in which bytes of one file were overwritten: it starts, or says why
// not, soon; it never panics.
func FuzzStartOnDamagedFolder(f *testing.F) {
	f.Add(uint8(0), uint32(0), []byte("x"))
	f.Add(uint8(1), uint32(4096), []byte{0, 0, 0, 0})
	f.Add(uint8(2), uint32(4096+24), []byte{0xff})
	f.Add(uint8(3), uint32(8192+130), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, which uint8, at uint32, damage []byte) {
		k := kernel.New(env.NewRandom(1, 2))
		network := simnet.New(k)
		node := k.Add()
		node.EndOfStep = func() { network.Flush(node) }
		machine := simdisk.New(k, node, simdisk.Plain(simdisk.Ordered))
		if err := start(k, node, machine, network); err != nil {
			t.Fatalf("first start: %v", err)
		}
		machine.ProcessDied()
		network.ProcessDied(node)
		node.Kill()

		files := machine.Files()
		overwrite(k, node, machine, files[int(which)%len(files)], int64(at%(1<<17)), damage)
		if err := start(k, node, machine, network); errors.Is(err, errNeither) {
			t.Fatal(err) // any other error is as good as a start
		}
		k.End()
	})
}

var errNeither = errors.New("the broker neither started nor said why not")

// start starts a broker and runs the world until it is up, or has said why not.
func start(k *kernel.Kernel, node *kernel.Node, machine *simdisk.Machine, network *simnet.Network) error {
	settings, _, err := config.Parse([]config.Pair{
		{Name: "journal.segment.bytes", Value: "65536"},
		{Name: "journal.max.bytes", Value: "4194304"},
		{Name: "message.max.bytes", Value: "16384"},
		{Name: "journal.commit.max.bytes", Value: "16384"},
	})
	if err != nil {
		return err
	}
	loop := node.Start()
	e := env.Env{
		Loop: loop, Clock: clock{}, Disk: machine.Disk(node.Life()), Network: network.Endpoint(node), Work: node.Work(),
		Random: k.Random, Secrets: nothing{}, Probe: env.NoProbe{}, Talk: nothing{},
	}
	b := core.Open(e, core.Options{Settings: settings, Listeners: []string{network.HostOf(node) + ":9092"}, Folder: "data"})
	var outcome error
	done := false
	b.Ready().Then(func(_ core.Started, err error) { outcome, done = err, true })
	for deadline := k.Now().Add(1e9); !done && k.Now() < deadline; {
		k.Run(k.Now().Add(1e6))
	}
	if !done {
		return errNeither
	}
	return outcome
}

// overwrite puts bytes into a file behind the broker's back.
func overwrite(k *kernel.Kernel, node *kernel.Node, machine *simdisk.Machine, path string, at int64, damage []byte) {
	node.Start()
	disk := machine.Disk(node.Life())
	disk.Open(path, env.OpenExisting).Then(func(file env.File, err error) {
		if err == nil && len(damage) > 0 {
			file.WriteAt(damage, at)
		}
	})
	k.Run(k.Now().Add(1e9))
	machine.ProcessDied()
	node.Kill()
}

type clock struct{}

func (clock) Wall() env.Timestamp { return 1 }

type nothing struct{}

func (nothing) Fill([]byte) {}
func (nothing) Say(string)  {}
func (nothing) Fail(error)  {}
