package wire

import (
	"encoding/binary"

	"barnabas/core/env"
	"barnabas/core/protocol"
	"barnabas/core/record"
)

// budgetFactor bounds what decoding a frame may allocate: so many times its own size, and a little.
const (
	budgetFactor = 8
	budgetBase   = 64 << 10
)

func budget(frame []byte) int { return budgetBase + budgetFactor*len(frame) }

// Facts is what one look at a frame before the loop yields (rule T6).
type Facts struct {
	Header  protocol.RequestHeader
	Message protocol.Message // nil when Err is not
	Records []record.Facts   // of a produce request: one for every partition, in order
	Err     error
}

// Inspect decodes a request and looks at the records it carries. It reads no state and keeps nothing of the frame but
// slices into it.
func Inspect(frame []byte) env.Facts {
	f := &Facts{}
	var r protocol.Reader
	r.Reset(frame, budget(frame))
	f.Header, f.Err = protocol.DecodeRequestHeader(&r)
	if f.Err != nil {
		return f
	}
	message := protocol.NewRequest(f.Header.RequestApiKey)
	message.Decode(&r, f.Header.RequestApiVersion)
	if f.Err = r.Done(); f.Err != nil {
		return f
	}
	f.Message = message
	if produce, ok := message.(*protocol.ProduceRequest); ok {
		for i := range produce.TopicData {
			for k := range produce.TopicData[i].PartitionData {
				f.Records = append(f.Records, record.Inspect(produce.TopicData[i].PartitionData[k].Records.Bytes))
			}
		}
	}
	return f
}

// apiKey returns the key of the request in a frame, or -1.
func apiKey(frame []byte) int16 {
	if len(frame) < 2 {
		return -1
	}
	return int16(binary.BigEndian.Uint16(frame))
}
