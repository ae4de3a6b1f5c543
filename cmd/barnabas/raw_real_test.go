package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// raw is a connection that sends the frames it is told to, at the versions it is told to.
type raw struct {
	t *testing.T
	net.Conn
	last int32 // correlation id
}

// dial connects to the broker without a client library in between.
func dial(t *testing.T, b *broker) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", b.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &raw{t: t, Conn: conn}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

// send writes a request and does not wait.
func (r *raw) send(request kmsg.Request) {
	r.t.Helper()
	r.last++
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("raw")).AppendRequest(nil, request, r.last)
	if _, err := r.Write(frame); err != nil {
		r.t.Fatal(err)
	}
}

// receive reads the response to the last request, and holds it to be what kmsg would write, byte for byte.
func (r *raw) receive(request kmsg.Request) kmsg.Response {
	r.t.Helper()
	body := r.frame()
	if id := int32(binary.BigEndian.Uint32(body)); id != r.last {
		r.t.Fatalf("correlation id %d, want %d", id, r.last)
	}
	body = body[4:]
	response := request.ResponseKind()
	if response.IsFlexible() && response.Key() != 18 { // ApiVersions: clients that know no version yet must understand it
		if body[0] != 0 {
			r.t.Fatalf("%d tagged fields in the response header", body[0])
		}
		body = body[1:]
	}
	name := fmt.Sprintf("%s v%d", kmsg.NameForKey(request.Key()), request.GetVersion())
	if err := response.ReadFrom(body); err != nil {
		r.t.Fatalf("%s: kmsg can't read the answer: %v\n%x", name, err, body)
	}
	if again := response.AppendTo(nil); string(again) != string(body) {
		r.t.Errorf("%s: the answer is not what kmsg makes of it\n got %x\nwant %x", name, body, again)
	}
	return response
}

// frame reads one frame.
func (r *raw) frame() []byte {
	r.t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		r.t.Fatalf("no answer: %v", err)
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(r, body); err != nil {
		r.t.Fatalf("half an answer: %v", err)
	}
	return body
}

// ask sends a request at a version and returns the response.
func (r *raw) ask(version int16, request kmsg.Request) kmsg.Response {
	r.t.Helper()
	request.SetVersion(version)
	r.send(request)
	return r.receive(request)
}

// silentFor says whether nothing arrives for so long.
func (r *raw) silentFor(d time.Duration) bool {
	r.t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(d)); err != nil {
		r.t.Fatal(err)
	}
	_, err := r.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// closed waits until the broker has closed the connection, which must not say anything before.
func (r *raw) closed() {
	r.t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	n, err := r.Read(make([]byte, 1))
	if n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		r.t.Errorf("the broker answers (%d bytes) or keeps the connection: %v", n, err)
	}
}

// producer is who a batch is from; the zero value of a fresh one is idempotent.
type producer struct {
	id       int64
	epoch    int16
	sequence int32
}

// nobody makes batches that are not idempotent.
var nobody = producer{-1, -1, -1}

// batch encodes one record batch, uncompressed.
func batch(from producer, texts ...string) []byte {
	var records []byte
	for i, text := range texts {
		record := kmsg.Record{OffsetDelta: int32(i), Value: []byte(text)}
		record.Length = int32(len(record.AppendTo(nil))) - 1 // without the length itself, one byte for short texts
		records = record.AppendTo(records)
	}
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, LastOffsetDelta: int32(len(texts) - 1),
		FirstTimestamp: 1_700_000_000_000, MaxTimestamp: 1_700_000_000_000,
		ProducerID: from.id, ProducerEpoch: from.epoch, FirstSequence: from.sequence,
		NumRecords: int32(len(texts)), Records: records,
	}
	encoded := b.AppendTo(nil)
	const length, crc, attributes = 8, 17, 21 // where they stand
	binary.BigEndian.PutUint32(encoded[length:], uint32(len(encoded)-12))
	binary.BigEndian.PutUint32(encoded[crc:], crc32.Checksum(encoded[attributes:], crc32.MakeTable(crc32.Castagnoli)))
	return encoded
}

// produceRequest is one batch for partition 0.
func produceRequest(topic string, id [16]byte, records []byte) *kmsg.ProduceRequest {
	request := kmsg.NewPtrProduceRequest()
	request.Acks, request.TimeoutMillis = -1, int32(patience.Milliseconds())
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = records
	of := kmsg.NewProduceRequestTopic()
	of.Topic, of.TopicID, of.Partitions = topic, id, []kmsg.ProduceRequestTopicPartition{partition}
	request.Topics = []kmsg.ProduceRequestTopic{of}
	return request
}

// fetchRequest reads partition 0 from the offset.
func fetchRequest(topic string, id [16]byte, offset int64, wait time.Duration) *kmsg.FetchRequest {
	request := kmsg.NewPtrFetchRequest()
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes = int32(wait.Milliseconds()), 1, 50<<20
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.FetchOffset, partition.PartitionMaxBytes = offset, 50<<20
	of := kmsg.NewFetchRequestTopic()
	of.Topic, of.TopicID, of.Partitions = topic, id, []kmsg.FetchRequestTopicPartition{partition}
	request.Topics = []kmsg.FetchRequestTopic{of}
	return request
}

// describe asks for one topic by name, which makes it if it is not there.
func (r *raw) describe(topic string) kmsg.MetadataResponseTopic {
	r.t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	request.AllowAutoTopicCreation = true
	request.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
	for begun := time.Now(); ; pause() {
		found := r.ask(13, request).(*kmsg.MetadataResponse).Topics[0]
		if found.ErrorCode == 0 && len(found.Partitions) > 0 && found.Partitions[0].ErrorCode == 0 {
			return found
		}
		if time.Since(begun) > patience {
			r.t.Fatalf("topic %s: %+v", topic, found)
		}
	}
}

// storedHeaders reads partition 0 of the topic as it is stored, and returns the headers of its batches.
func storedHeaders(t *testing.T, b *broker, topic string) (headers []kmsg.RecordBatch) {
	t.Helper()
	r := dial(t, b)
	defer r.Close()
	id := r.describe(topic).TopicID
	answer := r.ask(18, fetchRequest("", id, 0, 0)).(*kmsg.FetchResponse)
	rest := answer.Topics[0].Partitions[0].RecordBatches
	for len(rest) > 0 {
		var header kmsg.RecordBatch
		if err := header.ReadFrom(rest); err != nil {
			t.Fatal(err)
		}
		headers = append(headers, header)
		rest = rest[12+header.Length:]
	}
	if len(headers) == 0 {
		t.Fatalf("%s holds nothing: %+v", topic, answer.Topics[0].Partitions[0])
	}
	return headers
}
