// Package hostile is a corpus of what no client should send: streams of bytes, made by a program that always makes the same.
//
// Each case is what one connection sends. A broker that is sent any of them lives, answers or closes the connection, takes
// no memory to speak of, and serves its other clients meanwhile. Families:
//
//	length      lengths of frames that are none, and other protocols
//	header      request headers with keys, versions and lengths that are none
//	body        every API: bodies cut off, with bytes too many, with counts that are not there, of noise
//	tags        tagged fields that claim to be many, or large
//	records     batches whose parts contradict each other, under every codec; bombs
//	rows        requests that are right, and ask for very much
package hostile

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"barnabas/core/protocol"
)

// Case is what one connection sends.
type Case struct {
	Name   string
	Stream []byte
	// Open says that the broker may wait for more: nothing needs to come back, and the connection need not be closed.
	Open bool
}

// Corpus returns all cases, always the same. Topic names a topic that is there.
func Corpus(topic string) []Case {
	c := &corpus{topic: topic, random: rand.New(rand.NewPCG(1, 2))}
	c.lengths()
	c.headers()
	c.bodies()
	c.tags()
	c.records()
	c.rows()
	return c.cases
}

type corpus struct {
	topic  string
	random *rand.Rand
	cases  []Case
}

func (c *corpus) add(name string, stream []byte) {
	c.cases = append(c.cases, Case{Name: name, Stream: stream})
}

func (c *corpus) open(name string, stream []byte) {
	c.cases = append(c.cases, Case{Name: name, Stream: stream, Open: true})
}

// noise returns n bytes.
func (c *corpus) noise(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(c.random.Uint32())
	}
	return p
}

// framed puts the length before what a frame holds.
func framed(parts ...[]byte) []byte {
	p := make([]byte, 4)
	for _, part := range parts {
		p = append(p, part...)
	}
	binary.BigEndian.PutUint32(p, uint32(len(p)-4))
	return p
}

// head returns a request header without a client's name.
func head(key, version int16, flexible bool) []byte {
	p := binary.BigEndian.AppendUint16(nil, uint16(key))
	p = binary.BigEndian.AppendUint16(p, uint16(version))
	p = append(p, 0, 0, 0, 7, 0xff, 0xff) // correlation id, no client id
	if flexible {
		p = append(p, 0)
	}
	return p
}

// lengths are about what stands before a frame.
func (c *corpus) lengths() {
	for _, n := range []uint32{0, 1, 2, 3, 7, 8, 9, 1 << 31, 1<<31 - 1, 1<<32 - 1, 104857601, 0x80000001} {
		c.cases = append(c.cases, Case{
			Name: fmt.Sprintf("length/%d", int32(n)), Stream: binary.BigEndian.AppendUint32(nil, n), Open: n > 0 && n < 104857601,
		})
	}
	for _, n := range []uint32{8, 100, 1 << 20, 104857600} {
		c.open(fmt.Sprintf("length/%d, and a little of it", n), append(binary.BigEndian.AppendUint32(nil, n), head(3, 1, false)...))
	}
	for _, s := range [][2]string{
		{"HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		{"HTTP with a body", "POST /topics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
		{"SSH", "SSH-2.0-OpenSSH_9.9\r\n"},
		{"Redis", "*1\r\n$4\r\nPING\r\n"},
		{"text", "hello, is anybody there?\n"},
	} {
		c.add("length/"+s[0], []byte(s[1]))
	}
	c.open("length/PostgreSQL", []byte("\x00\x00\x00\x08\x04\xd2\x16\x2f")) // which asks for TLS so
	c.open("length/nothing at all", nil)
	c.open("length/half a length", []byte{0, 0})
	for i := range 40 {
		c.add(fmt.Sprintf("length/noise %d", i), framed(c.noise(8+i*37)))
	}
}

// headers are about what begins a request.
func (c *corpus) headers() {
	for _, key := range []int16{-1, -32768, 32767, 93, 1000, 4, 5, 6, 7} {
		c.add(fmt.Sprintf("header/key %d", key), framed(head(key, 0, false)))
	}
	for api := range protocol.APIs {
		for _, version := range []int16{-1, api.Max + 1, 32767} {
			c.add(fmt.Sprintf("header/%s version %d", api.Name, version), framed(head(api.Key, version, false)))
		}
	}
	for _, length := range []int16{-2, -32768, 1, 32767} {
		p := head(3, 1, false)
		binary.BigEndian.PutUint16(p[8:], uint16(length))
		c.add(fmt.Sprintf("header/a client id of %d bytes", length), framed(p))
	}
	for cut := range 10 {
		c.add(fmt.Sprintf("header/cut off after %d bytes", cut), framed(head(18, 0, false)[:cut]))
	}
}

// bodies are about what the fields of each API say.
func (c *corpus) bodies() {
	for api := range protocol.APIs {
		for _, version := range slices.Compact([]int16{api.Min, api.Max}) {
			whole := request(protocol.NewRequest(api.Key), version)
			flexible := api.RequestHeaderVersion(version) == 2
			header := head(api.Key, version, flexible)
			name := fmt.Sprintf("body/%s version %d ", api.Name, version)
			c.add(name+"without its last byte", framed(whole[4:len(whole)-1]))
			// What is behind a request is let be, as in Kafka, so that it is answered: but for produce, whose default is acks=0.
			if more := framed(whole[4:], []byte{0}); api.Key == protocol.KeyProduce {
				c.open(name+"and a byte more", more)
			} else {
				c.add(name+"and a byte more", more)
			}
			c.add(name+"of ones", framed(header, repeat(0xff, 64)))
			c.add(name+"of greatest counts", framed(header, repeat(0x7f, 64)))
			c.add(name+"of noise", framed(header, c.noise(200)))
		}
	}
	c.add("body/a request twice, and noise", append(append(request(protocol.NewMetadataRequest(), 1), request(protocol.NewMetadataRequest(), 1)...), framed(c.noise(30))...))
}

// request encodes one.
func request(m protocol.Message, version int16) []byte {
	w := protocol.NewWriter(nil)
	if err := protocol.EncodeRequest(w, protocol.RequestHeader{RequestApiVersion: version, CorrelationId: 7}, m); err != nil {
		return framed(head(m.APIKey(), version, false)) // its defaults are no request of that version
	}
	return w.Bytes()
}

func repeat(b byte, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = b
	}
	return p
}

// tags are about tagged fields.
func (c *corpus) tags() {
	const most = "\xff\xff\xff\xff\x0f"
	for _, s := range [][2]string{
		{"4 billion of them in the header", most},
		{"a varint that does not end", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
		{"one of 4 billion bytes", "\x01\x05" + most},
		{"one of more bytes than there are", "\x01\x05\x40abc"},
		{"the same twice", "\x02\x05\x00\x05\x00"},
		{"descending", "\x02\x05\x00\x04\x00"},
		{"50 million of them", "\x80\xe1\xeb\x17"},
	} {
		for _, api := range []struct{ key, version int16 }{{18, 3}, {3, 12}, {1, 12}, {0, 9}, {19, 5}} {
			p := head(api.key, api.version, true)
			c.add(fmt.Sprintf("tags/key %d, header: %s", api.key, s[0]), framed(p[:len(p)-1], []byte(s[1])))
			c.add(fmt.Sprintf("tags/key %d, body: %s", api.key, s[0]), framed(p, []byte(s[1])))
		}
		// ApiVersions: two short strings, then the tags. The first bodies of the studies that found such bombs.
		c.add("tags/ApiVersions: "+s[0], framed(head(18, 3, true), []byte("\x02a\x02b"+s[1])))
	}
}
