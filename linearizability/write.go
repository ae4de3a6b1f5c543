package linearizability

import (
	"bufio"
	"io"
	"strconv"
)

// header is the first line of a history: what it is, and the version of the format.
const header = "barnabas-history 1"

// WriteTo writes the history in the format that Read reads.
func (h *History) WriteTo(w io.Writer) (int64, error) {
	out := &counter{w: bufio.NewWriterSize(w, 64<<10)}
	line := append([]byte(header), '\n')
	for i, p := range h.Partitions {
		line = append(line, "partition "...)
		line = strconv.AppendInt(line, int64(i), 10)
		line = append(append(line, ' '), p.Name...)
		if p.Expires {
			line = append(line, " expires"...)
		}
		line = append(line, '\n')
	}
	for i, c := range h.Clients {
		line = append(line, "client "...)
		line = strconv.AppendInt(line, int64(i), 10)
		line = append(append(line, ' '), c.Class.String()...)
		if c.Lossy {
			line = append(line, " lossy"...)
		}
		line = append(line, '\n')
	}
	out.write(line)
	for i := range h.Operations {
		line = h.Operations[i].append(line[:0])
		out.write(append(line, '\n'))
	}
	if out.err == nil {
		out.err = out.w.Flush()
	}
	return out.n, out.err
}

type counter struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (c *counter) write(p []byte) {
	if c.err == nil {
		var n int
		n, c.err = c.w.Write(p)
		c.n += int64(n)
	}
}

// String returns the operation's line.
func (o *Operation) String() string { return string(o.append(nil)) }

func (o *Operation) append(b []byte) []byte {
	b = append(b, o.Kind.String()...)
	b = appendInt(b, int64(o.Client))
	if !o.Kind.OfRegister() {
		b = appendInt(b, int64(o.Partition))
	}
	b = appendInt(b, o.Call)
	if o.Return == Never {
		b = append(b, " -"...)
	} else {
		b = appendInt(b, o.Return)
	}
	b = append(append(b, ' '), o.Outcome.String()...)
	switch o.Kind {
	case Send:
		b = append(b, ' ')
		b = appendValues(b, o.First, o.Count)
		if o.Outcome == OK {
			b = append(b, '@')
			b = strconv.AppendInt(b, o.Offset, 10)
			b = appendEpoch(b, " ", o.Epoch)
		}
	case Poll:
		b = o.appendPoll(b)
	case Latest, Earliest:
		if o.Outcome == OK {
			b = appendInt(b, o.Offset)
			b = appendEpoch(b, " ", o.Epoch)
			if o.Final {
				b = append(b, " final"...)
			}
		}
	default:
		b = append(append(b, ' '), o.Register.Key...)
		b = append(append(b, '='), o.Register.Value...)
		if o.Register.Metadata >= 0 {
			b = append(b, " m"...)
			b = strconv.AppendInt(b, o.Register.Metadata, 10)
		}
	}
	return b
}

func (o *Operation) appendPoll(b []byte) []byte {
	if o.Offset >= 0 {
		b = append(b, " from="...)
		b = strconv.AppendInt(b, o.Offset, 10)
	}
	for _, r := range o.Runs {
		b = append(b, ' ')
		b = appendValues(b, r.First, r.Count)
		b = append(b, '@')
		b = strconv.AppendInt(b, r.Offset, 10)
		b = appendEpoch(b, "", r.Epoch)
	}
	if o.Final {
		b = append(b, " final"...)
	}
	return b
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(append(b, ' '), n, 10) }

func appendValues(b []byte, first Value, count int32) []byte {
	if first == Refused {
		b = append(b, '!')
	} else {
		b = strconv.AppendInt(b, int64(first.Client()), 10)
		b = append(b, '.')
		b = strconv.AppendInt(b, int64(first.Number()), 10)
	}
	if count != 1 {
		b = append(b, '+')
		b = strconv.AppendInt(b, int64(count), 10)
	}
	return b
}

func appendEpoch(b []byte, between string, epoch int32) []byte {
	if epoch < 0 {
		return b
	}
	b = append(append(b, between...), 'e')
	return strconv.AppendInt(b, int64(epoch), 10)
}
