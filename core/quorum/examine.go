package quorum

import (
	"errors"
	"fmt"

	"barnabas/core/env"
	"barnabas/core/metadata"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage"
	"barnabas/core/task"
)

// Examine reads a metadata log that Apache Kafka left, and says why this node can't go on with it: it must have been the
// only voter and the only broker, with one log directory, and every record must have a meaning here. Nothing is changed.
func Examine(t *task.Task, d *storage.Directory, self int32) error {
	log := d.Find(protocol.MetadataTopicID(), 0)
	if log == nil {
		return errors.New("there is no metadata log")
	}
	x := &examiner{self: self, directory: d.Identity.Directory}
	q := &Quorum{env: env.Env{}, log: log, directory: d, machine: x}
	from, err := q.restore(t)
	if err != nil {
		return err
	}
	if err := q.replay(t, from); err != nil {
		return err
	}
	if err := x.features(); err != nil {
		return err
	}
	return x.brokers()
}

// examiner is a state machine that looks and forgets.
type examiner struct {
	self      int32
	directory [16]byte
	image     metadata.Image
}

func (x *examiner) Restored(s Snapshot) error {
	for _, batch := range s.Batches {
		if err := x.Appended(batch); err != nil {
			return err
		}
	}
	return x.image.Restore(s.Batches, s.End)
}

func (x *examiner) Appended(batch []byte) error {
	h, err := record.ParseHeader(batch)
	if err != nil || !h.Attributes.IsControl() {
		return err
	}
	return record.Walk(batch[record.HeaderBytes:h.Length], h.Count, func(r *record.Record) error {
		control, err := protocol.ControlType(r.Key)
		if err != nil {
			return err
		}
		return x.control(control, r.Value)
	})
}

func (x *examiner) Committed(batch []byte) error { return x.image.ApplyBatch(batch) }

// control looks at the voters that a control record names. Their messages begin with their own version.
func (x *examiner) control(control int16, value []byte) error {
	if len(value) < 2 {
		return fmt.Errorf("a control record of %d bytes", len(value))
	}
	m, err := protocol.DecodeControl(control, value, int16(value[0])<<8|int16(value[1]))
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *protocol.LeaderChangeMessage:
		for _, v := range m.Voters {
			if v.VoterId != x.self {
				return x.notAlone(v.VoterId)
			}
		}
	case *protocol.VotersRecord:
		for _, v := range m.Voters {
			if v.VoterId != x.self || v.VoterDirectoryId != x.directory {
				return x.notAlone(v.VoterId)
			}
		}
	}
	return nil
}

func (x *examiner) notAlone(voter int32) error {
	return fmt.Errorf("node %d votes on the metadata beside node %d: a quorum of several can't be joined yet", voter, x.self)
}

// metadataVersionMax is the newest metadata.version whose records are known here: that of Kafka 4.3.
const metadataVersionMax = 30

// features looks at what the cluster has finalised.
func (x *examiner) features() error {
	if v := x.image.Features.At("metadata.version"); v > metadataVersionMax {
		return fmt.Errorf("the cluster's metadata.version is %d, of a Kafka after 4.3: up to %d is known here", v, metadataVersionMax)
	}
	return nil
}

// brokers looks at who is registered.
func (x *examiner) brokers() error {
	for id, b := range x.image.Brokers.All {
		if id != x.self {
			return fmt.Errorf("broker %d is registered beside broker %d: a cluster of several can't be joined yet", id, x.self)
		}
		if len(b.LogDirs) > 1 {
			return fmt.Errorf("the broker has %d log directories: only one can be taken over", len(b.LogDirs))
		}
	}
	return nil
}
