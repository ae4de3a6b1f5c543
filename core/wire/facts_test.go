package wire_test

import (
	"testing"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/wire"
)

// Kafka does not look at what is behind a request, and there are clients that send something there.
func TestBytesBehindARequestAreLetBe(t *testing.T) {
	w := protocol.NewWriter(nil)
	m := protocol.NewMetadataRequest()
	m.Topics = nil
	if err := protocol.EncodeRequest(w, protocol.RequestHeader{RequestApiVersion: 12, CorrelationId: 7}, m); err != nil {
		t.Fatal(err)
	}
	frame := append(w.Bytes()[4:], 0, 0, 0)
	f := wire.NewInspect(env.Inline{}, 1<<20)(frame, nil).(*wire.Facts)
	if f.Err != nil || f.Header.CorrelationId != 7 || f.Message.(*protocol.MetadataRequest).Topics != nil {
		t.Errorf("%+v", f)
	}
}
