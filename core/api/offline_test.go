package api_test

import (
	"strings"
	"testing"
	"time"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/task"
)

// breaking is a disk on which from some moment on nothing can be written any more.
type breaking struct {
	env.Disk
	loop   *task.Loop
	broken bool
}

type breakingFile struct {
	env.File
	disk *breaking
}

func (d *breaking) Open(path string, mode env.OpenMode) *task.Pending[env.File] {
	p := task.NewPending[env.File](d.loop)
	d.Disk.Open(path, mode).Then(func(f env.File, err error) { p.Complete(breakingFile{f, d}, err) })
	return p
}

// fail takes so long that requests arrive meanwhile.
func (d *breaking) fail() *task.Pending[task.Done] {
	p := task.NewPending[task.Done](d.loop)
	d.loop.At(d.loop.Now().Add(5*time.Millisecond), func() { p.Complete(task.Done{}, env.ErrIO) })
	return p
}

func (f breakingFile) WriteAt(p []byte, offset int64) *task.Pending[task.Done] {
	if f.disk.broken {
		return f.disk.fail()
	}
	return f.File.WriteAt(p, offset)
}

func (f breakingFile) WriteCached(p []byte, offset int64) *task.Pending[task.Done] {
	if f.disk.broken {
		return f.disk.fail()
	}
	return f.File.WriteCached(p, offset)
}

func (f breakingFile) WriteSync(p []byte, offset int64) *task.Pending[task.Done] {
	if f.disk.broken {
		return f.disk.fail()
	}
	return f.File.WriteSync(p, offset)
}

// A disk error takes the log directory offline. Whatever would change it says so, with the reason where there is room for
// one, at once and for good; what is committed is still served.
func TestAnOfflineDirectoryIsReadOnly(t *testing.T) {
	var disk *breaking
	r := &rig{wrap: func(r *rig, d env.Disk) env.Disk {
		disk = &breaking{Disk: d, loop: r.node.Loop()}
		return disk
	}, offline: true}
	r.open(t, nil)
	create := protocol.NewCreateTopicsRequest()
	create.Topics = []protocol.CreatableTopic{{Name: "led", NumPartitions: 1, ReplicationFactor: 1}}
	r.ask(create, 7)
	r.produced("led", batch("a"))
	r.produced("led", batch("b"))
	disk.broken = true
	producing := r.begin(produce("led", -1, batch("c"), 12), 12)
	deleting := r.begin(deleteRecords("led", 1), 2)
	r.pass(20 * time.Millisecond)
	for name, q := range map[string]*question{"produce": producing, "deletion": deleting} {
		if !q.done || q.err != nil || codeIn(q.answer) != protocol.ErrKafkaStorageError {
			t.Errorf("the %s that waits: answered %t, %v", name, q.done, q.err)
		}
	}
	id := r.process.Image().Topics.At("led").ID
	r.each("offline", protocol.KeyProduce, 3, protocol.ErrKafkaStorageError, func(version int16) protocol.Message {
		m := produce("led", -1, batch("d"), version)
		if version >= 13 {
			m.TopicData[0].TopicId = id
		}
		return m
	})
	for key, build := range map[int16]func(int16) protocol.Message{
		protocol.KeyDeleteRecords:  func(int16) protocol.Message { return deleteRecords("led", 1) },
		protocol.KeyCreateTopics:   func(version int16) protocol.Message { return minimal(protocol.KeyCreateTopics, version) },
		protocol.KeyInitProducerId: func(version int16) protocol.Message { return minimal(protocol.KeyInitProducerId, version) },
	} {
		r.each("offline", key, 0, protocol.ErrKafkaStorageError, build)
	}
	row := r.ask(produce("led", -1, batch("d"), 12), 12).(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]
	if !strings.Contains(row.ErrorMessage.Value, env.ErrIO.Error()) {
		t.Errorf("produce says %q, which has no reason", row.ErrorMessage.Value)
	}
	if row := r.ask(minimal(protocol.KeyCreateTopics, 7), 7).(*protocol.CreateTopicsResponse).Topics[0]; !strings.Contains(row.ErrorMessage.Value, env.ErrIO.Error()) {
		t.Errorf("CreateTopics says %q, which has no reason", row.ErrorMessage.Value)
	}
	if code := codeIn(r.ask(deleteTopics("led"), 6)); code != protocol.ErrKafkaStorageError {
		t.Errorf("DeleteTopics: %q", code)
	}
	if got := r.values("led", 1); len(got) != 1 || got[0] != "b" {
		t.Errorf("%q is served", got)
	}
}

func deleteTopics(name string) *protocol.DeleteTopicsRequest {
	m := protocol.NewDeleteTopicsRequest()
	m.Topics = []protocol.DeleteTopicState{{Name: protocol.String(name)}}
	return m
}
