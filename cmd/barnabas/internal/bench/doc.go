// Package bench puts a known load on a broker and measures what comes back: the generator behind `barnabas bench`.
//
//	produce  producers send as fast as they may, or by a schedule; a latency is from when a record was due until it was acknowledged
//	e2e      the same, and consumers read along; a latency is from when a record was due until a consumer had it
//	consume  consumers read what was written before, as fast as they can
//
// With a rate there is one schedule for all producers, fixed when the run begins: record n is due n/rate after the start. A
// latency begins there, not when its producer got round to it, so that a broker that stalls does not hide the records that
// had to wait (coordinated omission). Without a rate a latency begins when the producer hands the record over, and is mostly
// waiting in its own buffer.
//
// What is measured begins after the warm-up. Throughput counts what was acknowledged (or read) within the window; latencies
// are of the records due within it, all of which are waited for.
package bench
