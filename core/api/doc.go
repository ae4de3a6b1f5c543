// Package api answers requests: one file for each, which authorises, decides and answers.
//
// A handler runs on the loop and does not wait. What can't be answered at once is parked: a produce until its
// acknowledgement is due, a fetch until there is enough to send, a change of metadata until it is committed.
//
// What it does not do: it holds no state of partitions or the cluster. Those are replica's and metadata's.
package api
