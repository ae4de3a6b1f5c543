package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The versions Kafka 4.3 accepts, written here a second time.
func TestTheTableOfAPIs(t *testing.T) {
	var got []string
	for api := range APIs {
		got = append(got, fmt.Sprintf("%d %s %d-%d flexible %d advertised %d", api.Key, api.Name, api.Min, api.Max,
			api.Flexible, api.AdvertisedMin))
	}
	text, err := os.ReadFile("testdata/apis.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("the table is\n%s\nnot\n%s", g, w)
	}
}

func TestRequestFramesAreThoseOfKmsg(t *testing.T) {
	for api := range APIs {
		for version := api.Min; version <= api.Max; version++ {
			theirs := kmsg.RequestForKey(api.Key)
			theirs.SetVersion(version)
			want := kmsg.NewRequestFormatter(kmsg.FormatterClientID("client")).AppendRequest(nil, theirs, 77)
			r := NewReader(want[4:], 1<<16)
			h, m, err := DecodeRequest(r)
			if err != nil {
				t.Fatalf("%s version %d: %v", api.Name, version, err)
			}
			wantHeader := RequestHeader{api.Key, version, 77, String("client")}
			if h != wantHeader || m.APIKey() != api.Key {
				t.Errorf("%s version %d: header %+v", api.Name, version, h)
			}
			w := NewWriter(nil)
			if err := EncodeRequest(w, h, m); err != nil {
				t.Fatalf("%s version %d: %v", api.Name, version, err)
			}
			if !bytes.Equal(w.Bytes(), want) {
				t.Errorf("%s version %d: %x, not %x", api.Name, version, w.Bytes(), want)
			}
		}
	}
}

func TestResponseHeaders(t *testing.T) {
	for api := range APIs {
		for version := api.Min; version <= api.Max; version++ {
			want := int16(0)
			if theirs := kmsg.RequestForKey(api.Key); api.Key != KeyApiVersions {
				if theirs.SetVersion(version); theirs.IsFlexible() {
					want = 1
				}
			}
			if got := api.ResponseHeaderVersion(version); got != want {
				t.Errorf("%s version %d: response header version %d", api.Name, version, got)
			}
		}
	}
}

func TestUnsupportedRequestsCanBeAnswered(t *testing.T) {
	header := func(key, version int16) []byte {
		w := NewWriter(nil)
		w.Int16(key)
		w.Int16(version)
		w.Int32(5)
		w.NullString(false, true, String("client"), "")
		w.Raw([]byte{0, 1, 2, 3}) // tags, and a body that nobody knows
		return w.Bytes()
	}
	for _, c := range []struct {
		key, version int16
		known        bool
	}{
		{KeyApiVersions, 5, true},
		{KeyApiVersions, 99, true},
		{KeyApiVersions, -1, true},
		{KeyProduce, 2, true},
		{KeyFetch, 19, true},
		{7, 0, false},
		{-1, 0, false},
		{32767, 0, false},
	} {
		h, m, err := DecodeRequest(NewReader(header(c.key, c.version), 1<<16))
		var unsupported *UnsupportedError
		if !errors.As(err, &unsupported) || m != nil {
			t.Errorf("key %d version %d: %v", c.key, c.version, err)
			continue
		}
		want := UnsupportedError{c.key, c.version, c.known}
		if *unsupported != want || h.CorrelationId != 5 || h.RequestApiKey != c.key || h.RequestApiVersion != c.version {
			t.Errorf("key %d version %d: %+v, header %+v", c.key, c.version, *unsupported, h)
		}
	}
}

func TestEveryMessageComesBackEqual(t *testing.T) {
	everyMessage(func(name string, fresh func() Message, version int16) {
		for seed := range uint64(20) {
			b := example(t, fresh, version, seed)
			checkStable(t, fresh, b, version)
		}
	})
}

// checkStable decodes b, encodes that, decodes it again, and wants the same value and then the same bytes.
func checkStable(t *testing.T, fresh func() Message, b []byte, version int16) {
	t.Helper()
	first := fresh()
	if err := decode(first, b, version, 1<<20); err != nil {
		t.Fatalf("%T version %d: %v", first, version, err)
	}
	w := NewWriter(nil)
	first.Encode(w, version)
	if w.Err() != nil {
		t.Fatalf("%T version %d cannot encode what it decoded: %v", first, version, w.Err())
	}
	second := fresh()
	if err := decode(second, w.Bytes(), version, 1<<21); err != nil {
		t.Fatalf("%T version %d cannot decode what it encoded: %v", first, version, err)
	}
	again := NewWriter(nil)
	second.Encode(again, version)
	d := difference(reflect.ValueOf(first), reflect.ValueOf(second))
	if d != "" || !bytes.Equal(again.Bytes(), w.Bytes()) {
		t.Fatalf("%T version %d: %+v became %+v: %s", first, version, first, second, d)
	}
}

func TestRecordFrames(t *testing.T) {
	good, err := AppendRecord([]byte("x"), Record{NewNoOpRecord(), 0})
	if err != nil || string(good) != "x\x01\x14\x00\x00" {
		t.Fatalf("%x, %v", good, err)
	}
	for _, c := range []struct{ b, want string }{
		{"", "record.frameVersion at byte 0: varint without an end"},
		{"\x02\x14\x00\x00", "record.frameVersion at byte 1: unknown frame version 2"},
		{"\x01\x63\x00\x00", "record.id at byte 3: unknown metadata record 99"},
		{"\x01\xff\xff\xff\x0f\x00\x00", "record.id at byte 6: unknown metadata record 33554431"},
		{"\x01\x14\x01\x00", "record.version at byte 3: metadata record 20 has no version 1"},
		{"\x01\x14\x80\x80\x04\x00", "record.version at byte 5: metadata record 20 has no version 65536"},
		{"\x01\x14\x00\x00\x00", "end at byte 4: 1 bytes too many"},
		{"\x01\x14\x00", "NoOpRecord at byte 3: varint without an end"},
	} {
		if _, err := DecodeRecord([]byte(c.b)); err == nil || err.Error() != c.want {
			t.Errorf("%x gives %v, not %s", c.b, err, c.want)
		}
	}
	lost := NewPartitionRecord()
	lost.Directories = make([]UUID, 1)
	if b, err := AppendRecord([]byte("x"), Record{lost, 0}); err == nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestControlRecords(t *testing.T) {
	key := AppendControlKey(nil, ControlVotersRecord)
	if string(key) != "\x00\x00\x00\x06" {
		t.Errorf("key %x", key)
	}
	if got, err := ControlType(key); err != nil || got != ControlVotersRecord {
		t.Errorf("type %d, %v", got, err)
	}
	for _, bad := range []string{"", "\x00\x00\x00", "\xff\xff\x00\x06"} {
		if _, err := ControlType([]byte(bad)); err == nil {
			t.Errorf("%x is taken", bad)
		}
	}
	m := NewLeaderChangeMessage()
	fill(rand.New(rand.NewPCG(1, 1)), reflect.ValueOf(m).Elem())
	value, err := AppendControl(nil, m, 1)
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeControl(ControlLeaderChangeMessage, value, 1)
	if err != nil || fmt.Sprint(back) != fmt.Sprint(m) {
		t.Errorf("%v came back as %v, %v", m, back, err)
	}
	if _, err := DecodeControl(1, value, 0); err == nil {
		t.Error("a control record of type 1 is decoded")
	}
}
