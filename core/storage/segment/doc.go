// Package segment knows Apache Kafka's files on disk, byte for byte, and does no I/O.
//
// A log directory holds a folder for each partition, and small files about all of them. Of these this package reads and
// writes, as version 4.3 of Kafka does:
//
//	TOPIC-PARTITION/                    see Folder
//	  BASE.log                          record batches, see package record; BASE is the segment's base offset, 20 digits
//	  BASE.index                        offset index, see Index
//	  BASE.timeindex                    time index, see Index
//	  BASE.txnindex                     aborted transactions: the name only
//	  END.snapshot                      the producers of all that is below END, see ProducerState
//	  leader-epoch-checkpoint           text, see EpochStart
//	  partition.metadata                text: the topic's id
//	__cluster_metadata-0/
//	  quorum-state                      JSON, see QuorumState
//	recovery-point-offset-checkpoint    text, see PartitionOffset; so are the next two
//	log-start-offset-checkpoint
//	replication-offset-checkpoint       (the high watermarks)
//	.kafka_cleanshutdown                JSON: the broker's epoch
//	meta.properties                     Java properties, see MetaProperties
//
// Numbers in binary files are big-endian.
//
//	offset index, an entry of 8 bytes        time index, an entry of 12 bytes
//	 0 offset − base offset   int32           0 timestamp, milliseconds   int64
//	 4 position in the .log   int32           8 offset − base offset      int32
//
//	producer snapshot
//	 0 version            int16   1
//	 2 CRC-32C            uint32  of all that follows
//	 6 number of entries  int32
//	10 entries of 46 bytes:
//	    0 producer id               int64
//	    8 producer epoch            int16
//	   10 last sequence             int32   −1: no batch is known
//	   14 last offset               int64   −1: no batch is known
//	   22 offset delta              int32   last sequence − first sequence of the last batch
//	   26 timestamp                 int64
//	   34 coordinator epoch         int32
//	   38 first offset of the open  int64   −1: no transaction is open
//	      transaction
//
// All that is decoded here may be damaged: what is wrong with it is an error that names the place, and no decoder
// allocates more than a small multiple of its input.
package segment

import "errors"

// What can be wrong with a file. The text after the colon says where, and what is there.
var (
	ErrInvalid = errors.New("not in its format")
	ErrVersion = errors.New("has a version this broker does not read")
)

// Names of the files that have but one.
const (
	LeaderEpochFile       = "leader-epoch-checkpoint"
	PartitionMetadataFile = "partition.metadata"
	QuorumStateFile       = "quorum-state"
	RecoveryPointFile     = "recovery-point-offset-checkpoint"
	LogStartFile          = "log-start-offset-checkpoint"
	HighWatermarkFile     = "replication-offset-checkpoint"
	CleanShutdownFile     = ".kafka_cleanshutdown"
	MetaPropertiesFile    = "meta.properties"
)
