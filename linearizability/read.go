package linearizability

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// lineBytesMax bounds one line: a poll of a million runs is shorter.
const lineBytesMax = 64 << 20

// Read reads a history. Its format is text, a line each for what there is, in any order but for this: what a line names
// stands above it, and the lines of one client are in the order of its calls.
//
//	barnabas-history 1
//	partition NUMBER NAME [expires]
//	client NUMBER consumer|plain|retrying|idempotent [lossy]
//	send CLIENT PARTITION CALL RETURN ok VALUES@OFFSET [eEPOCH]
//	send CLIENT PARTITION CALL RETURN failed|unknown VALUES
//	poll CLIENT PARTITION CALL RETURN ok [from=OFFSET] VALUES@OFFSET[eEPOCH]... [final]
//	latest CLIENT PARTITION CALL RETURN ok OFFSET [eEPOCH] [final]
//	earliest CLIENT PARTITION CALL RETURN ok OFFSET
//	create|delete|set|get CLIENT CALL RETURN ok|failed|unknown|conflict KEY=VALUE [mOFFSET]
//
// Numbers count from 0. CALL and RETURN are nanoseconds of one clock; RETURN is - when the end was not seen. VALUES are
// CLIENT.NUMBER, the record of that number which that client made, or CLIENT.NUMBER+COUNT for several in a row; in a poll
// also ! and !+COUNT for records the broker refuses to give. eEPOCH is the leader epoch, mOFFSET an offset of the metadata
// log, where they are known. Lines that begin with # and empty ones do not count.
//
// A history that can't be read, or makes no sense in itself, is an *InvalidError with the number of the line.
func Read(r io.Reader) (*History, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), lineBytesMax)
	p := lineReader{h: &History{}}
	for in.Scan() {
		p.line++
		line := bytes.TrimRight(in.Bytes(), " \r")
		switch {
		case p.line == 1:
			if string(line) != header {
				p.fail("a history begins with %q, and this with %q", header, line[:min(len(line), 40)])
			}
		case len(line) > 0 && line[0] != '#':
			p.rest = line
			p.read()
		}
		if p.err != nil {
			return nil, p.err
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &InvalidError{p.line + 1, fmt.Sprintf("more than %d bytes in one line", lineBytesMax)}
	case err != nil:
		return nil, err
	case p.line == 0:
		return nil, &InvalidError{1, fmt.Sprintf("a history begins with %q, and here is nothing", header)}
	}
	return p.h, nil
}

// lineReader reads lines. After the first error it reads nothing.
type lineReader struct {
	h    *History
	line int
	rest []byte // of the line
	err  error
	runs []Run // of one poll
	slab []Run // from which polls take theirs
}

func (p *lineReader) fail(format string, arguments ...any) {
	if p.err == nil {
		p.err = &InvalidError{p.line, fmt.Sprintf(format, arguments...)}
	}
}

func (p *lineReader) read() {
	word := p.word()
	switch string(word) {
	case "partition":
		p.readPartition()
	case "client":
		p.readClient()
	default:
		kind, ok := find(kindNames[:], word)
		if !ok {
			p.fail("%q is no operation: take one of %v", word, kindNames)
			return
		}
		p.readOperation(Kind(kind))
	}
	if len(p.rest) > 0 {
		p.fail("%q is too much", p.rest)
	}
}

func (p *lineReader) readPartition() {
	number := p.number(math.MaxUint32)
	if number != int64(len(p.h.Partitions)) {
		p.fail("partition %d follows %d others: partitions are numbered from 0", number, len(p.h.Partitions))
	}
	partition := Partition{Name: string(p.word())}
	if partition.Name == "" {
		p.fail("partition %d has no name", number)
	}
	partition.Expires = p.isNext("expires")
	p.h.AddPartition(partition)
}

func (p *lineReader) readClient() {
	number := p.number(math.MaxUint32)
	if number != int64(len(p.h.Clients)) {
		p.fail("client %d follows %d others: clients are numbered from 0", number, len(p.h.Clients))
	}
	word := p.word()
	class, ok := find(classNames[:], word)
	if !ok {
		p.fail("%q is no class of clients: take one of %v", word, classNames)
	}
	p.h.AddClient(Client{Class: Class(class), Lossy: p.isNext("lossy")})
}

func (p *lineReader) readOperation(kind Kind) {
	o := Operation{Kind: kind, Epoch: NoEpoch, Offset: -1}
	if o.Client = uint32(p.number(math.MaxUint32)); int(o.Client) >= len(p.h.Clients) {
		p.fail("there is no client %d", o.Client)
	}
	if !kind.OfRegister() {
		if o.Partition = uint32(p.number(math.MaxUint32)); int(o.Partition) >= len(p.h.Partitions) {
			p.fail("there is no partition %d", o.Partition)
		}
	}
	o.Call = p.number(Never)
	if o.Return = Never; !p.isNext("-") {
		o.Return = p.number(Never)
	}
	if o.Return < o.Call {
		p.fail("it returns at %d, before its call at %d", o.Return, o.Call)
	}
	word := p.word()
	outcome, ok := find(outcomeNames[:], word)
	if !ok {
		p.fail("%q is no outcome: take one of %v", word, outcomeNames)
	}
	o.Outcome = Outcome(outcome)
	if p.err != nil {
		return
	}
	switch {
	case kind.OfRegister():
		p.readRegister(&o)
	case kind == Send:
		p.readSend(&o)
	case kind == Poll:
		p.readPoll(&o)
	case o.Outcome == OK:
		o.Offset = p.number(math.MaxInt64)
		o.Epoch = p.epoch()
		o.Final = kind == Latest && p.isNext("final")
	}
	if o.Outcome == Conflict && kind != Create && kind != Delete {
		p.fail("a %s has no outcome %q", kind, o.Outcome)
	}
	p.h.lines = append(p.h.lines, int32(p.line))
	p.h.Add(o)
}

