package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kgo"

	"barnabas/cmd/barnabas/internal/text"
)

const produceHelp = `Every line of stdin, or of --file, is a record's value; with -K the text before the first separator is its key, and a line
without a separator has none. On stdout stands where each record went, as TOPIC[PARTITION]@OFFSET, in the order of the
lines (-q: nothing; --output json: an object a line, with the line's number).

A line that was not acknowledged is named on stderr, with its number and why. Whether it is stored is then not known, unless
the reason says so.

Exit codes: 0 all were acknowledged, 1 at least one was not, 2 wrong usage.
`

// produceFlags are what barnabas produce is given.
type produceFlags struct {
	clusterFlags
	separator, null, codec, acks, file string
	headers                            []string
	partition                          int32
	batchBytes                         int32
	linger                             time.Duration
	quiet, isNull, chosen              bool // chosen: batchBytes is the user's
}

const producePath = "barnabas produce"

func prepareProduce(p *program, flags *pflag.FlagSet) func() int {
	var f produceFlags
	f.declare(p, flags)
	flags.StringVarP(&f.separator, "key-separator", "K", "", "what stands between key and value on a line, `TEXT` (\\t: a tab)")
	flags.StringVarP(&f.file, "file", "f", "-", "read lines from this `file` instead of stdin (-)")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "a header for every record, `name=value`, may be repeated")
	flags.Int32VarP(&f.partition, "partition", "p", -1, "send all to this `partition` (default: by key, or in turn without one)")
	flags.StringVarP(&f.codec, "compression", "z", "none", "none, gzip, snappy, lz4 or zstd")
	flags.StringVarP(&f.acks, "acks", "a", "all", "who has to have a record before it is acknowledged: all, 1 (the leader), 0 (nobody)")
	flags.StringVarP(&f.null, "null", "Z", "", "`TEXT` that stands for a null key or value, so that records can be deleted by their key")
	flags.DurationVar(&f.linger, "linger", 5*time.Millisecond, "how `long` to wait for more lines before a batch leaves")
	flags.Int32Var(&f.batchBytes, "batch-bytes", 1_000_000, "the largest batch to send, and so the largest record, in `bytes`")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "do not print where records went")
	return func() int {
		f.isNull, f.chosen = flags.Changed("null"), flags.Changed("batch-bytes")
		if flags.NArg() != 1 {
			return p.misused(producePath, usagef("name one topic"))
		}
		return p.produce(f, flags.Arg(0))
	}
}

