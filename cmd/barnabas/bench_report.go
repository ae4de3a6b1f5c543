package main

import (
	"fmt"
	"strings"
	"time"

	"barnabas/cmd/barnabas/internal/bench"
)

// benchReport is what bench prints.
type benchReport struct {
	Mode       string        `json:"mode"`
	Durability string        `json:"durability"` // of the broker; "": it does not say
	Settings   benchSettings `json:"settings"`
	Records    int64         `json:"records"`
	Bytes      int64         `json:"bytes"`
	Seconds    float64       `json:"seconds"`
	PerSecond  float64       `json:"records_per_second"`
	BytesEach  float64       `json:"bytes_per_second"`
	Errors     int64         `json:"errors"`
	Latency    *benchLatency `json:"latency_us,omitempty"`
	Server     *benchServer  `json:"server,omitempty"`

	flags  *benchFlags
	server serverUse
}

type benchSettings struct {
	Partitions  int     `json:"partitions"`
	RecordBytes int     `json:"record_bytes"`
	Producers   int     `json:"producers"`
	Consumers   int     `json:"consumers"`
	Outstanding int     `json:"outstanding"`
	Rate        float64 `json:"rate"`
	Acks        string  `json:"acks"`
	Compression string  `json:"compression"`
	LingerMs    float64 `json:"linger_ms"`
	Payload     string  `json:"payload"`
}

type benchLatency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   int64   `json:"p50"`
	P90   int64   `json:"p90"`
	P99   int64   `json:"p99"`
	P999  int64   `json:"p99_9"`
	Max   int64   `json:"max"`
}

type benchServer struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	CPUPerGB   float64 `json:"cpu_seconds_per_gb"`
	RSS        int64   `json:"rss_bytes"`
	RSSMost    int64   `json:"rss_max_bytes"`
}

// serverUse is the broker's process before and after what is measured.
type serverUse struct {
	before, after bench.Process
	known         bool
}

func (u *serverUse) begin(pid int) {
	if pid > 0 {
		u.before, _ = bench.Look(pid)
	}
}

func (u *serverUse) end(pid int) {
	if pid > 0 {
		var err error
		u.after, err = bench.Look(pid)
		u.known = err == nil && u.before.CPU > 0
	}
}

// take fills the report. Requires: nothing is measured any more.
func (r *benchReport) take(result bench.Result) {
	f := r.flags
	r.Settings = benchSettings{
		Partitions: f.partitions, RecordBytes: f.bytes, Producers: f.producers, Consumers: f.consumers, Outstanding: f.outstanding,
		Rate: f.rate, Acks: f.acks, Compression: f.codec, LingerMs: float64(f.linger) / float64(time.Millisecond), Payload: f.payload,
	}
	r.Records, r.Bytes, r.Errors, r.Seconds = result.Records, result.Bytes, result.Errors, result.Window.Seconds()
	if r.Seconds > 0 {
		r.PerSecond, r.BytesEach = float64(r.Records)/r.Seconds, float64(r.Bytes)/r.Seconds
	}
	if h := result.Latency; h != nil && h.TotalCount() > 0 {
		r.Latency = &benchLatency{
			Count: h.TotalCount(), Mean: h.Mean(), P50: h.ValueAtQuantile(50), P90: h.ValueAtQuantile(90),
			P99: h.ValueAtQuantile(99), P999: h.ValueAtQuantile(99.9), Max: h.Max(),
		}
	}
	if r.server.known {
		r.Server = &benchServer{
			CPUSeconds: (r.server.after.CPU - r.server.before.CPU).Seconds(), RSS: r.server.after.RSS, RSSMost: r.server.after.RSSMost,
		}
		if r.Bytes > 0 {
			r.Server.CPUPerGB = r.Server.CPUSeconds / (float64(r.Bytes) / 1e9)
		}
	}
}

func (r *benchReport) show(asJSON bool) string {
	var b strings.Builder
	if asJSON {
		writeJSON(&b, r)
		return b.String()
	}
	s := r.Settings
	load := "as fast as it goes"
	if s.Rate > 0 {
		load = fmt.Sprintf("%g records/s", s.Rate)
	}
	durability := r.Durability
	if durability == "" {
		durability = "not said"
	}
	fmt.Fprintf(&b, "%s: %s, records of %d bytes (%s), %d partitions, acks %s, compression %s, durability %s\n",
		r.Mode, load, s.RecordBytes, s.Payload, s.Partitions, s.Acks, s.Compression, durability)
	fmt.Fprintf(&b, "  throughput  %.0f records/s, %.1f MB/s (%d records in %.2f s)\n", r.PerSecond, r.BytesEach/1e6, r.Records, r.Seconds)
	if l := r.Latency; l != nil {
		fmt.Fprintf(&b, "  latency ms  p50 %s  p90 %s  p99 %s  p99.9 %s  max %s  mean %s\n",
			inMs(float64(l.P50)), inMs(float64(l.P90)), inMs(float64(l.P99)), inMs(float64(l.P999)), inMs(float64(l.Max)), inMs(l.Mean))
	}
	if u := r.Server; u != nil {
		fmt.Fprintf(&b, "  server      %.2f s CPU, %.2f s a GB; RSS %.0f MB, at most %.0f MB\n",
			u.CPUSeconds, u.CPUPerGB, float64(u.RSS)/1e6, float64(u.RSSMost)/1e6)
	}
	if r.Errors > 0 {
		fmt.Fprintf(&b, "  errors      %d\n", r.Errors)
	}
	return b.String()
}

func inMs(us float64) string { return fmt.Sprintf("%.2f", us/1000) }
