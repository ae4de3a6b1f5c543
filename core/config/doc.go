// Package config is the table of settings: every name, its type, default and bounds, and what it means.
//
// A setting carries Kafka's own name where Kafka has one. It comes from a flag, a BARNABAS_… environment variable, a
// properties file or the table, and remembers which. Three kinds of names exist:
//
//	with effect      rows of the table; a value out of bounds is refused
//	known to Kafka   accepted, and named together in one warning: nothing here reads them
//	unknown          refused, with the nearest name that exists
//
// Reading is two pure steps: Properties and Environment turn text into pairs, Parse turns pairs into Settings. Pairs come
// in rising order of precedence, so a later one wins.
//
// Every row also carries the values the simulator draws from (Draw), so a new setting is tried under faults without
// anybody remembering to.
//
// What it does not do: it reads no file and no environment, and no setting changes while a broker runs.
package config