// options are the client's, and what is wrong with the flags.
func (f *produceFlags) options(topic string) ([]kgo.Opt, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.batchBytes < batchBytesLeast || f.batchBytes > 1<<30 {
		return nil, usagef("--batch-bytes %d is out of bounds: take %d to %d", f.batchBytes, batchBytesLeast, 1<<30)
	}
	options := []kgo.Opt{
		kgo.DefaultProduceTopic(topic), kgo.AllowAutoTopicCreation(), kgo.ProducerLinger(f.linger),
		kgo.ProducerBatchMaxBytes(f.batchBytes), kgo.BrokerMaxWriteBytes(max(100<<20, 2*f.batchBytes)),
		kgo.RecordDeliveryTimeout(clientPatience), kgo.AllowIdempotentProduceCancellation(),
	}
	if f.partition >= 0 {
		options = append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	if err := oneOf("compression", f.codec, "none", "gzip", "snappy", "lz4", "zstd"); err != nil {
		return nil, err
	}
	options = append(options, kgo.ProducerBatchCompression(codecs[f.codec]))
	switch f.acks {
	case "all", "-1":
	case "1":
		options = append(options, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case "0":
		options = append(options, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	default:
		return nil, oneOf("acks", f.acks, "all", "1", "0")
	}
	return options, nil
}

// lines opens what is to be sent.
func (f *produceFlags) lines(stdin io.Reader) (*text.Lines, io.Closer, error) {
	var file io.ReadCloser = io.NopCloser(stdin)
	if f.file != "-" {
		opened, err := os.Open(f.file)
		if err != nil {
			return nil, nil, err
		}
		file = opened
	}
	l := text.NewLines(file)
	l.BytesMax = int(f.batchBytes)
	if f.isNull {
		l.Null = &f.null
	}
	var err error
	if l.Separator, err = text.Unescape(f.separator); err != nil {
		return nil, nil, usagef("--key-separator: %v", err)
	}
	return l, file, nil
}

// batchesOf returns how large batches may be when the topic takes only smaller ones than the client would make: a broker
// refuses a batch whole, and only the record at fault should fail. 0: leave it. Compressed batches are smaller than their
// records, so nothing can be said of them.
func (f *produceFlags) batchesOf(s *session, topic string) int32 {
	if f.chosen || f.codec != "none" {
		return 0
	}
	answer, err := s.admin.DescribeTopicConfigs(s.ctx, topic)
	if err != nil || len(answer) != 1 || answer[0].Err != nil {
		return 0 // it is not there yet, or we may not look
	}
	for _, c := range answer[0].Configs {
		most, err := strconv.ParseInt(c.MaybeValue(), 10, 32)
		if c.Key == "max.message.bytes" && err == nil && most < int64(f.batchBytes) {
			return max(int32(most), batchBytesLeast)
		}
	}
	return 0
}

// batchBytesLeast is the least that the client takes as the bound of a batch.
const batchBytesLeast = 1 << 10

// sending is a line on its way.
type sending struct {
	number int
	record *kgo.Record
	err    error
	done   chan struct{} // closed when record and err are final
}

func (p *program) produce(f produceFlags, topic string) int {
	options, err := f.options(topic)
	if err != nil {
		return p.misused(producePath, err)
	}
	headers, err := text.Headers(f.headers)
	if err != nil {
		return p.misused(producePath, usagef("--header: %v", err))
	}
	lines, closer, err := f.lines(p.stdin)
	var wrong errUsage
	switch {
	case errors.As(err, &wrong):
		return p.misused(producePath, err)
	case err != nil:
		return p.failed(producePath, err)
	}
	defer closer.Close()
	s, err := p.open(&f.clusterFlags, options...)
	if err != nil {
		return p.failed(producePath, err)
	}
	if most := f.batchesOf(s, topic); most > 0 {
		s.close()
		if s, err = p.open(&f.clusterFlags, append(options, kgo.ProducerBatchMaxBytes(most))...); err != nil {
			return p.failed(producePath, err)
		}
	}
	defer s.close()

	order := make(chan *sending, 10_000)
	var readError error
	go func() {
		defer close(order)
		readError = sendAll(s, lines, headers, f.partition, order)
	}()
	code := p.showSent(&f, order)
	if readError != nil {
		return p.failed(producePath, fmt.Errorf("not all was read: %w", readError))
	}
	return code
}

// sendAll sends lines until there are no more, or the operator asks for the end. What is sent goes into order.
func sendAll(s *session, lines *text.Lines, headers []kgo.RecordHeader, partition int32, order chan<- *sending) error {
	for s.ctx.Err() == nil {
		record, number, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		on := &sending{number: number, record: record, done: make(chan struct{})}
		if errors.Is(err, text.ErrTooLong) {
			on.err = fmt.Errorf("%w: allow larger ones with --batch-bytes, if the topic's max.message.bytes does", err)
			close(on.done)
			order <- on
			continue
		}
		if err != nil {
			return err
		}
		record.Headers, record.Partition = headers, max(partition, 0)
		order <- on
		s.Produce(s.ctx, record, func(record *kgo.Record, err error) {
			on.record, on.err = record, err
			close(on.done)
		})
	}
	return errors.New("interrupted")
}

// failures are lines one after the other that failed for the same reason.
type failures struct {
	first, last int
	why         string
}

func (x failures) String() string {
	if x.first == x.last {
		return fmt.Sprintf("line %d: %s", x.first, x.why)
	}
	return fmt.Sprintf("lines %d to %d: %s", x.first, x.last, x.why)
}

// showSent prints where lines went, and names those that failed.
func (p *program) showSent(f *produceFlags, order <-chan *sending) int {
	out := newOutput(p)
	run, failed, sent := failures{}, 0, 0
	tell := func() {
		if run.why != "" {
			p.say("%s: %v", producePath, run)
		}
	}
	meter := p.newMeter("records acknowledged")
	for on := range order {
		select {
		case <-on.done:
		default:
			out.flush() // nothing more to show at once
			<-on.done
		}
		if on.err != nil {
			failed++
			why := produceError(on.err)
			if why != run.why || run.last+1 != on.number {
				tell()
				run = failures{first: on.number, why: why}
			}
			run.last = on.number
			continue
		}
		sent++
		meter.count(sent)
		if !f.quiet {
			out.add(sentLine(f, on))
		}
	}
	meter.end()
	tell()
	out.flush()
	switch {
	case out.err != nil:
		return p.failed(producePath, out.err)
	case failed > 0:
		p.say("%s: %d of %d records were not acknowledged", producePath, failed, failed+sent)
		return exitFailed
	}
	return exitDone
}

// sentLine says where a record went. Without acknowledgements nobody knows the offset.
func sentLine(f *produceFlags, on *sending) string {
	r := on.record
	known := f.acks != "0"
	if f.json() {
		row := struct {
			Line      int    `json:"line"`
			Topic     string `json:"topic"`
			Partition int32  `json:"partition"`
			Offset    *int64 `json:"offset"`
		}{on.number, r.Topic, r.Partition, &r.Offset}
		if !known {
			row.Offset = nil
		}
		var b strings.Builder
		writeJSON(&b, row)
		return b.String()
	}
	if !known {
		return fmt.Sprintf("%s[%d]\n", r.Topic, r.Partition)
	}
	return fmt.Sprintf("%s[%d]@%d\n", r.Topic, r.Partition, r.Offset)
}

// produceError says in a line why a record failed, in the broker's words if there are any.
func produceError(err error) string {
	if code, found := codeOf(err); found {
		return code.Error()
	}
	switch {
	case errors.Is(err, kgo.ErrRecordTimeout):
		return fmt.Sprintf("not acknowledged within %v", clientPatience)
	case strings.Contains(err.Error(), "context canceled"):
		return "interrupted before it was acknowledged"
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}
