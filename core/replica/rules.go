package replica

import "barnabas/core/compress"

// Rules are what a topic asks of the batches that clients produce to it, ready for the hot path: they are read from the
// settings once, when the metadata changes.
type Rules struct {
	MessageBytesMax int // max.message.bytes
	SegmentBytesMax int // segment.bytes: a batch fits into a segment
	KeyRequired     bool
	LogAppendTime   bool
	// BeforeMax and AfterMax are how many milliseconds a CreateTime may differ from the broker's time.
	BeforeMax, AfterMax int64
	// AsProduced keeps batches as they came; else they are stored with Codec at Level.
	AsProduced bool
	Codec      compress.Codec
	Level      int
}
