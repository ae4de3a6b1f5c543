// Package text turns records into text and lines into records, for `barnabas consume` and `barnabas produce`.
//
//	Format   compiles what the user wrote ("%o %k: %s\n"), once; its Append writes a record
//	JSON     one record as an object on a line
//	Lines    cuts a stream into lines, and a line into key and value
//
// What it does not do: it speaks to no broker.
package text
