// Package protocol holds Kafka's wire messages: requests, responses, their headers, the metadata records of KRaft,
// raft's control records, and the keys and values in the internal topics of groups, transactions and share groups, at
// every version Kafka 4.3 accepts. That a request is described says nothing about its being served: package api
// advertises what is.
//
// The messages are generated (the *.gen.go files) from the definitions folder, by the command in the generate folder.
// Written by hand are the checked [Reader], the [Writer], and the few types the fields need. `go generate` in this
// folder renews the generated files; a test fails when they differ from what the definitions say.
//
// # Notation
//
// One text file holds one API (its request and its response), one type of record of an internal topic (its key and its
// value), or one record or header. The first line says what it is:
//
//	api      KEY NAME VERSIONS [flexible VERSIONS] [advertised VERSIONS]
//	record   KEY NAME VERSIONS flexible VERSIONS    a metadata record; the key is its record id
//	control  KEY NAME VERSIONS flexible VERSIONS    a control record; the key is its control type
//	internal TOPIC KEY NAME VERSIONS [flexible VERSIONS]
//	         a record of an internal topic; the key is its type, the versions are the value's (a key has version 0 only)
//	data     NAME VERSIONS [flexible VERSIONS]      what is found within bytes of others
//	header   NAME VERSIONS flexible VERSIONS
//
// The line may end in "hot", see below.
//
// VERSIONS is 3, 3-7 or 3+. "flexible" is where compact lengths and tagged fields begin; without it they never do.
// "advertised" is what ApiVersions tells clients where that is wider than what is decoded.
//
// An api goes on with the lines "request" and "response", an internal record with "key" and "value". Below them, or
// below the first line otherwise, stand the fields, two spaces deeper than what they belong to, one a line, in the order
// of the wire:
//
//	NAME TYPE [VERSIONS] [null [VERSIONS]] [= DEFAULT] [tag NUMBER] [inflexible] [ignorable]
//
//	TYPE        bool int8 int16 uint16 int32 uint32 int64 float64 string bytes records uuid, error (an int16 of type
//	            [Error]), the name of a struct, or any of these but bytes and records after [] for an array
//	VERSIONS    where the field exists; left out, in all versions of the message
//	null        the field may be null, in all its versions or in those given (a struct: in all)
//	= DEFAULT   the value where the field is absent: a number, true, or null; left out, it is Kafka's zero: 0, false,
//	            the empty string (not null), the empty array (not null)
//	tag         the field is a tagged field, from its first version on
//	inflexible  a string that keeps its old length in flexible versions
//	ignorable   a value that the version cannot carry is dropped; without this word it is an error to encode it
//
// A struct's fields stand below its first mention; a later mention in the same file means the same struct. Struct names
// are those of the Go types, so they are unique in this package: Kafka's own, prefixed with the message's where two
// messages share one. Text after # is a comment.
//
// The file errors.txt lists the error codes: CODE NAME [retriable] : what it means. The folder test holds definitions
// that become test files and stand in no table.
//
// # Code
//
// There are two forms of generated code. Hot messages, marked in their definition, have straight code: an encoder and a
// decoder that call the [Writer] and the [Reader]. All others are described once, in compact code, to a coder that goes
// both ways (coder.go): half the instructions, for some nanoseconds a field. A test holds the two against each other.
//
// # In Go
//
// Arrays are slices of values. Where an array or bytes field may be null, nil is null and an empty slice is empty;
// elsewhere both are the empty array. A string that may be null in some version is a [NullString], whose zero is null.
// A struct that may be null is a pointer.
//
// Decoded strings are copies. Decoded bytes and records are parts of the input: whatever outlives the frame has to be
// copied out of it.
//
// A hot message may be decoded into again: the arrays of the time before are used once more, unless they may be null.
package protocol

//go:generate go run ./generate
