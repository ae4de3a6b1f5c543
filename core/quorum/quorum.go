// Package quorum runs the metadata log: __cluster_metadata-0, ordered by raft, kept by storage.
//
// It hands the state machine above it every batch twice: when it is appended (the controller decides on what it has
// appended) and when it is committed (brokers learn only that). With one voter a batch is committed when it is stable
// here, which for this log means synced, whatever the durability setting says (rule S9).
//
// What it does not do yet: talk to other voters; write snapshots.
package quorum

import (
	"errors"
	"fmt"

	"barnabas/core/assert"
	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/raft"
	"barnabas/core/record"
	"barnabas/core/storage"
	"barnabas/core/task"
)

// StateMachine is told what the log holds, in order.
type StateMachine interface {
	// Restored is called at most once, before anything else: what the log held below the snapshot's end.
	Restored(s Snapshot) error
	// Appended is called once for every batch, when it is appended, or at start when it is found.
	Appended(batch []byte) error
	// Committed is called once for every batch, later.
	Committed(batch []byte) error
}

// LogName is the folder name of the metadata log.
const LogName = "__cluster_metadata-0"

// Quorum is the one voter of a metadata log.
type Quorum struct {
	env       env.Env
	log       *storage.Log
	directory *storage.Directory
	machine   StateMachine
	state     raft.State
	waiting   []appended
	failed    error
}

// appended is a batch that is not committed yet.
type appended struct {
	batch []byte
	end   record.Offset
	done  func(error)
}

// Open elects this node, replays the log into the state machine and returns when everything found and the leader-change
// record of the new epoch are committed. Errors: a log that contradicts itself; the disk's.
func Open(t *task.Task, e env.Env, d *storage.Directory, self int32, machine StateMachine) (*Quorum, error) {
	q := &Quorum{env: e, directory: d, machine: machine}
	q.log = d.Find(protocol.MetadataTopicID(), 0)
	if q.log == nil {
		q.log = d.Create(protocol.MetadataTopicID(), 0, LogName)
	}
	before, err := raft.Decode(d.QuorumState())
	if err != nil {
		return nil, err
	}
	from, err := q.restore(t)
	if err != nil {
		return nil, err
	}
	if from > q.log.End() {
		// A crash of Kafka's took the end of its log, and a snapshot has what was committed there. It goes on from it.
		q.log.Reset(from)
	}
	if err := q.replay(t, from); err != nil {
		return nil, err
	}
	q.state = before.StandAlone(self, d.Identity.Directory)
	voted := task.NewSignal(e.Loop)
	d.Vote(q.state.Encode(), voted.Raise)
	voted.Wait(t, task.Never)
	q.log.OnStable(q.onStable)
	committed := task.NewPending[task.Done](e.Loop)
	if err := q.appendLeaderChange(self, func(err error) { committed.Complete(task.Done{}, err) }); err != nil {
		return nil, err
	}
	_, err = committed.Wait(t)
	return q, err
}

// Epoch returns the epoch this node leads in.
func (q *Quorum) Epoch() int32 { return q.state.Epoch }

// End returns the offset the next record will have.
func (q *Quorum) End() record.Offset { return q.log.End() }

// replay hands everything the log holds from the offset on to the state machine. With one voter all of it is committed.
func (q *Quorum) replay(t *task.Task, from record.Offset) error {
	for at := max(from, q.log.Start()); at < q.log.End(); {
		slice := &storage.Slice{}
		err := q.log.Read(slice, at, q.log.End(), 1<<20, true)
		if errors.Is(err, storage.ErrNotInMemory) {
			if _, err := q.log.Load(at).Wait(t); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		for batch := range slice.Batches {
			if err := q.replayBatch(batch); err != nil {
				return fmt.Errorf("%s: %w", LogName, err)
			}
		}
		at = slice.End
		slice.Release()
	}
	return nil
}

func (q *Quorum) replayBatch(batch []byte) error {
	if _, err := record.Check(batch); err != nil {
		return err
	}
	if err := q.machine.Appended(batch); err != nil {
		return err
	}
	return q.machine.Committed(batch)
}

// Append appends records as one batch; done is called when they are committed, or why they can't be. No records are
// committed at once. Errors go to done.
func (q *Quorum) Append(records []protocol.Record, done func(error)) {
	if q.failed != nil || len(records) == 0 {
		done(q.failed)
		return
	}
	b := record.NewBuilder(nil, 0, record.LeaderEpoch(q.state.Epoch))
	now := int64(q.env.Clock.Wall())
	for _, r := range records {
		value, err := protocol.AppendRecord(nil, r)
		if err != nil {
			done(err)
			return
		}
		b.Append(now, nil, value)
	}
	if err := q.append(b.Finish(q.log.End()), done); err != nil {
		done(err)
	}
}

func (q *Quorum) append(batch []byte, done func(error)) error {
	h, err := record.ParseHeader(batch)
	if err != nil {
		return err
	}
	if _, err := q.log.AppendAsLeader(batch, h, record.LeaderEpoch(q.state.Epoch)); err != nil {
		return err
	}
	err = q.machine.Appended(batch)
	assert.That(err == nil, "the controller's own records apply")
	q.waiting = append(q.waiting, appended{batch, q.log.End(), done})
	return nil
}

// appendLeaderChange begins the epoch with its control record; nothing of an earlier epoch is acted on before it is
// committed.
func (q *Quorum) appendLeaderChange(self int32, done func(error)) error {
	voter := protocol.LeaderChangeVoter{VoterId: self}
	message := &protocol.LeaderChangeMessage{
		Version: 0, LeaderId: self, Voters: []protocol.LeaderChangeVoter{voter},
		GrantingVoters: []protocol.LeaderChangeVoter{voter},
	}
	value, err := protocol.AppendControl(nil, message, 0)
	if err != nil {
		return err
	}
	b := record.NewBuilder(nil, record.ControlBatch, record.LeaderEpoch(q.state.Epoch))
	b.Append(int64(q.env.Clock.Wall()), protocol.AppendControlKey(nil, message.APIKey()), value)
	return q.append(b.Finish(q.log.End()), done)
}

// onStable commits what is stable here.
func (q *Quorum) onStable() {
	q.log.Settle(q.log.StableEnd())
	for len(q.waiting) > 0 && q.waiting[0].end <= q.log.StableEnd() {
		w := q.waiting[0]
		q.waiting = q.waiting[1:]
		err := q.machine.Committed(w.batch)
		assert.That(err == nil, "what was appended applies when it is committed")
		w.done(nil)
	}
}

// Fail ends everything that waits: the log directory is offline.
func (q *Quorum) Fail(err error) {
	q.failed = err
	waiting := q.waiting
	q.waiting = nil
	for _, w := range waiting {
		w.done(err)
	}
}
