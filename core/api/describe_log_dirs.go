package api

import (
	"barnabas/core/protocol"
	"barnabas/core/replica"
	"barnabas/core/wire"
)

// describeLogDirs tells what the log directory holds, and how much of it.
//
// Key 35, versions 1–5 (flexible from 2).
//
//   - Null topics ask for all replicas here. Of others, those that are not here are left out.
//   - A replica's size is that of its records. How far it lags is the distance from the high watermark it knows to its end.
//   - An offline directory is KAFKA_STORAGE_ERROR, and has no topics.
//   - The size of the disk is not known here: -1, as Kafka's own answer where it cannot tell.
func (h *Handlers) describeLogDirs(r *wire.Request, m *protocol.DescribeLogDirsRequest) {
	answer := protocol.NewDescribeLogDirsResponse()
	directory := h.replicas.Directory()
	row := protocol.NewDescribeLogDirsResult()
	row.LogDir = directory.Folder()
	if directory.Failure() != nil {
		row.ErrorCode = protocol.ErrKafkaStorageError
	} else {
		asked := make(repeats)
		for i := range m.Topics {
			for _, index := range m.Topics[i].Partitions {
				asked[namedPartition{m.Topics[i].Topic, index}] = true
			}
		}
		place := make(map[string]int) // of topics, in the answer
		for p := range h.replicas.All {
			if m.Topics == nil || asked[namedPartition{p.Topic, p.ID}] {
				addLog(&row, place, p)
			}
		}
	}
	answer.Results = []protocol.DescribeLogDirsResult{row}
	r.Answer(answer, nil)
}

// addLog adds a replica's log, under its topic.
func addLog(row *protocol.DescribeLogDirsResult, place map[string]int, p *replica.Partition) {
	i, ok := place[p.Topic]
	if !ok {
		i = len(row.Topics)
		place[p.Topic] = i
		row.Topics = append(row.Topics, protocol.DescribeLogDirsTopic{Name: p.Topic})
	}
	row.Topics[i].Partitions = append(row.Topics[i].Partitions, protocol.DescribeLogDirsPartition{
		PartitionIndex: p.ID, PartitionSize: p.Log.Bytes(), OffsetLag: max(int64(p.HighWatermark()-p.Log.End()), 0),
	})
}
