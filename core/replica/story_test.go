package replica_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"barnabas/core/protocol"
	"barnabas/core/record"
	"barnabas/core/storage"
	"barnabas/core/task"
)

var rewrite = flag.Bool("rewrite", false, "write what the stories say now into their files")

// Stories are told by the files in testdata: blocks of commands, "----", and what came of them. See tell for the commands.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			told := tellAll(string(text))
			if *rewrite {
				if err := os.WriteFile(file, []byte(told), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if told != string(text) {
				t.Fatalf("%s: run with -rewrite to accept\n%s", file, difference(string(text), told))
			}
		})
	}
}

// difference shows the first line that differs, and what surrounds it.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant: %s\ngot:  %s\n\n%s", i+1, w[i], g[i], strings.Join(g[max(0, i-4):min(len(g), i+6)], "\n"))
		}
	}
	return got
}

// tellAll tells a story and returns its text with what came of it.
func tellAll(text string) string {
	var s story
	var out []string
	for block := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		commands, _, isCommand := strings.Cut(block, "\n----")
		if !isCommand {
			out = append(out, block)
			continue
		}
		var came []string
		for line := range strings.SplitSeq(commands, "\n") {
			if !strings.HasPrefix(line, "#") {
				came = append(came, s.tell(line)...)
			}
		}
		out = append(out, strings.TrimRight(commands+"\n----\n"+strings.Join(came, "\n"), "\n"))
	}
	return strings.Join(out, "\n\n") + "\n"
}

// story is a cluster and the words of the present command.
type story struct {
	*cluster
	words   []string
	options map[string]string
}

// tell runs one command and some time, and returns what came of it. The commands:
//
//	cluster COUNT [aloud] min=N [SETTING=V]  start brokers 1 to COUNT; the partition needs N in sync, and its topic may have
//	                                 settings. Aloud: what they say of partitions is heard, too
//	elect N, isr N..., fence N       write the metadata
//	produce [at=N] [acks=all|1] [producer=P seq=S] [time=MS] [timeout=D] VALUE...   one batch, to the leader
//	fetch at=N [offset=O] [epoch=E], latest at=N    as a consumer
//	earliest at=N                    where the log starts
//	delete [at=N] [offset=O] [timeout=D]   records below the offset, or all that are committed
//	slow N, fast N                   commits begun from now on take three seconds, or not
//	cut N M, heal N M                nothing arrives between two brokers, or again
//	crash N, power N, start N        end the process, or with the power; start one
//	tick D                           let time pass; every other command takes 20ms
//	state                            show every replica
func (s *story) tell(line string) []string {
	s.words, s.options = nil, make(map[string]string)
	for word := range strings.FieldsSeq(line) {
		if name, value, ok := strings.Cut(word, "="); ok {
			s.options[name] = value
		} else {
			s.words = append(s.words, word)
		}
	}
	if s.words[0] == "cluster" {
		count := s.number(1)
		minISR := s.options["min"]
		delete(s.options, "min")
		s.cluster = newCluster(count, minISR, s.options)
		s.aloud = slices.Contains(s.words, "aloud")
		s.pass(100 * time.Millisecond)
	} else {
		s.act()
	}
	heard := s.heard
	s.heard = nil
	if s.broken != "" {
		panic(line + ": " + s.broken)
	}
	return heard
}

