package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// everyMessage calls do with a maker of every message, for each of its versions.
func everyMessage(do func(name string, fresh func() Message, version int16)) {
	for api := range APIs {
		for version := api.Min; version <= api.Max; version++ {
			do(api.Name+"Request", func() Message { return NewRequest(api.Key) }, version)
			do(api.Name+"Response", func() Message { return NewResponse(api.Key) }, version)
		}
	}
	for _, list := range keyedMessages() {
		for key := range int16(100) {
			if m, least, greatest := list(key); m != nil {
				for version := least; version <= greatest; version++ {
					do(reflect.TypeOf(m).Elem().Name(), func() Message { m, _, _ := list(key); return m }, version)
				}
			}
		}
	}
	for version := range int16(10) {
		do("Everything", func() Message { return NewEverything() }, version)
		do("Compact", func() Message { return NewCompact() }, version)
	}
	for version := range int16(4) {
		do("ConsumerProtocolSubscription", func() Message { return NewConsumerProtocolSubscription() }, version)
		do("ConsumerProtocolAssignment", func() Message { return NewConsumerProtocolAssignment() }, version)
	}
	do("DefaultPrincipalData", func() Message { return NewDefaultPrincipalData() }, 0)
	do("EndTxnMarker", func() Message { return NewEndTxnMarker() }, 0)
	for version := range int16(2) {
		do("ResponseHeader", func() Message { return NewResponseHeader() }, version)
		do("RequestHeader", func() Message { return NewRequestHeader() }, version+1)
	}
}

// keyedMessages are the constructors of what is neither request nor response.
func keyedMessages() []func(int16) (Message, int16, int16) {
	list := []func(int16) (Message, int16, int16){newRecord, newControl}
	for _, topic := range []InternalTopic{ConsumerOffsets, TransactionState, ShareGroupState} {
		list = append(list, topic.newKey, topic.newValue)
	}
	return list
}

func TestEveryMessageNamesEveryDefinition(t *testing.T) {
	seen := map[string]bool{}
	everyMessage(func(name string, _ func() Message, _ int16) { seen[name] = true })
	paths, err := filepath.Glob("definitions/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(strings.SplitN(string(text), "\n", 2)[0])
		names := []string{}
		switch words[0] {
		case "api":
			names = append(names, words[2]+"Request", words[2]+"Response")
		case "internal":
			names = append(names, words[3]+"Key", words[3]+"Value")
		case "record", "control":
			names = append(names, words[2])
		case "data", "header":
			names = append(names, words[1])
		}
		for _, name := range names {
			if !seen[name] {
				t.Errorf("%s is not among the messages that are tested", name)
			}
		}
	}
}

// example is a random message that the version can carry, encoded. It is found by dropping what the writer refuses.
func example(t *testing.T, fresh func() Message, version int16, seed uint64) []byte {
	t.Helper()
	m := fresh()
	fill(rand.New(rand.NewPCG(seed, 7)), reflect.ValueOf(m).Elem())
	for range 1000 {
		w := NewWriter(nil)
		m.Encode(w, version)
		if w.Err() == nil {
			return w.Bytes()
		}
		var refused *EncodeError
		if !errors.As(w.Err(), &refused) {
			t.Fatal(w.Err())
		}
		drop(reflect.ValueOf(m).Elem(), refused.Field, strings.HasPrefix(refused.Reason, "null"))
	}
	t.Fatalf("no example of version %d", version)
	return nil
}

