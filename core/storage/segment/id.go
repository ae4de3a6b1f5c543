package segment

import "encoding/base64"

// ids are written as base64 for URLs, without padding.
var idText = base64.RawURLEncoding.Strict()

const idTextBytes = 22

func encodeID(id [16]byte) string { return idText.EncodeToString(id[:]) }

func decodeID(text string) (id [16]byte, ok bool) {
	if len(text) != idTextBytes { // line breaks within would be skipped
		return id, false
	}
	n, err := idText.Decode(id[:], []byte(text))
	return id, err == nil && n == len(id)
}