func (p *lineReader) readSend(o *Operation) {
	run := p.run(o.Outcome == OK)
	o.First, o.Count = run.First, run.Count
	if o.Outcome == OK {
		o.Offset, o.Epoch = run.Offset, p.epoch()
	}
	switch {
	case p.err != nil:
	case o.First == Refused || o.First.Client() != o.Client:
		p.fail("client %d sends value %v, which is not its own", o.Client, o.First)
	case p.h.Clients[o.Client].Class == Consumer:
		p.fail("client %d is a consumer, and sends", o.Client)
	}
}

func (p *lineReader) readPoll(o *Operation) {
	const from = "from="
	if bytes.HasPrefix(p.rest, []byte(from)) {
		p.rest = p.rest[len(from):]
		o.Offset = p.number(math.MaxInt64)
	}
	p.runs = p.runs[:0]
	for len(p.rest) > 0 && p.err == nil {
		if o.Final = p.isNext("final"); o.Final {
			break
		}
		p.runs = append(p.runs, p.run(true))
	}
	if o.Outcome != OK && (len(p.runs) > 0 || o.Final) {
		p.fail("a poll that is not ok returns nothing")
	}
	if len(p.slab)+len(p.runs) > cap(p.slab) {
		p.slab = make([]Run, 0, max(4096, len(p.runs)))
	}
	n := len(p.slab)
	p.slab = append(p.slab, p.runs...)
	o.Runs = slices.Clip(p.slab[n:])
}

func (p *lineReader) readRegister(o *Operation) {
	key, value, ok := bytes.Cut(p.word(), []byte("="))
	if !ok || len(key) == 0 {
		p.fail("a register is written KEY=VALUE")
	}
	o.Register = &Register{string(key), string(value), -1}
	if len(p.rest) > 0 {
		if p.rest[0] != 'm' {
			p.fail("%q is too much", p.rest)
			return
		}
		p.rest = p.rest[1:]
		o.Register.Metadata = p.number(math.MaxInt64)
	}
}

// word takes the next word.
func (p *lineReader) word() []byte {
	end := bytes.IndexByte(p.rest, ' ')
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = bytes.TrimLeft(p.rest[end:], " ")
	return word
}

// isNext takes the word if it is next.
func (p *lineReader) isNext(word string) bool {
	rest, ok := bytes.CutPrefix(p.rest, []byte(word))
	if !ok || len(rest) > 0 && rest[0] != ' ' {
		return false
	}
	p.rest = bytes.TrimLeft(rest, " ")
	return true
}

// number takes a whole word that is a number.
func (p *lineReader) number(most int64) int64 {
	n := p.digits(most)
	if len(p.rest) > 0 && p.rest[0] != ' ' {
		p.fail("%q after a number", p.word())
	}
	p.rest = bytes.TrimLeft(p.rest, " ")
	return n
}

// digits takes a number, up to whatever follows it.
func (p *lineReader) digits(most int64) int64 {
	n, i := int64(0), 0
	for ; i < len(p.rest) && p.rest[i] >= '0' && p.rest[i] <= '9'; i++ {
		d := int64(p.rest[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			p.fail("a number is too large")
			return 0
		}
		n = n*10 + d
	}
	if i == 0 {
		p.fail("a number is missing at %q", p.word())
	} else if n > most {
		p.fail("%d is too large: at most %d", n, most)
	}
	p.rest = p.rest[i:]
	return n
}

// take takes one byte if it is next.
func (p *lineReader) take(c byte) bool {
	if len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// run takes a word of values, with their offset if they have one.
func (p *lineReader) run(placed bool) (r Run) {
	r.Epoch, r.Count, r.First = NoEpoch, 1, Refused
	if !p.take('!') {
		client := p.digits(math.MaxUint32 - 1)
		if !p.take('.') {
			p.fail("a value is written CLIENT.NUMBER")
		}
		r.First = MakeValue(uint32(client), uint32(p.digits(math.MaxUint32)))
	}
	if p.take('+') {
		r.Count = int32(p.digits(math.MaxInt32))
	}
	if r.Count == 0 || r.First != Refused && int64(r.First.Number())+int64(r.Count)-1 > math.MaxUint32 {
		p.fail("%d values from %v: too few or too many", r.Count, r.First)
	}
	if placed {
		if !p.take('@') {
			p.fail("values are written VALUES@OFFSET")
		}
		r.Offset = p.digits(math.MaxInt64 - math.MaxInt32)
		if p.take('e') {
			r.Epoch = int32(p.digits(math.MaxInt32))
		}
	}
	if len(p.rest) > 0 && p.rest[0] != ' ' {
		p.fail("%q after values", p.word())
	}
	p.rest = bytes.TrimLeft(p.rest, " ")
	return r
}

// epoch takes a word that is a leader epoch, if there is one.
func (p *lineReader) epoch() int32 {
	if !p.take('e') {
		return NoEpoch
	}
	return int32(p.number(math.MaxInt32))
}

func find(names []string, word []byte) (int, bool) {
	for i, name := range names {
		if name == string(word) {
			return i, true
		}
	}
	return 0, false
}
