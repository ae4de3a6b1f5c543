package api

import (
	"fmt"

	"barnabas/core/protocol"
)

// repeats notes which partitions a request has named so far, so that naming one a million times costs as much as naming
// it twice.
type repeats map[namedPartition]bool

type namedPartition struct {
	topic string
	index int32
}

// add refuses a partition that was named before.
func (all repeats) add(topic string, index int32) error {
	key := namedPartition{topic, index}
	if all[key] {
		return fmt.Errorf("%w: partition %d of topic %q is named twice in this request", protocol.ErrInvalidRequest, index, topic)
	}
	all[key] = true
	return nil
}
