package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/cmd/barnabas/internal/text"
)

func consumeHelp() string {
	return `Where to begin, -o, is in every partition:
  start    the first record there is
  end      after the last one
  N        offset N
  -N       N records before the end
  @MS      the first record of that time or later, in ms since 1970 or as 2006-01-02T15:04:05Z

In a format, -f:
` + text.Verbs() + `
Without -e it waits for more records until -n are there, or until it is interrupted. Records of one partition come in their
order; those of several come as they arrive. With --output json there is an object a line; keys and values that are no valid
UTF-8 are in key_base64 and value_base64.

Exit codes: 0 done, or interrupted, 1 failed, 2 wrong usage.
`
}

// consumeFlags are what barnabas consume is given.
type consumeFlags struct {
	clusterFlags
	offset, format, separator, null string
	partitions                      []int32
	count                           int
	exit, committed                 bool
}

const consumePath = "barnabas consume"

func prepareConsume(p *program, flags *pflag.FlagSet) func() int {
	var f consumeFlags
	f.declare(p, flags)
	flags.StringVarP(&f.offset, "offset", "o", "start", "where to begin: start, end, `N`, -N or @MS, see below")
	flags.IntVarP(&f.count, "count", "n", 0, "end after so many `records`")
	flags.BoolVarP(&f.exit, "exit", "e", false, "end when all is read that was there at the beginning")
	flags.StringVarP(&f.format, "format", "f", "", "how to print a record, see below (default %s\\n)")
	flags.StringVarP(&f.separator, "key-separator", "K", "", "print the key and this `TEXT` before the value")
	flags.StringVarP(&f.null, "null", "Z", "", "`TEXT` to print for a null key or value")
	flags.Int32SliceVarP(&f.partitions, "partition", "p", nil, "only this `partition`, or several with commas between")
	flags.BoolVar(&f.committed, "read-committed", false, "leave out records of transactions that are open or were aborted")
	return func() int {
		switch {
		case flags.NArg() != 1:
			return p.misused(consumePath, usagef("name one topic"))
		case flags.Changed("count") && f.count < 1:
			return p.misused(consumePath, usagef("--count %d is out of bounds: take 1 or more", f.count))
		case flags.Changed("format") && (f.json() || f.separator != ""):
			return p.misused(consumePath, usagef("--format says all by itself: leave --output json and --key-separator away"))
		}
		return p.consume(f, flags.Arg(0))
	}
}

// appender writes records as the flags want them.
func (f *consumeFlags) appender() (func(b []byte, r *kgo.Record) []byte, error) {
	if f.json() {
		return text.AppendJSON, nil
	}
	format := f.format
	switch {
	case format != "":
	case f.separator != "":
		format = `%k` + f.separator + `%s\n`
	default:
		format = `%s\n`
	}
	compiled, err := text.NewFormat(format, f.null)
	if err != nil {
		return nil, usagef("--format: %v", err)
	}
	return compiled.Append, nil
}

