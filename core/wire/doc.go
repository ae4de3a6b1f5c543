// Package wire is the connection room: requests that come in, answers that go out, and requests to other brokers.
//
// Before the loop a frame yields facts (Inspect): the records of a produce request are checked there, where it costs the
// loop nothing. On the loop a Connection decodes headers and keeps Kafka's order (rule T4): consecutive Produce requests
// of a connection overlap and are answered in order; any other request starts when all earlier ones have been answered,
// and holds back later ones. A Peer is the other side of the same protocol: it sends requests to a broker and matches
// what comes back.
//
// What it does not do: it knows no API's meaning. Requests are handed to a function that api provides.
package wire
