package main

import (
	"fmt"
	"strconv"
	"strings"
)

// emitTables writes the table of APIs and the constructors by key.
func emitTables(defs []*definition) ([]byte, error) {
	e := &emitter{}
	e.p("// The API keys.\nconst (")
	e.each(defs, "api", func(d *definition) { e.p("Key%s int16 = %d", d.name, d.key) })
	e.p(")\n")
	e.p("// The control record types.\nconst (")
	e.each(defs, "control", func(d *definition) { e.p("Control%s int16 = %d", d.name, d.key) })
	e.p(")\n")

	e.p("// APIByKey returns an API's row of the table.\nfunc APIByKey(key int16) (API, bool) {\nswitch key {")
	e.each(defs, "api", func(d *definition) {
		flexible := int(d.flexible.min)
		if d.flexible.empty() {
			flexible = -1
		}
		e.p("case %d:\nreturn API{Key: %d, Name: %q, Min: %d, Max: %d, Flexible: %d, AdvertisedMin: %d}, true",
			d.key, d.key, d.name, d.versions.min, d.versions.max, flexible, d.advertised.min)
	})
	e.p("}\nreturn API{}, false\n}\n")
	e.p("// maxKey is the greatest API key.")
	e.p("const maxKey = %d\n", greatest(defs, "api"))

	for _, kind := range []string{"Request", "Response"} {
		e.p("// New%s returns the %s of an API, with Kafka's defaults, or nil if there is no such API.", kind,
			strings.ToLower(kind))
		e.p("func New%s(key int16) Message {\nswitch key {", kind)
		e.each(defs, "api", func(d *definition) { e.p("case %d:\nreturn New%s%s()", d.key, d.name, kind) })
		e.p("}\nreturn nil\n}\n")
	}
	e.constructor(defs, "record", "metadata record of an id", "newRecord")
	e.constructor(defs, "control", "control record of a type", "newControl")
	for _, topic := range []string{"__consumer_offsets", "__share_group_state", "__transaction_state"} {
		var own []*definition
		for _, d := range defs {
			if d.topic == topic {
				own = append(own, d)
			}
		}
		name := camel(strings.ToUpper(strings.TrimPrefix(topic, "__")))
		e.constructor(own, "key", "key of "+topic+"'s records of a type", "new"+name+"Key")
		e.constructor(own, "value", "value of "+topic+"'s records of a type", "new"+name+"Value")
	}
	e.p("// maxInternalKey is the greatest type of an internal topic's records.")
	e.p("const maxInternalKey = %d\n", greatest(defs, "value"))
	e.p("// internalName is the name of the type that a value belongs to.")
	e.p("func internalName(m Message) string {\nswitch m.(type) {")
	e.each(defs, "value", func(d *definition) {
		e.p("case *%s:\nreturn %q", d.name, strings.TrimSuffix(d.name, "Value"))
	})
	e.p("}\nreturn \"\"\n}\n")
	return e.source()
}

func (e *emitter) constructor(defs []*definition, kind, what, name string) {
	e.p("// %s returns the %s, and its least and greatest versions, or nil if it is unknown.", name, what)
	e.p("func %s(key int16) (m Message, least, greatest int16) {\nswitch key {", name)
	e.each(defs, kind, func(d *definition) {
		e.p("case %d:\nreturn New%s(), %d, %d", d.key, d.name, d.versions.min, d.versions.max)
	})
	e.p("}\nreturn nil, 0, 0\n}\n")
}

func greatest(defs []*definition, kind string) int {
	key := 0
	for _, d := range defs {
		if d.kind == kind {
			key = max(key, d.key)
		}
	}
	return key
}

func (e *emitter) each(defs []*definition, kind string, do func(*definition)) {
	for _, d := range defs {
		if d.kind == kind {
			do(d)
		}
	}
}

// emitErrors writes the error codes from their list.
func emitErrors(text string) ([]byte, error) {
	type code struct {
		number    int
		name      string
		retriable bool
		message   string
	}
	var codes []code
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		head, message, _ := strings.Cut(line, " : ")
		words := strings.Fields(head)
		if len(words) < 2 || len(words) > 3 || len(words) == 3 && words[2] != "retriable" {
			return nil, fmt.Errorf("line %d: not an error code", i+1)
		}
		number, err := strconv.Atoi(words[0])
		if err != nil || number != len(codes)-1 {
			return nil, fmt.Errorf("line %d: expected code %d", i+1, len(codes)-1)
		}
		codes = append(codes, code{number, words[1], len(words) == 3, strings.TrimSpace(message)})
	}
	e := &emitter{}
	e.p("// Kafka's error codes.\nconst (")
	for _, c := range codes {
		e.p("Err%s Error = %d", camel(c.name), c.number)
	}
	e.p(")\n")
	e.p("// errorTable is indexed by the code plus one. It is never written.")
	e.p("var errorTable = [...]errorRow{")
	for _, c := range codes {
		e.p("{%q, %q, %t},", c.name, c.message, c.retriable)
	}
	e.p("}")
	return e.source()
}

// camel turns NOT_LEADER into NotLeader.
func camel(name string) string {
	out := ""
	for word := range strings.SplitSeq(name, "_") {
		out += word[:1] + strings.ToLower(word[1:])
	}
	return out
}
