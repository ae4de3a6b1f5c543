package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"barnabas/core/protocol"
)

// asker is a connection to a broker for commands: one request at a time, in the newest version both sides know.
type asker struct {
	conn        net.Conn
	address     string
	correlation int32
	versions    map[int16]int16 // the greatest that the broker serves
}

const (
	askPatience    = 10 * time.Second
	answerBytesMax = 100 << 20
	greetVersion   = 3 // of ApiVersions, which every broker since 2.4 serves
)

// connect connects to the first of the brokers that answers and learns what it serves.
func (p *program) connect(addresses ...string) (*asker, error) {
	conn, address, err := p.reach(addresses)
	if err != nil {
		return nil, err
	}
	a := &asker{conn: conn, address: address}
	request := protocol.NewApiVersionsRequest()
	request.ClientSoftwareName, request.ClientSoftwareVersion = "barnabas", "1"
	answer, err := a.exchange(request, greetVersion)
	if err != nil {
		a.close()
		return nil, err
	}
	a.versions = make(map[int16]int16)
	for _, key := range answer.(*protocol.ApiVersionsResponse).ApiKeys {
		a.versions[key.ApiKey] = key.MaxVersion
	}
	return a, nil
}

func dialTCP(address string, patience time.Duration) (net.Conn, error) {
	return net.DialTimeout("tcp", address, patience)
}

func (a *asker) close() { _ = a.conn.Close() }

// ask sends a request and waits for its answer.
func (a *asker) ask(m protocol.Message) (protocol.Message, error) {
	api, _ := protocol.APIByKey(m.APIKey())
	most, served := a.versions[api.Key]
	if !served || most < api.Min {
		return nil, fmt.Errorf("the broker at %s does not serve %s", a.address, api.Name)
	}
	return a.exchange(m, min(most, api.Max))
}

func (a *asker) exchange(m protocol.Message, version int16) (protocol.Message, error) {
	answer, err := a.try(m, version)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it closed the connection")
	}
	if err != nil {
		return nil, fmt.Errorf("the broker at %s: %w", a.address, err)
	}
	return answer, nil
}

func (a *asker) try(m protocol.Message, version int16) (protocol.Message, error) {
	a.correlation++
	w := protocol.NewWriter(nil)
	header := protocol.RequestHeader{
		RequestApiVersion: version, CorrelationId: a.correlation, ClientId: protocol.String("barnabas"),
	}
	if err := protocol.EncodeRequest(w, header, m); err != nil {
		return nil, err
	}
	if err := a.conn.SetDeadline(time.Now().Add(askPatience)); err != nil {
		return nil, err
	}
	if _, err := a.conn.Write(w.Bytes()); err != nil {
		return nil, err
	}
	frame, err := a.receive()
	if err != nil {
		return nil, err
	}
	correlation, answer, err := protocol.DecodeResponse(protocol.NewReader(frame, 1<<20+64*len(frame)), m.APIKey(), version)
	if err == nil && correlation != a.correlation {
		err = fmt.Errorf("it answered request %d, not %d", correlation, a.correlation)
	}
	return answer, err
}

// receive reads one frame without its size.
func (a *asker) receive() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(a.conn, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > answerBytesMax {
		return nil, fmt.Errorf("its answer of %d bytes is none of Kafka's protocol", n)
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(a.conn, frame)
	return frame, err
}
