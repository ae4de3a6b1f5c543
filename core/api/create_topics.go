package api

import (
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// createTopics makes topics; the controller decides.
//
// Key 19, versions 2–7 (flexible from 5).
func (h *Handlers) createTopics(r *wire.Request, m *protocol.CreateTopicsRequest) {
	h.controller.CreateTopics(m, func(answer *protocol.CreateTopicsResponse) { r.Answer(answer, nil) })
}
