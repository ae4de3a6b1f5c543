package protocol

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestInternalTopics(t *testing.T) {
	count := map[InternalTopic]int{}
	for _, topic := range []InternalTopic{ConsumerOffsets, TransactionState, ShareGroupState} {
		for typ := range int16(100) {
			key, _, _ := topic.newKey(typ)
			value, _, greatest := topic.newValue(typ)
			if key == nil && value == nil {
				continue
			}
			if key == nil || value == nil {
				t.Errorf("%s type %d has no pair", topic, typ)
				continue
			}
			count[topic]++
			rng := rand.New(rand.NewPCG(1, uint64(typ)))
			fill(rng, reflect.ValueOf(key).Elem())
			b, err := AppendKey([]byte("x"), key)
			if err != nil {
				t.Fatal(err)
			}
			back, err := topic.DecodeKey(b[1:])
			if err != nil || back.APIKey() != typ {
				t.Fatalf("%s type %d: %v, %v", topic, typ, back, err)
			}
			if d := difference(reflect.ValueOf(key), reflect.ValueOf(back)); d != "" {
				t.Error(d)
			}
			if b, err = AppendVersioned(nil, value, greatest); err != nil {
				t.Fatal(err)
			}
			same, version, err := topic.DecodeValue(typ, b)
			if err != nil || version != greatest {
				t.Fatalf("%s type %d: version %d, %v", topic, typ, version, err)
			}
			if d := difference(reflect.ValueOf(value), reflect.ValueOf(same)); d != "" {
				t.Error(d)
			}
		}
	}
	// Kafka 4.3 has as many.
	if count[ConsumerOffsets] != 22 || count[TransactionState] != 1 || count[ShareGroupState] != 2 {
		t.Errorf("record types: %v", count)
	}
	for _, c := range []struct{ b, want string }{
		{"", "key.type at byte 0: needs 2 bytes, 0 are left"},
		{"\x00\x63", "__consumer_offsets has no records of type 99"},
		{"\x00\x02\x00\x05abc", "GroupMetadataKey.Group at byte 4: needs 5 bytes, 3 are left"},
		{"\x00\x02\x00\x03abcd", "end at byte 7: 1 bytes too many"},
	} {
		if _, err := ConsumerOffsets.DecodeKey([]byte(c.b)); err == nil || err.Error() != c.want {
			t.Errorf("%q gives %v, not %s", c.b, err, c.want)
		}
	}
	var unknown *UnknownTypeError
	if _, _, err := TransactionState.DecodeValue(1, nil); !errors.As(err, &unknown) || unknown.Type != 1 {
		t.Error(err)
	}
	if _, _, err := TransactionState.DecodeValue(0, []byte("\x00\x02")); err == nil || !strings.Contains(err.Error(), "no version 2") {
		t.Error(err)
	}
	long := NewTransactionLogKey()
	long.TransactionalId = strings.Repeat("x", 1<<15)
	if b, err := AppendKey([]byte("x"), long); err == nil || string(b) != "x" {
		t.Error(err)
	}
}
