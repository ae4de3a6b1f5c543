package api

import "barnabas/core/protocol"

// Row is an API that is served, in every version that is described.
type Row struct {
	Key   int16
	Notes string // what differs from Kafka, or is not here yet; for docs/PROTOCOL.md
}

// Table returns what is served, by ascending key. It is what ApiVersions tells.
func Table() []Row {
	return []Row{
		{protocol.KeyProduce, "announced from version 0, because librdkafka stops compressing otherwise; 0 to 2 are refused, as Kafka does; no transactions yet"},
		{protocol.KeyFetch, "sessions (KIP-227); `read_committed` ends at the high watermark, as there are no transactions; no reading from followers (KIP-392) yet"},
		{protocol.KeyListOffsets, "all special timestamps; nothing is tiered, so -5 and -6 find nothing"},
		{protocol.KeyMetadata, ""},
		{protocol.KeyFindCoordinator, "COORDINATOR_NOT_AVAILABLE: no groups and transactions yet; announced because librdkafka stops compressing otherwise"},
		{protocol.KeyApiVersions, ""},
		{protocol.KeyCreateTopics, "at most 10,000 partitions in one request"},
		{protocol.KeyDeleteTopics, ""},
		{protocol.KeyDeleteRecords, "the answer comes when no crash brings the records back"},
		{protocol.KeyInitProducerId, "idempotence; no transactional ids yet"},
		{protocol.KeyOffsetForLeaderEpoch, ""},
		{protocol.KeyDescribeConfigs, "topics and brokers; no loggers, groups, client metrics yet"},
		{protocol.KeyAlterConfigs, "topics and brokers, see IncrementalAlterConfigs"},
		{protocol.KeyDescribeLogDirs, "one log directory; the size of the disk is -1"},
		{protocol.KeyCreatePartitions, "at most 10,000 partitions in one request"},
		{protocol.KeyIncrementalAlterConfigs, "topics; of brokers, the settings that are defaults of topics'"},
		{protocol.KeyDescribeCluster, "brokers; controllers have no listener of their own yet"},
		{protocol.KeyDescribeProducers, "no transactions yet"},
		{protocol.KeyDescribeTopicPartitions, ""},
	}
}
