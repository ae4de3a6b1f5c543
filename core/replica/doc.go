// Package replica decides what is committed: leaders, followers, in-sync replicas, high watermarks.
//
// A Partition is one replica of a partition on this broker. As a leader it counts its followers by the stable ends they
// report and itself by its own (rules S2, S3):
//
//	high watermark = least stable end over the maximal ISR, while the ISR has min.insync.replicas members
//
// As a follower it is fed by a fetcher, one task per leading broker, which asks at the stable end, appends what comes, and
// asks again when a commit has made it stable. Truncation is by leader epoch (KIP-101, KIP-279), never by high watermark.
//
// Requests that wait are parked here as plain rows: produces by the end they wait for, fetches as watchers.
//
// What it does not do yet: change the ISR (AlterPartition comes with the cluster), fetch sessions, follower reads.
package replica
