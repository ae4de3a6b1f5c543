package segment

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"barnabas/core/record"
)

// testdata/kafka was written by Apache Kafka 4.3.1 (but for the spelling of binary files in hexadecimal digits, an entry a
// line): three runs of a node, three leader epochs, four producers. batches.txt lists the batches of the segment that
// index.hex and timeindex.hex belong to: last offset, position, max timestamp.

func kafkaFile(t *testing.T, name string) []byte {
	t.Helper()
	p, err := os.ReadFile("testdata/kafka/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(name, ".hex") {
		return p
	}
	p, err = hex.DecodeString(strings.Join(strings.Fields(string(p)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	kafkaBase     = 48736
	kafkaInterval = 4096
)

func kafkaIndex(t *testing.T) Index {
	t.Helper()
	x := NewIndex(kafkaBase, kafkaInterval)
	for line := range strings.Lines(string(kafkaFile(t, "batches.txt"))) {
		var last record.Offset
		var position uint32
		var timestamp int64
		if _, err := fmt.Sscan(line, &last, &position, &timestamp); err != nil {
			t.Fatal(err)
		}
		x.Append(last, position, timestamp)
	}
	return x
}

func TestAnIndexIsWhatKafkaHasWritten(t *testing.T) {
	x := kafkaIndex(t)
	x.Seal()
	if want := kafkaFile(t, "index.hex"); !bytes.Equal(x.OffsetBytes(0), want) {
		t.Errorf("offset index\n%x\nwant\n%x", x.OffsetBytes(0), want)
	}
	if want := kafkaFile(t, "timeindex.hex"); !bytes.Equal(x.TimeBytes(0), want) {
		t.Errorf("time index\n%x\nwant\n%x", x.TimeBytes(0), want)
	}
	if _, err := ParseIndex(kafkaBase, kafkaInterval, x.OffsetBytes(0), x.TimeBytes(0)); err != nil {
		t.Error(err)
	}
}

func TestFilesOfKafka(t *testing.T) {
	same := func(name string, got []byte, err error) {
		t.Helper()
		if want := kafkaFile(t, name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, written again\n%q\nwant\n%q", name, err, got, want)
		}
	}
	epochs, err := DecodeEpochs(kafkaFile(t, "leader-epoch-checkpoint"))
	same("leader-epoch-checkpoint", EncodeEpochs(epochs), err)
	if want := []EpochStart{{0, 0}, {2, 23000}, {4, 43000}}; !slices.Equal(epochs, want) {
		t.Errorf("epochs %v, want %v", epochs, want)
	}

	offsets, err := DecodeOffsets(RecoveryPointFile, kafkaFile(t, RecoveryPointFile))
	same(RecoveryPointFile, EncodeOffsets(offsets), err)
	if want := (PartitionOffset{"plain", 1, 2637}); len(offsets) != 5 || offsets[1] != want {
		t.Errorf("offsets %v, want 5 and the second to be %v", offsets, want)
	}

	topic, err := DecodePartitionMetadata(kafkaFile(t, PartitionMetadataFile))
	same(PartitionMetadataFile, EncodePartitionMetadata(topic), err)

	epoch, err := DecodeCleanShutdown(kafkaFile(t, "cleanshutdown"))
	same("cleanshutdown", EncodeCleanShutdown(epoch), err)

	state, err := DecodeQuorumState(kafkaFile(t, QuorumStateFile))
	same(QuorumStateFile, EncodeQuorumState(state), err)
	if want := (QuorumState{LeaderID: 1, LeaderEpoch: 3, VotedID: -1}); state != want {
		t.Errorf("quorum state %+v, want %+v", state, want)
	}

	producers, err := DecodeProducers(kafkaFile(t, "snapshot.hex"))
	same("snapshot.hex", EncodeProducers(producers), err)
	want := ProducerState{1000, 0, 19999, 42999, 7, 1795309270900, -1, -1}
	if len(producers) != 4 || producers[3] != want {
		t.Errorf("producers %+v, want 4 and the last to be %+v", producers, want)
	}

	m, err := DecodeMetaProperties(kafkaFile(t, MetaPropertiesFile))
	if err != nil || m.Version != 1 || m.NodeID != 1 || m.ClusterID == "" || m.Directory == ([16]byte{}) {
		t.Errorf("%+v %v", m, err)
	}
	for line := range strings.Lines(string(EncodeMetaProperties(m))) { // Java writes them in no order
		if !bytes.Contains(kafkaFile(t, MetaPropertiesFile), []byte(line)) {
			t.Errorf("Kafka has no line %q", line)
		}
	}
}