func (s *story) act() {
	wait := 20 * time.Millisecond
	switch s.words[0] {
	case "elect":
		s.change(int32(s.number(1)), nil)
	case "isr":
		var isr []int32
		for i := range s.words[1:] {
			isr = append(isr, int32(s.number(i+1)))
		}
		s.change(-2, isr)
	case "fence":
		s.append(protocol.Record{Message: &protocol.FenceBrokerRecord{Id: int32(s.number(1))}})
	case "produce":
		s.produce()
	case "fetch":
		s.fetch()
	case "latest":
		s.ends(-1)
	case "earliest":
		s.ends(-2)
	case "delete":
		s.delete()
	case "slow":
		s.broker(1).machine.Limp(s.after(time.Hour), 1_000_000)
	case "fast":
		s.broker(1).machine.Limp(0, 1)
	case "cut":
		s.network.Block(s.broker(1).node, s.broker(2).node)
		s.network.Block(s.broker(2).node, s.broker(1).node)
	case "heal":
		s.network.Unblock(s.broker(1).node, s.broker(2).node)
		s.network.Unblock(s.broker(2).node, s.broker(1).node)
	case "crash":
		s.broker(1).crash(false)
	case "power":
		s.broker(1).crash(true)
	case "start":
		s.broker(1).start()
	case "tick":
		wait, _ = time.ParseDuration(s.words[1])
	case "state":
		for _, b := range s.brokers {
			s.hear("%s", b.state())
		}
		return
	default:
		panic("no such command: " + s.words[0])
	}
	s.pass(wait)
}

func (s *story) number(word int) int {
	n, err := strconv.Atoi(s.words[word])
	if err != nil {
		panic(err)
	}
	return n
}

func (s *story) broker(word int) *broker { return s.brokers[s.number(word)-1] }

