package protocol

// API is a row of the table of APIs: a key, and the versions this package encodes and decodes, which are those that
// Kafka 4.3 accepts.
type API struct {
	Key      int16
	Name     string
	Min, Max int16
	Flexible int16 // the first version with compact lengths and tagged fields; -1: none
	// AdvertisedMin is what ApiVersions gives as the least version. It differs from Min for Produce alone: librdkafka
	// stops compressing, without a word, if version 0 is not in the range. Versions below Min are refused all the same.
	AdvertisedMin int16
}

// APIs yields the rows of the table by ascending key.
func APIs(yield func(API) bool) {
	for key := range int16(maxKey + 1) {
		if api, ok := APIByKey(key); ok && !yield(api) {
			return
		}
	}
}

// Has tells whether requests of the version can be decoded.
func (a API) Has(version int16) bool { return a.Min <= version && version <= a.Max }

func (a API) flexible(version int16) bool { return a.Flexible >= 0 && version >= a.Flexible }

// RequestHeaderVersion is the version of [RequestHeader] that begins a request.
func (a API) RequestHeaderVersion(version int16) int16 {
	if a.flexible(version) {
		return 2
	}
	return 1
}

// ResponseHeaderVersion is the version of [ResponseHeader] that begins a response. It is 0 for every ApiVersions: its
// client does not know yet what the broker understands.
func (a API) ResponseHeaderVersion(version int16) int16 {
	if a.flexible(version) && a.Key != KeyApiVersions {
		return 1
	}
	return 0
}
