package linearizability

import "math"

// Check judges the history with offsets as witnesses. The error is about a history that makes no sense in itself.
func Check(h *History) (*Report, error) {
	c := &checker{book: book{h: h}, senders: make([]sender, len(h.Clients))}
	starts, places := c.byPartition()
	for number := range h.Partitions {
		if err := c.checkPartition(number, places[starts[number]:starts[number+1]]); err != nil {
			return nil, err
		}
	}
	if err := c.checkRegisters(); err != nil {
		return nil, err
	}
	return &c.report, nil
}

// checker checks one partition after another.
type checker struct {
	book
	partition *Partition
	places    []int32 // the partition's operations
	senders   []sender
	used      []uint32 // senders in use
	instances []instance
	order     []place       // instances by offset
	ends      []end         // where the log was said to end …
	begins    []end         // … and to start
	bound     []int32       // see bounds
	strangers map[Run]int32 // records nobody sent, by offset and value
}

// byPartition sorts the places of operations by their partitions.
func (c *checker) byPartition() (starts, places []int32) {
	starts = make([]int32, len(c.h.Partitions)+1)
	total := int32(0)
	for i := range c.h.Operations {
		if o := &c.h.Operations[i]; !o.Kind.OfRegister() {
			starts[o.Partition]++
			total++
		}
	}
	places = make([]int32, total)
	for number := len(c.h.Partitions); number >= 0; number-- {
		total -= starts[number]
		starts[number] = total
	}
	next := append([]int32(nil), starts...)
	for i := range c.h.Operations {
		if o := &c.h.Operations[i]; !o.Kind.OfRegister() {
			places[next[o.Partition]] = int32(i)
			next[o.Partition]++
		}
	}
	return starts, places
}

func (c *checker) checkPartition(number int, places []int32) error {
	c.open(c.h.Partitions[number].Name, int32(number))
	c.gather(number, places)
	if err := c.observe(); err != nil {
		return err
	}
	c.sortInstances()
	c.checkCopies()
	c.checkPlaces()
	if err := c.checkPolls(); err != nil {
		return err
	}
	c.checkStarts()
	c.checkTimes()
	return nil
}

// gather makes ready for a partition.
func (c *checker) gather(number int, places []int32) {
	for _, client := range c.used {
		c.senders[client] = sender{sends: c.senders[client].sends[:0]}
	}
	c.partition, c.places, c.used = &c.h.Partitions[number], places, c.used[:0]
	c.instances, c.order = c.instances[:0], c.order[:0]
	c.ends, c.begins = c.ends[:0], c.begins[:0]
	c.strangers = nil
}

// sender is a client in this partition: what it sent, and how far it read.
type sender struct {
	inUse    bool
	reads    bool   // its position is known
	sends    []sent // by first value
	hint     int32  // where the last value was found
	last     int32  // place in order of its newest batch so far, plus one
	lastPoll int64  // when its last poll returned
	position int64  // what it reads next
}

// sent is one send.
type sent struct {
	first Value
	count int32
	op    int32
	inst  int32 // its first instance plus one, or 0
}

// instance is a batch at an offset: where a send took effect, as far as anybody saw.
type instance struct {
	base  int64
	call  int64 // it was not there before
	ret   int64 // it was there then
	first Value
	op    int32 // the send, or -1 for a record nobody sent
	count int32
	by    int32 // the operation that shows that it was there by ret, or -1
	next  int32 // another instance of the same send, or 0: the first of all is no other
	from  int32 // of its records those from here …
	to    int32 // … to here were told by somebody
	epoch int32
	acked bool
	read  int32 // a poll that read some of it, or -1
}

func (i *instance) end() int64 { return i.base + int64(i.count) }

// sender returns the client's place in this partition.
func (c *checker) sender(client uint32) *sender {
	s := &c.senders[client]
	if !s.inUse {
		s.inUse, s.lastPoll = true, math.MinInt64
		c.used = append(c.used, client)
	}
	return s
}
