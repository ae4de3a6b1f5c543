package storage

import (
	"barnabas/core/storage/segment"
)

// decoded reads a small file whole and decodes it. What is wrong with it is told as an item of the kind, and ok is false then.
func decoded[T any](in *inspection, kind string, decode func([]byte) (T, error)) (value T, ok bool, err error) {
	p, err := in.file.whole(smallFileBytes)
	if err != nil {
		return value, false, err
	}
	value, wrong := decode(p)
	if wrong != nil {
		return value, false, in.tell(kind, wrong.Error())
	}
	return value, true, nil
}

func (in *inspection) producers() error {
	producers, ok, err := decoded(in, "snapshot", segment.DecodeProducers)
	if !ok {
		return err
	}
	for _, s := range producers {
		err := in.tell("producer", "", Field{"id", s.ID}, Field{"epoch", s.Epoch}, Field{"last sequence", s.LastSequence},
			Field{"last", s.LastOffset}, Field{"offset delta", s.OffsetDelta}, Field{"timestamp", s.Timestamp},
			Field{"coordinator epoch", s.CoordinatorEpoch}, Field{"transaction from", s.TxnFirstOffset})
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *inspection) epochs() error {
	epochs, ok, err := decoded(in, "epochs", segment.DecodeEpochs)
	if !ok {
		return err
	}
	for _, e := range epochs {
		if err := in.tell("epoch", "", Field{"epoch", e.Epoch}, Field{"start", e.Start}); err != nil {
			return err
		}
	}
	return nil
}

func (in *inspection) partitionMetadata() error {
	id, ok, err := decoded(in, "topic", segment.DecodePartitionMetadata)
	if !ok {
		return err
	}
	return in.tell("topic", "", Field{"id", uuidText.EncodeToString(id[:])})
}

func (in *inspection) metaProperties() error {
	m, ok, err := decoded(in, "properties", segment.DecodeMetaProperties)
	if !ok {
		return err
	}
	return in.tell("properties", "", Field{"version", m.Version}, Field{"cluster", m.ClusterID}, Field{"node", m.NodeID},
		Field{"directory", uuidText.EncodeToString(m.Directory[:])}, Field{"is", versionText(m.Version)})
}

// versionText says what a version of meta.properties means here.
func versionText(version int) string {
	switch version {
	case ownVersion:
		return "this broker's own folder"
	case sharedVersion:
		return "a folder that Apache Kafka may open: its own, or ours after a clean stop"
	}
	return "of a version that is not known here"
}

func (in *inspection) quorumState() error {
	s, ok, err := decoded(in, "quorum", segment.DecodeQuorumState)
	if !ok {
		return err
	}
	return in.tell("quorum", "", Field{"leader", s.LeaderID}, Field{"epoch", s.LeaderEpoch}, Field{"voted", s.VotedID},
		Field{"voted directory", uuidText.EncodeToString(s.VotedDirectory[:])})
}

func (in *inspection) offsets() error {
	offsets, ok, err := decoded(in, "offsets", func(p []byte) ([]segment.PartitionOffset, error) {
		return segment.DecodeOffsets(in.file.Name, p)
	})
	if !ok {
		return err
	}
	for _, o := range offsets {
		err := in.tell("partition", "", Field{"topic", o.Topic}, Field{"partition", o.Partition}, Field{"offset", o.Offset})
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *inspection) cleanShutdown() error {
	epoch, ok, err := decoded(in, "shutdown", segment.DecodeCleanShutdown)
	if !ok {
		return err
	}
	return in.tell("shutdown", "", Field{"broker epoch", epoch})
}