// option returns the number of an option.
func (s *story) option(name string, otherwise int64) int64 {
	n, err := strconv.ParseInt(s.options[name], 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

func (s *story) produce() {
	s.sent++
	name := fmt.Sprintf("P%d", s.sent)
	b := record.NewBuilder(nil, 0, 0)
	if id, ok := s.options["producer"]; ok {
		n, _ := strconv.ParseInt(id, 10, 64)
		b.SetProducer(n, 0, int32(s.option("seq", 0)))
	}
	for _, value := range s.words[1:] {
		b.Append(s.option("time", 1000), []byte("key"), []byte(value))
	}
	m := protocol.NewProduceRequest()
	m.Acks, m.TimeoutMs = int16(s.option("acks", -1)), 30_000
	if d, err := time.ParseDuration(s.options["timeout"]); err == nil {
		m.TimeoutMs = int32(d.Milliseconds())
	}
	m.TopicData = []protocol.TopicProduceData{{
		TopicId:       s.topic,
		PartitionData: []protocol.PartitionProduceData{{Records: protocol.Records{Bytes: b.Finish(0)}}},
	}}
	said := false
	s.ask(int32(s.option("at", int64(s.partition().Leader))), m, 13, func(answer protocol.Message, err error) {
		said = true
		if err != nil {
			s.hear("%s: no answer", name)
			return
		}
		row := answer.(*protocol.ProduceResponse).Responses[0].PartitionResponses[0]
		if row.ErrorCode != protocol.ErrNone {
			s.hear("%s: %s", name, row.ErrorMessage.Value)
			return
		}
		s.hear("%s is stored at %d", name, row.BaseOffset)
	})
	s.pass(20 * time.Millisecond)
	if !said {
		s.hear("%s waits", name)
	}
}

func (s *story) fetch() {
	m := protocol.NewFetchRequest()
	m.MaxWaitMs, m.MaxBytes, m.SessionEpoch = 0, 1<<20, -1
	row := protocol.NewFetchPartition()
	row.FetchOffset, row.PartitionMaxBytes = s.option("offset", 0), 1<<20
	row.CurrentLeaderEpoch = int32(s.option("epoch", -1))
	m.Topics = []protocol.FetchTopic{{TopicId: s.topic, Partitions: []protocol.FetchPartition{row}}}
	s.ask(int32(s.option("at", 0)), m, 17, func(answer protocol.Message, err error) {
		if err != nil {
			s.hear("no answer")
			return
		}
		row := answer.(*protocol.FetchResponse).Responses[0].Partitions[0]
		if row.ErrorCode != protocol.ErrNone {
			s.hear("%s", row.ErrorCode)
			return
		}
		s.hear("up to %d: %s", row.HighWatermark, strings.Join(values(row.Records.Bytes), " "))
	})
}

// ends asks for the latest offset (-1) or the earliest (-2).
func (s *story) ends(timestamp int64) {
	m := protocol.NewListOffsetsRequest()
	row := protocol.NewListOffsetsPartition()
	row.Timestamp = timestamp
	word := s.words[0]
	m.Topics = []protocol.ListOffsetsTopic{{Name: topicName, Partitions: []protocol.ListOffsetsPartition{row}}}
	s.ask(int32(s.option("at", 0)), m, 7, func(answer protocol.Message, err error) {
		if err != nil {
			s.hear("no answer")
			return
		}
		row := answer.(*protocol.ListOffsetsResponse).Topics[0].Partitions[0]
		if row.ErrorCode != protocol.ErrNone {
			s.hear("%s", row.ErrorCode)
			return
		}
		s.hear("%s is %d", word, row.Offset)
	})
}

func (s *story) delete() {
	m := protocol.NewDeleteRecordsRequest()
	m.TimeoutMs = 30_000
	if d, err := time.ParseDuration(s.options["timeout"]); err == nil {
		m.TimeoutMs = int32(d.Milliseconds())
	}
	m.Topics = []protocol.DeleteRecordsTopic{{
		Name: topicName, Partitions: []protocol.DeleteRecordsPartition{{Offset: s.option("offset", -1)}},
	}}
	said := false
	s.ask(int32(s.option("at", int64(s.partition().Leader))), m, 2, func(answer protocol.Message, err error) {
		said = true
		if err != nil {
			s.hear("deletion: no answer")
			return
		}
		row := answer.(*protocol.DeleteRecordsResponse).Topics[0].Partitions[0]
		if row.ErrorCode != protocol.ErrNone {
			s.hear("deletion: %s", row.ErrorCode)
			return
		}
		s.hear("deleted below %d", row.LowWatermark)
	})
	s.pass(20 * time.Millisecond)
	if !said {
		s.hear("the deletion waits")
	}
}

// state describes the replica in a line.
func (b *broker) state() string {
	p := b.partition()
	if p == nil {
		return fmt.Sprintf("%d is down", b.id)
	}
	leader, epoch := p.Leader()
	does := fmt.Sprintf("follows %d", leader)
	switch {
	case p.IsLeader():
		does = "leads"
	case leader < 0:
		does = "knows no leader"
	}
	var epochs []string
	for _, e := range p.Log.Epochs().All() {
		epochs = append(epochs, fmt.Sprintf("%d@%d", e.Epoch, e.Start))
	}
	if start := p.Log.Start(); start > 0 {
		does = fmt.Sprintf("%s from %d", does, start)
	}
	all := strings.Join(b.contents(p.Log), " ")
	return strings.TrimSpace(fmt.Sprintf("%d %s in epoch %d; stable %d of %d, high watermark %d; epochs [%s]: %s",
		b.id, does, epoch, p.Log.StableEnd(), p.Log.End(), p.HighWatermark(), strings.Join(epochs, " "), all))
}

// contents reads the log, from disk what is not in memory.
func (b *broker) contents(l *storage.Log) (all []string) {
	done := false
	b.node.Loop().Go("read", func(t *task.Task) {
		for at := l.Start(); at < l.End(); {
			slice := &storage.Slice{}
			err := l.Read(slice, at, l.End(), 1<<20, true)
			if errors.Is(err, storage.ErrNotInMemory) {
				_, err = l.Load(at).Wait(t)
			}
			if err != nil {
				panic(err)
			}
			for _, part := range slice.Parts {
				all = append(all, values(part)...)
			}
			at = max(at, slice.End)
			slice.Release()
		}
		done = true
	})
	b.node.Poke()
	for !done {
		b.cluster.pass(time.Microsecond)
	}
	return all
}
