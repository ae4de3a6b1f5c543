package metadata

// ignored says whether the image passes over records of the id: Apache Kafka writes them, and they say nothing about
// topics, partitions, brokers or settings. Every other record that is not known is an error.
func ignored(id int32) bool {
	switch id {
	case 21: // ZkMigrationStateRecord: that it did not come from ZooKeeper
		return true
	case 23, 24: // BeginTransactionRecord, EndTransactionRecord: what lies between was committed. An abort is an error.
		return true
	case 27: // RegisterControllerRecord
		return true
	case 28: // ClearElrRecord: eligible leader replicas are not kept here
		return true
	}
	return false
}
