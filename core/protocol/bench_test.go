package protocol

import "testing"

func produceFrame() []byte {
	m := NewProduceRequest()
	m.Acks = -1
	m.TopicData = []TopicProduceData{{Name: "orders", PartitionData: []PartitionProduceData{
		{Index: 3, Records: Records{Bytes: make([]byte, 1000)}},
	}}}
	w := NewWriter(nil)
	if err := EncodeRequest(w, RequestHeader{RequestApiVersion: 12, ClientId: String("client")}, m); err != nil {
		panic(err)
	}
	return w.Bytes()[4:]
}

func BenchmarkDecodeProduceRequest(b *testing.B) {
	frame := produceFrame()
	var r Reader
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(frame, 1<<20)
		if _, _, err := DecodeRequest(&r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeFetchResponse(b *testing.B) {
	m := NewFetchResponse()
	p := NewFetchPartitionData()
	p.Records.Parts = [][]byte{make([]byte, 1000)}
	m.Responses = []FetchableTopicResponse{{Partitions: []FetchPartitionData{p, p, p}}}
	w := NewWriter(make([]byte, 0, 1<<12))
	var pieces [][]byte
	b.ReportAllocs()
	for b.Loop() {
		w.Reset(w.buf[:0])
		if err := EncodeResponse(w, 16, 1, m); err != nil {
			b.Fatal(err)
		}
		pieces = w.Pieces(pieces[:0])
	}
}

// The hot paths allocate what they hand out, and nothing else.
func TestAllocationsOfTheHotPaths(t *testing.T) {
	frame := produceFrame()
	var r Reader
	decoding := testing.AllocsPerRun(100, func() {
		r.Reset(frame, 1<<20)
		if _, _, err := DecodeRequest(&r); err != nil {
			t.Fatal(err)
		}
	})
	if decoding > 5 { // the request, its topics, their partitions, two strings
		t.Errorf("decoding a Produce request allocates %g times", decoding)
	}
	m := NewFetchResponse()
	p := NewFetchPartitionData()
	p.Records.Parts = [][]byte{make([]byte, 1000)}
	m.Responses = []FetchableTopicResponse{{Partitions: []FetchPartitionData{p, p, p}}}
	w := NewWriter(make([]byte, 0, 1<<12))
	pieces := make([][]byte, 0, 16)
	encoding := testing.AllocsPerRun(100, func() {
		w.Reset(w.buf[:0])
		if err := EncodeResponse(w, 16, 1, m); err != nil {
			t.Fatal(err)
		}
		pieces = w.Pieces(pieces[:0])
	})
	if encoding > 0 {
		t.Errorf("encoding a Fetch response allocates %g times", encoding)
	}
}
