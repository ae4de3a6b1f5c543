// Package monitor serves a broker's metrics and health over HTTP, to Prometheus and to whoever watches processes.
//
//	/metrics  what the broker counts, in Prometheus' text format
//	/livez    200 as long as the broker's loop turns; nothing else can fail it, so that nobody kills a broker that recovers
//	/readyz   200 when records are taken; else 503 and why not
//
// The number of series is bounded whatever clients and topics do: no label names a client, and of the topics the first ones
// have series of their own, the others one together ("*", which no topic can be called).
//
// What it does not do: it knows no authentication and no TLS, and belongs on loopback or a network of the operator's.
package monitor
