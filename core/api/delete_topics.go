package api

import (
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// deleteTopics removes topics by name or id; the controller decides.
//
// Key 20, versions 1–6 (flexible from 4).
func (h *Handlers) deleteTopics(r *wire.Request, m *protocol.DeleteTopicsRequest) {
	if r.Header.RequestApiVersion < 6 {
		for _, name := range m.TopicNames {
			m.Topics = append(m.Topics, protocol.DeleteTopicState{Name: protocol.String(name)})
		}
		m.TopicNames = nil
	}
	h.controller.DeleteTopics(m, func(answer *protocol.DeleteTopicsResponse) { r.Answer(answer, nil) })
}
