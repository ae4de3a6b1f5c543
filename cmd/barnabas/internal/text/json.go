package text

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// object is a record in JSON. A field that is no valid UTF-8 is in its …_base64 instead, so that no byte is lost.
type object struct {
	Topic         string   `json:"topic"`
	Partition     int32    `json:"partition"`
	Offset        int64    `json:"offset"`
	Timestamp     int64    `json:"timestamp"`
	TimestampType string   `json:"timestamp_type"`
	Key           *string  `json:"key"`
	KeyBase64     string   `json:"key_base64,omitempty"`
	Value         *string  `json:"value"`
	ValueBase64   string   `json:"value_base64,omitempty"`
	Headers       []header `json:"headers"`
}

type header struct {
	Key         string  `json:"key"`
	Value       *string `json:"value"`
	ValueBase64 string  `json:"value_base64,omitempty"`
}

// AppendJSON writes the record as an object on a line of its own.
func AppendJSON(b []byte, r *kgo.Record) []byte {
	o := object{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(),
		TimestampType: "CreateTime", Headers: []header{},
	}
	if r.Attrs.TimestampType() == 1 {
		o.TimestampType = "LogAppendTime"
	}
	o.Key, o.KeyBase64 = field(r.Key)
	o.Value, o.ValueBase64 = field(r.Value)
	for _, h := range r.Headers {
		to := header{Key: h.Key}
		to.Value, to.ValueBase64 = field(h.Value)
		o.Headers = append(o.Headers, to)
	}
	var w bytes.Buffer
	encoder := json.NewEncoder(&w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(o)
	return append(b, w.Bytes()...)
}

func field(bytes []byte) (text *string, encoded string) {
	switch {
	case bytes == nil:
		return nil, ""
	case utf8.Valid(bytes):
		s := string(bytes)
		return &s, ""
	}
	return nil, base64.StdEncoding.EncodeToString(bytes)
}
