package wire

import (
	"barnabas/core/env"
	"barnabas/core/metric"
)

// Traffic counts what a server did since its start.
type Traffic struct {
	Accepted int64 // connections
	Idle     int64 // of these closed because they asked for nothing
	Refused  int64 // of these closed because of what they sent
	Unread   int64 // of these closed because they read nothing while the answers of all had no room
	Crowded  int64 // how often these came to have none
	BytesIn  int64 // of whole frames
	BytesOut int64
	// Requests has, by API key, how long those that were answered took: from their arrival until the answer was given.
	Requests [apiKeys]metric.Histogram
}

// apiKeys is above every API key that can be decoded; a test sees to it.
const apiKeys = 128

// Traffic returns the server's counts, which go on.
func (s *Server) Traffic() *Traffic { return &s.traffic }

// Unsent is how many bytes of answers have not left.
func (s *Server) Unsent() int64 { return s.backlog.bytes }

const sizeBytes = 4 // before every frame

func (t *Traffic) received(f *env.Frame) { t.BytesIn += int64(sizeBytes + len(f.Bytes)) }

func (t *Traffic) sent(parts [][]byte) {
	for _, p := range parts {
		t.BytesOut += int64(len(p))
	}
}

// answered counts a request that has its answer.
func (s *Server) answered(r *Request) {
	if key := r.Header.RequestApiKey; r.Facts != nil && r.Facts.Err == nil && key >= 0 && key < apiKeys {
		s.traffic.Requests[key].Observe(s.loop.Now().Sub(r.Arrived))
	}
}
