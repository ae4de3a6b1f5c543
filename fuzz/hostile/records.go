package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// produce returns a request with these bytes as one partition's records.
func (c *corpus) produce(records []byte, acks int16) []byte {
	m := protocol.NewProduceRequest()
	m.Acks, m.TimeoutMs = acks, 1000
	m.TopicData = []protocol.TopicProduceData{{
		Name: c.topic, PartitionData: []protocol.PartitionProduceData{{Records: protocol.Records{Bytes: records}}},
	}}
	return request(m, 9)
}

func sealed(p []byte) []byte {
	if len(p) >= record.HeaderBytes {
		binary.BigEndian.PutUint32(p[8:], uint32(len(p)-12))
		binary.BigEndian.PutUint32(p[17:], record.Checksum(p[21:]))
	}
	return p
}

func goodBatch() []byte {
	b := record.NewBuilder(nil, 0, -1)
	b.Append(1_700_000_000_000, []byte("key"), []byte("value"))
	b.Append(1_700_000_000_001, nil, nil)
	return b.Finish(0)
}

// records are about batches.
func (c *corpus) records() {
	for at := range len(goodBatch()) { // every byte of a batch, with a good checksum, and without
		if at >= 8 && at < 12 || at >= 17 && at < 21 {
			continue // the length and the checksum, which are put right
		}
		p := goodBatch()
		p[at] ^= 0xff
		c.add(fmt.Sprintf("records/byte %d changed", at), c.produce(sealed(p), 1))
	}
	p := goodBatch()
	p[30] ^= 1
	c.add("records/a wrong checksum", c.produce(p, 1))
	c.add("records/a wrong checksum with acks=0", c.produce(p, 0))
	for cut := 0; cut < len(goodBatch()); cut += 9 {
		c.add(fmt.Sprintf("records/cut off after %d bytes", cut), c.produce(goodBatch()[:cut], 1))
	}
	c.add("records/two batches", c.produce(append(goodBatch(), goodBatch()...), 1))
	for _, length := range []uint32{0, 48, 49, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		p := goodBatch()
		binary.BigEndian.PutUint32(p[8:], length)
		c.add(fmt.Sprintf("records/a batch length of %d", int32(length)), c.produce(p, 1))
	}
	for codec := byte(1); codec < 8; codec++ {
		c.codec(codec)
	}
	c.bombs()
}

// packed returns a batch that claims to be compressed so, with count records.
func packed(codec byte, count uint32, payload []byte) []byte {
	p := append(goodBatch()[:record.HeaderBytes], payload...)
	p[22] = codec
	binary.BigEndian.PutUint32(p[23:], count-1)
	binary.BigEndian.PutUint32(p[57:], count)
	return sealed(p)
}

func (c *corpus) codec(codec byte) {
	name := fmt.Sprintf("records/codec %d: ", codec)
	c.add(name+"nothing", c.produce(packed(codec, 1, nil), 1))
	c.add(name+"not compressed", c.produce(packed(codec, 2, goodBatch()[record.HeaderBytes:]), 1))
	for i := range 4 {
		c.add(fmt.Sprintf("%snoise %d", name, i), c.produce(packed(codec, 2, c.noise(50<<i)), 1))
	}
	magic := map[byte]string{1: "\x1f\x8b\x08\x00", 2: "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01", 3: "\x04\x22\x4d\x18\x60\x40\x82", 4: "\x28\xb5\x2f\xfd"}[codec]
	for i := range 4 {
		c.add(fmt.Sprintf("%sa good beginning, noise %d", name, i), c.produce(packed(codec, 2, append([]byte(magic), c.noise(40<<i)...)), 1))
	}
}

// bombs are small and claim to hold much.
func (c *corpus) bombs() {
	var zeros bytes.Buffer
	w := gzip.NewWriter(&zeros)
	for range 100 {
		_, _ = w.Write(make([]byte, 1<<20))
	}
	_ = w.Close()
	c.add("records/gzip of 100 MiB of zeros", c.produce(packed(1, 1, zeros.Bytes()), 1))
	c.add("records/a snappy block of 4 GiB", c.produce(packed(2, 1, []byte("\xff\xff\xff\xff\x0f\x00a")), 1))
	c.add("records/a framed snappy block of 1 GiB", c.produce(packed(2, 1, []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x07\x80\x80\x80\x80\x04\x00a")), 1))
	c.add("records/a zstd frame of 4 EiB", c.produce(packed(4, 1, []byte("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x3f\x01\x00\x00")), 1))
	// Zstd blocks of one repeated byte: 128 KiB for four bytes.
	runs := []byte("\x28\xb5\x2f\xfd\x00\x58") // a window of 2 MiB
	for range 8000 {
		runs = append(runs, 0x02, 0x00, 0x10, 0x00)
	}
	c.add("records/zstd of 1 GB in 32 KB", c.produce(packed(4, 1, runs), 1))
	many := protocol.NewProduceRequest()
	many.Acks = 1
	many.TopicData = []protocol.TopicProduceData{{Name: c.topic}}
	for range 100 {
		many.TopicData[0].PartitionData = append(many.TopicData[0].PartitionData, protocol.PartitionProduceData{
			Records: protocol.Records{Bytes: packed(4, 1, runs)},
		})
	}
	c.add("records/a hundred of them", request(many, 9))
	// Records that say they hold more than there is.
	for _, s := range [][2]string{
		{"a record of 2 GiB", "\xfe\xff\xff\xff\x0f"},
		{"a key of 2 GiB", "\x1e\x00\x00\x00\xfe\xff\xff\xff\x0f"},
		{"a value of -2 bytes", "\x0e\x00\x00\x00\x01\x03\x00"},
		{"a billion headers", "\x16\x00\x00\x00\x01\x01\x80\xa8\xd6\xb9\x07"},
		{"a varint that does not end", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
	} {
		c.add("records/"+s[0], c.produce(packed(0, 1, []byte(s[1])), 1))
		c.add("records/"+s[0]+", 2 billion times", c.produce(packed(0, 1<<31-1, []byte(s[1])), 1))
	}
}
