package api

import (
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// createPartitions adds partitions to topics; the controller decides.
//
// Key 37, versions 0–3 (flexible from 2).
//
//   - Count is how many partitions the topic is to have, more than it has. Without assignments they go round the brokers.
//   - The answer comes when the partitions are there, and led here if this broker is to lead them.
func (h *Handlers) createPartitions(r *wire.Request, m *protocol.CreatePartitionsRequest) {
	h.controller.CreatePartitions(m, func(answer *protocol.CreatePartitionsResponse) { r.Answer(answer, nil) })
}
