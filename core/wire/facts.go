package wire

import (
	"encoding/binary"

	"barnabas/core/compress"
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

	reader  protocol.Reader
	names   protocol.Names
	produce protocol.ProduceRequest
	look    look
	memory  int // that decoding took
}

// keptMax is how many topics, and how many partitions, of a request there may be for its memory to be used again.
const keptMax = 64

// fresh returns facts with nothing in them, in the memory of others if there are any.
func fresh(last env.Facts) *Facts {
	f, _ := last.(*Facts)
	if f == nil {
		return &Facts{}
	}
	if cap(f.Records) > keptMax || cap(f.produce.TopicData) > keptMax {
		*f = Facts{names: f.names}
	}
	*f = Facts{Records: f.Records[:0], names: f.names, produce: f.produce}
	return f
}

// Spoil makes the facts useless, as releasing a frame makes its bytes: in the simulator, so that a use after it shows.
func (f *Facts) Spoil() {
	f.Header, f.Message, f.Err = protocol.RequestHeader{RequestApiKey: -1}, nil, env.ErrClosed
	clear(f.Records)
	clear(f.produce.TopicData)
}

// memoryNoted is how much memory of a request counts with its frame's; most have less.
const memoryNoted = 64 << 10

// MemoryBytes returns how much memory the request takes besides its frame, if it is much.
func (f *Facts) MemoryBytes() int64 {
	if f.memory < memoryNoted {
		return 0
	}
	return int64(f.memory)
}

// openedFactor bounds what compressed batches of one frame may come to when they are opened: what one may, and so many
// times the frame.
const openedFactor = 32

// NewInspect returns the function that decodes a request and looks at the records it carries. It reads no state and keeps
// nothing of the frame but slices into it. Compressed batches are opened at a place of work, one after another, as long as
// no more than openedMax bytes come out of one.
func NewInspect(work env.Work, openedMax int64) env.Inspect {
	openers := make([]opener, work.Places())
	return func(frame []byte, last env.Facts) env.Facts {
		f := fresh(last)
		if f.decode(frame); f.Err == nil && f.Header.RequestApiKey == protocol.KeyProduce {
			f.look = look{work: work, openers: openers, most: openedMax, left: openedMax + openedFactor*int64(len(frame))}
			f.Records = f.look.produce(&f.produce, f.Records)
		}
		return f
	}
}

// decode sets Header and Message, or Err.
func (f *Facts) decode(frame []byte) {
	r := &f.reader
	r.Reset(frame, budget(frame))
	r.Keep(&f.names)
	if f.Header, f.Err = protocol.DecodeRequestHeader(r); f.Err != nil {
		return
	}
	message := protocol.Message(&f.produce)
	if f.Header.RequestApiKey != protocol.KeyProduce {
		message = protocol.NewRequest(f.Header.RequestApiKey)
	}
	r.Limit(mayName(f.Header.RequestApiKey))
	message.Decode(r, f.Header.RequestApiVersion)
	f.memory = budget(frame) - r.Budget()
	// Bytes that are left over are let be, as in Kafka: librdkafka 2.16 sends three behind a Metadata request for all topics.
	if f.Err = r.Err(); f.Err == nil {
		tidy(message)
		f.Message = message
	}
}

// opener is what a place of work has for looking at records.
type opener struct {
	decoder   compress.Decoder
	inspector record.Inspector
}

// look is one look at the records of a request.
type look struct {
	work       env.Work
	openers    []opener
	plain      record.Inspector
	most, left int64 // bytes that may come out of one batch, and out of all that follow
}

// produce appends facts of every partition's records.
func (l *look) produce(m *protocol.ProduceRequest, facts []record.Facts) []record.Facts {
	for i := range m.TopicData {
		for k := range m.TopicData[i].PartitionData {
			facts = append(facts, l.batch(m.TopicData[i].PartitionData[k].Records.Bytes))
		}
	}
	return facts
}

// batch looks at the records of one partition.
func (l *look) batch(p []byte) record.Facts {
	if !isCompressed(p) {
		return l.plain.Inspect(p)
	}
	place := l.work.Enter()
	defer l.work.Leave(place)
	in := &l.openers[place].inspector
	in.Opener, in.OpenedMax = &l.openers[place].decoder, min(l.most, l.left)
	facts := in.Inspect(p)
	l.left -= in.OpenedBytes()
	return facts
}

// isCompressed says whether the batch that p begins with is compressed.
func isCompressed(p []byte) bool {
	return len(p) >= record.HeaderBytes && record.Attributes(binary.BigEndian.Uint16(p[21:])).Codec() != 0
}

// apiKey returns the key of the request in a frame, or -1.
func apiKey(frame []byte) int16 {
	if len(frame) < 2 {
		return -1
	}
	return int16(binary.BigEndian.Uint16(frame))
}
