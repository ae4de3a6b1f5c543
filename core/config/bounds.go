package config

import (
	"fmt"
	"strconv"
)

// bound says that a size has to fit several times into another one.
type bound struct {
	small, large string
	parts        int64
	why          string
}

// bounds come in such an order that lowering one small size after the other keeps those before.
var bounds = []bound{
	{"journal.segment.bytes", "journal.max.bytes", 8, "some segments are written while others wait to be used again"},
	{"journal.checkpoint.bytes", "journal.max.bytes", 4, "the journal goes on while a checkpoint makes room"},
	{"message.max.bytes", "journal.segment.bytes", 2, "a batch must fit into a segment with its commit"},
	{"journal.commit.max.bytes", "journal.segment.bytes", 2, "a commit must fit into a segment"},
	{"arena.chunk.bytes", "arena.max.bytes", 2, "one chunk is filled while another is written"},
}

// most returns the greatest small size that goes with the large one.
func (b bound) most(large int64) int64 {
	n := large / b.parts
	if multiple := table[place(b.small)].Rule.Multiple; multiple > 0 {
		n -= n % multiple
	}
	return n
}

// part names the fraction.
func (b bound) part() string {
	switch b.parts {
	case 2:
		return "half"
	case 4:
		return "a quarter"
	default:
		return "an eighth"
	}
}

func (s *Settings) check(b bound) error {
	least, most := s.values[place(b.small)].number, s.values[place(b.large)].number
	if least <= most/b.parts {
		return nil
	}
	return fmt.Errorf("%s is more than %s of %s: %s; lower the one to %d or raise the other to %d at least",
		s.describe(b.small), b.part(), s.describe(b.large), b.why, b.most(most), b.parts*least)
}

// Settle lowers sizes among the pairs to what others among them allow, so that Parse takes them. A name comes once.
func Settle(pairs []Pair) {
	for _, b := range bounds {
		small, large := number(pairs, b.small), number(pairs, b.large)
		if small == nil || large == nil {
			continue
		}
		n, _ := strconv.ParseInt(small.Value, 10, 64)
		whole, _ := strconv.ParseInt(large.Value, 10, 64)
		if n > whole/b.parts {
			small.Value = strconv.FormatInt(b.most(whole), 10)
		}
	}
}

// number returns the pair called name, or nil.
func number(pairs []Pair, name string) *Pair {
	for i := range pairs {
		if pairs[i].Name == name {
			return &pairs[i]
		}
	}
	return nil
}
