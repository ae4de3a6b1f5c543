package api

import (
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// incrementalAlterConfigs sets, deletes, appends to and subtracts from settings of topics and brokers (KIP-339); the
// controller decides.
//
// Key 44, versions 0–1 (flexible from 1).
//
//   - Each resource gets all that is asked for it, or nothing.
//   - Of brokers, settings change that are the defaults of topics': for one broker, or for all (an empty name). Any other is
//     INVALID_REQUEST, a bad value INVALID_CONFIG.
//   - Appending begins with the list that is in force, whoever gave it.
//   - The answer comes when the settings are in force here, in logs that are open too.
func (h *Handlers) incrementalAlterConfigs(r *wire.Request, m *protocol.IncrementalAlterConfigsRequest) {
	h.controller.IncrementalAlterConfigs(m, func(answer *protocol.IncrementalAlterConfigsResponse) { r.Answer(answer, nil) })
}

// alterConfigs replaces all settings that topics and brokers have of their own: what is not named is deleted.
//
// Key 33, versions 0–2 (flexible from 2). Clients should use IncrementalAlterConfigs, which loses nothing.
func (h *Handlers) alterConfigs(r *wire.Request, m *protocol.AlterConfigsRequest) {
	h.controller.AlterConfigs(m, func(answer *protocol.AlterConfigsResponse) { r.Answer(answer, nil) })
}
