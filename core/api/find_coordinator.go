package api

import (
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// findCoordinator says that there is no coordinator: groups and transactions are not served yet.
//
// Key 10, versions 0–6 (flexible from 3). It is advertised all the same, because librdkafka takes its absence for a broker
// too old to compress for.
func (h *Handlers) findCoordinator(r *wire.Request, m *protocol.FindCoordinatorRequest) {
	code, text := codeOf(protocol.ErrCoordinatorNotAvailable)
	answer := &protocol.FindCoordinatorResponse{}
	answer.Default()
	if r.Header.RequestApiVersion < 4 {
		answer.ErrorCode, answer.NodeId, answer.Port = code, -1, -1
		if r.Header.RequestApiVersion >= 1 {
			answer.ErrorMessage = text
		}
	}
	for _, key := range m.CoordinatorKeys {
		answer.Coordinators = append(answer.Coordinators, protocol.Coordinator{
			Key: key, NodeId: -1, Port: -1, ErrorCode: code, ErrorMessage: text,
		})
	}
	r.Answer(answer, nil)
}