// drop sets a field, given as Struct.Field, to its default, or to what is not null.
func drop(v reflect.Value, name string, isNull bool) {
	switch v.Kind() {
	case reflect.Struct:
		fresh := reflect.New(v.Type())
		if d, ok := fresh.Interface().(interface{ Default() }); ok {
			d.Default()
		}
		for i := range v.NumField() {
			if v.Type().Name()+"."+v.Type().Field(i).Name != name {
				drop(v.Field(i), name, isNull)
			} else if s, ok := v.Field(i).Addr().Interface().(*NullString); ok && isNull {
				*s = String("")
			} else {
				v.Field(i).Set(fresh.Elem().Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			drop(v.Elem(), name, isNull)
		}
	case reflect.Slice:
		for i := range v.Len() {
			drop(v.Index(i), name, isNull)
		}
	}
}

func decode(m Message, b []byte, version int16, budget int) error {
	r := NewReader(b, budget)
	m.Decode(r, version)
	return r.Done()
}

func TestTruncatedAtEveryByteIsAnError(t *testing.T) {
	everyMessage(func(name string, fresh func() Message, version int16) {
		for seed := range uint64(5) {
			whole := example(t, fresh, version, seed)
			if err := decode(fresh(), whole, version, 1<<20); err != nil {
				t.Fatalf("%s version %d: %v", name, version, err)
			}
			if len(whole) > 2000 {
				continue
			}
			for n := range whole {
				var bad *DecodeError
				if err := decode(fresh(), whole[:n], version, 1<<20); !errors.As(err, &bad) {
					t.Fatalf("%s version %d: the first %d of %d bytes give %v", name, version, n, len(whole), err)
				}
			}
			if err := decode(fresh(), append(whole[:len(whole):len(whole)], 0), version, 1<<20); err == nil {
				t.Fatalf("%s version %d: a byte too many is no error", name, version)
			}
		}
	})
}

// TestDamagedBytesNeverPanicNorAllocateBeyondTheBudget overwrites parts of good messages, with what makes lengths and
// counts huge above all.
func TestDamagedBytesNeverPanicNorAllocateBeyondTheBudget(t *testing.T) {
	const budget = 1 << 16
	rng := rand.New(rand.NewPCG(1, 2))
	bombs := [][]byte{
		{0xff, 0xff, 0xff, 0xff, 0x0f},
		{0x7f, 0xff, 0xff, 0xff},
		{0x80, 0x00, 0x00, 0x00},
		{0xff, 0xff, 0xff, 0xfe},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{0xff, 0xff, 0x03},
		{0x00},
	}
	everyMessage(func(name string, fresh func() Message, version int16) {
		whole := example(t, fresh, version, 3)
		for range 50 {
			b := append([]byte(nil), whole...)
			if len(b) == 0 {
				return
			}
			copy(b[rng.IntN(len(b)):], bombs[rng.IntN(len(bombs))])
			m := fresh()
			spent := allocated(func() { _ = decode(m, b, version, budget) })
			if limit := uint64(4 * budget); spent > limit {
				t.Fatalf("%s version %d: %d bytes allocated for %d\n%x", name, version, spent, len(b), b)
			}
		}
	})
}

// allocated is how many bytes do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestHugeCountsAllocateNothing(t *testing.T) {
	be := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	flat := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	pad := make([]byte, 1<<20)
	cases := []struct {
		name    string
		m       Message
		version int16
		b       []byte
		want    string
	}{
		{
			"more elements than bytes", NewMetadataRequest(), 1, flat(be(1<<30), pad[:100]),
			"MetadataRequest.Topics at byte 4: 1073741824 elements of at least 2 bytes, 100 bytes are left",
		},
		{
			"elements that fit by their least size, beyond the budget", NewMetadataRequest(), 1, flat(be(1<<19), pad),
			"MetadataRequest.Topics at byte 4: needs 20971520 bytes of memory, 65536 of the budget are left",
		},
		{
			"a negative count", NewMetadataRequest(), 1, flat(be(0xfffffffe), pad[:10]),
			"MetadataRequest.Topics at byte 4: negative length -2",
		},
		{
			"null where there is none", NewMetadataRequest(), 0, flat(be(0xffffffff), pad[:10]),
			"MetadataRequest.Topics at byte 4: null, but this version has no null here",
		},
		{
			"a compact count beyond 32 bits", NewMetadataRequest(), 9, flat([]byte{0xff, 0xff, 0xff, 0xff, 0x1f}, pad),
			"MetadataRequest.Topics at byte 0: varint too large",
		},
		{
			"a varint without an end", NewMetadataRequest(), 9,
			[]byte{0xff, 0xff, 0xff},
			"MetadataRequest.Topics at byte 0: varint without an end",
		},
		{
			"more tags than bytes", NewMetadataRequest(), 11, flat([]byte{0, 1, 1}, []byte{0x80, 0x80, 0x80, 0x01}, pad[:10]),
			"MetadataRequest at byte 7: 2097152 tagged fields, 10 bytes are left",
		},
		{
			"a tagged field longer than what is left", NewMetadataRequest(), 11,
			[]byte{0, 1, 1, 1, 7, 100, 1, 2},
			"MetadataRequest at byte 6: needs 100 bytes, 2 are left",
		},
		{
			"a known tag that holds more than its value", NewPartitionRecord(), 2,
			flat(pad[:20], []byte{1, 1, 1, 1}, pad[:12], []byte{1}, []byte{1, 0, 2, 1, 9}),
			"PartitionRecord.LeaderRecoveryState at byte 41: 1 bytes too many in the tagged field",
		},
		{
			"a string longer than Kafka has", NewMetadataRequest(), 9, flat([]byte{2, 0x81, 0x80, 0x02}, pad[:40000]),
			"MetadataRequestTopic.Name at byte 4: string of 32768 bytes",
		},
		{
			"a version that does not exist", NewMetadataRequest(), 14, pad[:10],
			"MetadataRequest at byte 0: there is no version 14",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var err error
			spent := allocated(func() { err = decode(c.m, c.b, c.version, 1<<16) })
			if err == nil || err.Error() != c.want {
				t.Errorf("error is %v\nnot %s", err, c.want)
			}
			if spent > 4096 {
				t.Errorf("%d bytes allocated", spent)
			}
		})
	}
}

