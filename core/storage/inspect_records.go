package storage

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"barnabas/core/protocol"
	"barnabas/core/record"
)

// metadataFolder is the folder of the metadata log.
const metadataFolder = "__cluster_metadata-0"

// records tells the records of an uncompressed batch, decoded where it is known what they are. Those of the metadata log are
// decoded in any case: one that can't be is damage.
func (in *inspection) records(h *record.Header, p []byte) error {
	control, metadata := h.Attributes.IsControl(), in.file.Folder == metadataFolder
	if !in.options.Records && !metadata {
		return nil
	}
	return record.Walk(p, h.Count, func(r *record.Record) error {
		fields := []Field{
			{"offset", h.BaseOffset + record.Offset(r.OffsetDelta)}, {"timestamp", h.BaseTimestamp + r.TimestampDelta},
		}
		var more []Field
		var err error
		switch {
		case control:
			more, err = controlFields(r)
		case metadata:
			more, err = metadataFields(r)
		default:
			more = dataFields(r)
		}
		if err != nil {
			return in.within("record", err.Error(), fields...)
		}
		if !in.options.Records {
			return nil
		}
		return in.within("record", "", append(fields, more...)...)
	})
}

// controlNames are the types of control records that hold no message of raft's.
var controlNames = [...]string{0: "abort", 1: "commit"}

func controlFields(r *record.Record) ([]Field, error) {
	number, err := protocol.ControlType(r.Key)
	if err != nil {
		return nil, err
	}
	if 0 <= number && int(number) < len(controlNames) {
		return []Field{{"control", controlNames[number]}}, nil
	}
	m, err := protocol.DecodeControl(number, r.Value, 0)
	if err != nil {
		return nil, err
	}
	return []Field{{"control", messageName(m)}, {"value", m}}, nil
}

func metadataFields(r *record.Record) ([]Field, error) {
	decoded, err := protocol.DecodeRecord(r.Value)
	if err != nil {
		return nil, err
	}
	return []Field{{"metadata", messageName(decoded.Message)}, {"version", decoded.Version}, {"value", decoded.Message}}, nil
}

// messageName is the name of the message's type, which is Kafka's for it.
func messageName(m protocol.Message) string {
	name := fmt.Sprintf("%T", m)
	return name[strings.LastIndexByte(name, '.')+1:]
}

func dataFields(r *record.Record) []Field {
	fields := []Field{{"key", shown(r.Key)}, {"value", shown(r.Value)}}
	for _, h := range r.Headers {
		fields = append(fields, Field{"header " + h.Key, shown(h.Value)})
	}
	return fields
}

// shown is bytes as they can be printed: text as it is, null as null, anything else quoted as Go writes it.
func shown(p []byte) string {
	switch {
	case p == nil:
		return "null"
	case utf8.Valid(p) && strings.IndexFunc(string(p), notPrinted) < 0:
		return string(p)
	}
	return strconv.QuoteToASCII(string(p))
}

func notPrinted(r rune) bool { return !strconv.IsPrint(r) || r == utf8.RuneError }
