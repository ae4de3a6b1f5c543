package text

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Lines cuts a stream into records.
type Lines struct {
	// Separator stands between key and value; "": lines are values alone.
	Separator string
	// Null, if not nil, is the text that stands for a null key or value.
	Null *string
	// BytesMax bounds a line, and so the memory of one.
	BytesMax int

	reader *bufio.Reader
	number int
}

// ErrTooLong says that a line is longer than any record may be. The rest of it was passed over.
var ErrTooLong = errors.New("the line is too long")

// NewLines reads from r.
func NewLines(r io.Reader) *Lines {
	return &Lines{BytesMax: 1 << 30, reader: bufio.NewReaderSize(r, 1<<16)}
}

// Next returns the next line as a record, and its number, from 1. The error is io.EOF after the last one; after ErrTooLong
// one can go on.
func (l *Lines) Next() (r *kgo.Record, number int, err error) {
	l.number++
	var line []byte
	long := false
	for {
		piece, err := l.reader.ReadSlice('\n')
		if long = long || len(line)+len(bytes.TrimSuffix(piece, []byte("\n"))) > l.BytesMax; !long {
			line = append(line, piece...)
		}
		switch {
		case err == nil:
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(line) > 0 || long):
		default:
			return nil, l.number, err
		}
		break
	}
	if long {
		return nil, l.number, fmt.Errorf("%w: more than %d bytes", ErrTooLong, l.BytesMax)
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return l.record(line), l.number, nil
}

func (l *Lines) record(line []byte) *kgo.Record {
	if l.Separator == "" {
		return &kgo.Record{Value: l.field(line)}
	}
	key, value, found := bytes.Cut(line, []byte(l.Separator))
	if !found {
		return &kgo.Record{Value: l.field(line)}
	}
	return &kgo.Record{Key: l.field(key), Value: l.field(value)}
}

// field is the bytes, or nil for null. An empty field is empty, not null.
func (l *Lines) field(b []byte) []byte {
	if l.Null != nil && string(b) == *l.Null {
		return nil
	}
	if b == nil {
		return []byte{}
	}
	return b
}

// Headers reads "name=value" words.
func Headers(words []string) ([]kgo.RecordHeader, error) {
	var headers []kgo.RecordHeader
	for _, word := range words {
		name, value, found := strings.Cut(word, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%q is no header; write name=value", word)
		}
		headers = append(headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	return headers, nil
}
