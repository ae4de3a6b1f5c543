package api

import (
	"bytes"
	"io"

	"barnabas/core/compress"
	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/replica"
	"barnabas/core/task"
)

// workplace is what the handlers keep at a place of env.Work.
type workplace struct {
	decoder compress.Decoder
	encoder compress.Encoder
	scanner record.Scanner
}

// repacking is a batch on its way from the codec it came with to the topic's own (compression.type).
type repacking struct {
	data   *protocol.PartitionProduceData
	facts  *record.Facts
	codec  compress.Codec
	level  int
	packed []byte
	err    error
}

// mustRepack says whether the topic wants the batch compressed otherwise.
func mustRepack(rules *replica.Rules, f *record.Facts) bool {
	return !rules.AsProduced && int(rules.Codec) != f.Attributes.Codec()
}

// repack compresses a batch apart from the loop, then goes on with the request. Meanwhile the connection's later requests
// wait, so that what a producer sent in order is appended in order.
func (p *produce) repack(r *repacking) {
	h := p.handlers
	p.request.Hold()
	p.kept = true
	p.packing = true
	h.env.Work.Do(func(place int) { r.pack(&h.workplaces[place], h.options.OpenedBytesMax) }).
		Then(func(task.Done, error) { p.repacked(r) })
}

// repacked takes over what was made of a batch: facts and bytes are the new ones from here on.
func (p *produce) repacked(r *repacking) {
	p.packing = false
	if r.err != nil {
		r.facts.Err = r.err
	} else {
		r.data.Records.Bytes = r.packed
	}
	held := &p.handlers.held
	first := held.isFirst(p)
	if p.late {
		p.expire()
	}
	if first {
		held.again()
	} else if !p.late {
		p.begin()
	}
	if !p.packing {
		p.request.Proceed()
	}
}

// pack makes the batch anew. It runs apart from the loop.
func (r *repacking) pack(w *workplace, openedMax int64) {
	h := &r.facts.Header
	records := r.data.Records.Bytes[record.HeaderBytes:h.Length]
	if h.Attributes.Codec() != 0 {
		var opened bytes.Buffer
		stream, err := w.decoder.Open(h.Attributes.Codec(), records, openedMax)
		if err == nil {
			_, err = io.Copy(&opened, stream)
		}
		w.decoder.Close()
		if err != nil {
			r.err = err
			return
		}
		records = opened.Bytes()
	}
	packed := append(make([]byte, 0, record.HeaderBytes+len(records)), r.data.Records.Bytes[:record.HeaderBytes]...)
	if packed, r.err = w.encoder.Append(packed, r.codec, r.level, records); r.err == nil {
		record.Repack(packed, h, int(r.codec))
		r.packed = packed
	}
}
