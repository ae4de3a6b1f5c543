package wire

import (
	"testing"

	"barnabas/core/protocol"
)

func TestEveryKeyIsCounted(t *testing.T) {
	for api := range protocol.APIs {
		if api.Key < 0 || api.Key >= apiKeys {
			t.Errorf("requests of %s are not counted", api.Name)
		}
	}
}