func (p *program) consume(f consumeFlags, topic string) int {
	show, err := f.appender()
	begin, errBegin := parseBegin(f.offset)
	if err = errors.Join(f.check(), err, errBegin); err != nil {
		return p.misused(consumePath, err)
	}
	level := kgo.ReadUncommitted()
	if f.committed {
		level = kgo.ReadCommitted()
	}
	s, err := p.open(&f.clusterFlags, kgo.KeepControlRecords(), kgo.FetchIsolationLevel(level), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	if err != nil {
		return p.failed(consumePath, err)
	}
	defer s.close()
	c := &consumption{session: s, topic: topic, flags: &f, show: show, out: newOutput(p), meter: p.newMeter("records")}
	if err := c.place(p, begin); err != nil {
		return p.failed(consumePath, err)
	}
	err = c.read()
	c.meter.end()
	c.out.flush()
	if err = errors.Join(err, c.out.err); err != nil {
		return p.failed(consumePath, err)
	}
	return exitDone
}

// consumption is one run of consume.
type consumption struct {
	*session
	topic string
	flags *consumeFlags
	show  func(b []byte, r *kgo.Record) []byte
	out   *output
	meter *meter
	shown int
	ends  map[int32]int64 // of partitions that are not read up to their end as it was; with -e
	piece []byte
}

// place finds where to begin in every partition, and tells the client.
func (c *consumption) place(p *program, begin begin) error {
	details, err := c.admin.ListTopics(c.ctx, c.topic)
	if err != nil {
		return c.because(err)
	}
	t, found := details[c.topic]
	switch {
	case found && t.Err != nil:
		return fmt.Errorf("topic %s: %w", c.topic, refusal(t.Err, ""))
	case !found:
		return fmt.Errorf("there is no topic %s", c.topic)
	}
	partitions := t.Partitions.Numbers()
	slices.Sort(partitions)
	for _, want := range c.flags.partitions {
		if !slices.Contains(partitions, want) {
			return fmt.Errorf("topic %s has no partition %d: it has 0 to %d", c.topic, want, len(partitions)-1)
		}
	}
	if len(c.flags.partitions) > 0 {
		partitions = c.flags.partitions
	}
	at, err := c.begins(p, begin, partitions)
	if err != nil {
		return err
	}
	c.AddConsumePartitions(map[string]map[int32]kgo.Offset{c.topic: at})
	return nil
}

// begins asks for the bounds of the partitions and picks an offset in each.
func (c *consumption) begins(p *program, begin begin, partitions []int32) (map[int32]kgo.Offset, error) {
	list := c.admin.ListEndOffsets
	if c.flags.committed {
		list = c.admin.ListCommittedOffsets
	}
	starts, err := c.admin.ListStartOffsets(c.ctx, c.topic)
	ends, errEnds := list(c.ctx, c.topic)
	var times kadm.ListedOffsets
	var errTimes error
	if begin.kind == atTime {
		times, errTimes = c.admin.ListOffsetsAfterMilli(c.ctx, begin.n, c.topic)
	}
	if err = errors.Join(err, errEnds, errTimes); err != nil {
		return nil, c.because(err)
	}
	at := make(map[int32]kgo.Offset)
	if c.flags.exit {
		c.ends = make(map[int32]int64)
	}
	for _, n := range partitions {
		start, _ := starts.Lookup(c.topic, n)
		end, _ := ends.Lookup(c.topic, n)
		timed, _ := times.Lookup(c.topic, n)
		if err := errors.Join(start.Err, end.Err, timed.Err); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", c.topic, n, refusal(err, ""))
		}
		offset := begin.offset(start.Offset, end.Offset, timed.Offset)
		if offset > end.Offset {
			return nil, fmt.Errorf("%s[%d] has no offset %d: it ends before %d; choose another with -o, or partitions with -p",
				c.topic, n, offset, end.Offset)
		}
		if offset < start.Offset {
			p.say("%s[%d] begins at offset %d: what was before is gone", c.topic, n, start.Offset)
			offset = start.Offset
		}
		if c.flags.exit && offset < end.Offset {
			c.ends[n] = end.Offset
		}
		at[n] = kgo.NewOffset().At(offset)
	}
	return at, nil
}

// because is the error of a request, but for an interruption.
func (c *consumption) because(err error) error {
	if c.ctx.Err() != nil {
		return nil
	}
	return err
}

// read prints records until there is a reason to end.
func (c *consumption) read() error {
	for c.ctx.Err() == nil && c.out.err == nil && (!c.flags.exit || len(c.ends) > 0) {
		fetches := c.PollFetches(c.ctx)
		if err := c.fetchError(fetches); err != nil {
			return err
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			if c.take(iter.Next()) {
				return nil
			}
		}
		c.out.flush()
	}
	return nil
}

func (c *consumption) fetchError(fetches kgo.Fetches) error {
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, context.Canceled) {
			continue
		}
		return fmt.Errorf("%s[%d]: %w", c.topic, e.Partition, refusal(e.Err, ""))
	}
	return nil
}

// take prints a record and says whether that was the last one wanted.
func (c *consumption) take(r *kgo.Record) (last bool) {
	end, waiting := c.ends[r.Partition]
	if c.flags.exit && (!waiting || r.Offset >= end) {
		return false // it came after the beginning
	}
	if !r.Attrs.IsControl() {
		c.piece = c.show(c.piece[:0], r)
		c.out.addBytes(c.piece)
		c.shown++
		c.meter.count(c.shown)
	}
	if c.flags.exit && r.Offset+1 >= end {
		delete(c.ends, r.Partition)
	}
	return c.flags.count > 0 && c.shown >= c.flags.count
}

// begin is where consuming begins.
type begin struct {
	kind beginKind
	n    int64
}

type beginKind int

const (
	atStart beginKind = iota
	atEnd
	atOffset
	beforeEnd
	atTime
)

// parseBegin reads the -o flag.
func parseBegin(word string) (begin, error) {
	switch word {
	case "start", "beginning", "earliest":
		return begin{kind: atStart}, nil
	case "end", "latest":
		return begin{kind: atEnd}, nil
	}
	wrong := usagef("--offset %q is no place to begin: take start, end, N, -N or @MS", word)
	if word == "" {
		return begin{}, wrong
	}
	if word[0] == '@' {
		ms, err := parseTime(word[1:])
		if err != nil {
			return begin{}, wrong
		}
		return begin{kind: atTime, n: ms}, nil
	}
	n, err := strconv.ParseInt(word, 10, 64)
	switch {
	case err != nil:
		return begin{}, wrong
	case word[0] == '-':
		return begin{kind: beforeEnd, n: -n}, nil
	}
	return begin{kind: atOffset, n: n}, nil
}

// offset picks the offset in a partition that holds start to end, and timed at the time asked for.
func (b begin) offset(start, end, timed int64) int64 {
	switch b.kind {
	case atEnd:
		return end
	case atOffset:
		return b.n
	case beforeEnd:
		return max(start, end-b.n)
	case atTime:
		return max(start, timed)
	}
	return start
}
