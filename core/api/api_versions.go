package api

import (
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// apiVersions says what works here, and nothing else.
//
// Key 18, versions 0–4 (flexible from 3; the response header stays at version 0). A request of an unknown version is
// answered by the connection room (KIP-511).
//
//   - Produce is advertised from version 0, though 0–2 are refused: librdkafka silently stops compressing otherwise.
func (h *Handlers) apiVersions(r *wire.Request, _ *protocol.ApiVersionsRequest) {
	answer := &protocol.ApiVersionsResponse{}
	answer.Default()
	for _, row := range Table() {
		api, _ := protocol.APIByKey(row.Key)
		answer.ApiKeys = append(answer.ApiKeys, protocol.ApiVersion{
			ApiKey: api.Key, MinVersion: api.AdvertisedMin, MaxVersion: api.Max,
		})
	}
	image := h.image()
	answer.FinalizedFeaturesEpoch = int64(image.End)
	for name, level := range image.Features.All {
		answer.SupportedFeatures = append(answer.SupportedFeatures,
			protocol.SupportedFeatureKey{Name: name, MinVersion: min(level, 1), MaxVersion: level})
		answer.FinalizedFeatures = append(answer.FinalizedFeatures,
			protocol.FinalizedFeatureKey{Name: name, MaxVersionLevel: level, MinVersionLevel: level})
	}
	r.Answer(answer, nil)
}
