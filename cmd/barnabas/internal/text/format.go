package text

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Format writes records as its user asked for. The verbs are kcat's.
type Format struct {
	parts []part
	null  string
}

// part is text, or else a verb.
type part struct {
	text string
	verb byte // 0: text
}

// verbs are what may follow a %, and what each stands for.
var verbs = []struct {
	letter  byte
	meaning string
}{
	{'s', "value"},
	{'S', "its bytes (-1: null)"},
	{'R', "the same as 4 bytes, big-endian"},
	{'k', "key"},
	{'K', "its bytes (-1: null)"},
	{'h', "headers, name=value with commas between"},
	{'t', "topic"},
	{'p', "partition"},
	{'o', "offset"},
	{'T', "timestamp in ms"},
	{'%', "a percent sign"},
}

// Verbs explains them, one a line.
func Verbs() string {
	var b strings.Builder
	for _, v := range verbs {
		fmt.Fprintf(&b, "  %%%c  %s\n", v.letter, v.meaning)
	}
	b.WriteString("  \\n \\r \\t \\\\ \\xHH stand for what they say\n")
	return b.String()
}

// NewFormat compiles a format. null is what stands for a null key or value.
func NewFormat(text, null string) (*Format, error) {
	f := &Format{null: null}
	var plain []byte
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			c, length, err := escape(text[i:])
			if err != nil {
				return nil, err
			}
			plain = append(plain, c)
			i += length - 1
		case '%':
			i++
			if i == len(text) {
				return nil, fmt.Errorf("a %% ends it; write %%%% for a percent sign")
			}
			if text[i] == '%' {
				plain = append(plain, '%')
				continue
			}
			if !isVerb(text[i]) {
				return nil, fmt.Errorf("%%%c stands for nothing; there are\n%s", text[i], Verbs())
			}
			f.parts = append(f.parts, part{text: string(plain)}, part{verb: text[i]})
			plain = plain[:0]
		default:
			plain = append(plain, text[i])
		}
	}
	f.parts = append(f.parts, part{text: string(plain)})
	return f, nil
}

func isVerb(c byte) bool {
	for _, v := range verbs {
		if v.letter == c {
			return true
		}
	}
	return false
}

// escape reads what begins with a backslash.
func escape(text string) (c byte, length int, err error) {
	if len(text) == 1 {
		return 0, 0, fmt.Errorf(`a backslash ends it; write \\ for one`)
	}
	switch text[1] {
	case 'n':
		return '\n', 2, nil
	case 'r':
		return '\r', 2, nil
	case 't':
		return '\t', 2, nil
	case '\\':
		return '\\', 2, nil
	case 'x':
		n, err := strconv.ParseUint(text[2:min(4, len(text))], 16, 8)
		if err != nil || len(text) < 4 {
			return 0, 0, fmt.Errorf(`%q: \x takes two hexadecimal digits`, text[:min(4, len(text))])
		}
		return byte(n), 4, nil
	}
	return 0, 0, fmt.Errorf(`%q stands for nothing; take \n, \r, \t, \\ or \xHH`, text[:2])
}

// Unescape replaces \n, \r, \t, \\ and \xHH.
func Unescape(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			continue
		}
		c, length, err := escape(text[i:])
		if err != nil {
			return "", err
		}
		b.WriteByte(c)
		i += length - 1
	}
	return b.String(), nil
}

// Append writes the record to the end of b.
func (f *Format) Append(b []byte, r *kgo.Record) []byte {
	for _, p := range f.parts {
		switch p.verb {
		case 0:
			b = append(b, p.text...)
		case 's':
			b = f.bytes(b, r.Value)
		case 'S':
			b = strconv.AppendInt(b, size(r.Value), 10)
		case 'R':
			b = binary.BigEndian.AppendUint32(b, uint32(size(r.Value)))
		case 'k':
			b = f.bytes(b, r.Key)
		case 'K':
			b = strconv.AppendInt(b, size(r.Key), 10)
		case 'h':
			b = f.headers(b, r.Headers)
		case 't':
			b = append(b, r.Topic...)
		case 'p':
			b = strconv.AppendInt(b, int64(r.Partition), 10)
		case 'o':
			b = strconv.AppendInt(b, r.Offset, 10)
		case 'T':
			b = strconv.AppendInt(b, r.Timestamp.UnixMilli(), 10)
		}
	}
	return b
}

func (f *Format) bytes(b, field []byte) []byte {
	if field == nil {
		return append(b, f.null...)
	}
	return append(b, field...)
}

func (f *Format) headers(b []byte, headers []kgo.RecordHeader) []byte {
	for i, h := range headers {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, h.Key...), '=')
		b = f.bytes(b, h.Value)
	}
	return b
}

// size is the length, or -1 of null.
func size(field []byte) int64 {
	if field == nil {
		return -1
	}
	return int64(len(field))
}