// A tag that comes again and again makes its array again and again: the budget counts them all.
func TestARepeatedTagIsChargedEachTime(t *testing.T) {
	one := append([]byte{1, 0xc9, 0x01, 51}, make([]byte, 200)...) // tag 1, 201 bytes: an array of 50 int32
	b := append(make([]byte, 20), 1, 1, 1, 1)
	b = append(b, make([]byte, 12)...)
	b = append(b, 1, 0xe8, 0x07) // no directories; 1000 tagged fields
	for range 1000 {
		b = append(b, one...)
	}
	m := NewPartitionRecord()
	if err := decode(m, b, 2, 1<<20); err != nil {
		t.Fatal(err)
	}
	err := decode(m, b, 2, 100*200)
	if want := "of the budget are left"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, which says nothing of %q", err, want)
	}
}

// Strings are copies, and records are not: a frame overwritten after decoding shows which.
func TestWhatAliasesTheInput(t *testing.T) {
	w := NewWriter(nil)
	in := NewProduceRequest()
	in.TransactionalId = String("txn")
	in.TopicData = []TopicProduceData{{Name: "topic", PartitionData: []PartitionProduceData{
		{Records: Records{Bytes: []byte("batch")}},
		{Records: Records{Bytes: []byte("other")}},
	}}}
	in.Encode(w, 9)
	frame := w.Bytes()
	out := NewProduceRequest()
	if err := decode(out, frame, 9, 1<<16); err != nil {
		t.Fatal(err)
	}
	partitions := out.TopicData[0].PartitionData
	// Appending to one partition's records must not reach the next one's.
	_ = append(partitions[0].Records.Bytes, "overwritten overwritten"...)
	if got := string(partitions[1].Records.Bytes); got != "other" {
		t.Errorf("the second partition has %q", got)
	}
	for i := range frame {
		frame[i] = '#'
	}
	got := fmt.Sprintf("%s %s %s", out.TransactionalId, out.TopicData[0].Name, partitions[0].Records.Bytes)
	if got != "txn topic #####" {
		t.Errorf("after the frame was overwritten: %s", got)
	}
}
