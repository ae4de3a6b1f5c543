package protocol

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

var arrayLen = regexp.MustCompile(`ArrayLen\(.*, (\d+), "([^"]+)"\); n`)

// generatedSizes reads from the generated code what each array is charged for an element.
func generatedSizes(t *testing.T) map[string]int {
	t.Helper()
	paths, err := filepath.Glob("*.gen*.go")
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range arrayLen.FindAllStringSubmatch(string(text), -1) {
			if sizes[match[2]], err = strconv.Atoi(match[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(sizes) < 40 {
		t.Fatalf("only %d arrays found", len(sizes))
	}
	return sizes
}

func TestUUID(t *testing.T) {
	id := UUID{0xfb, 0xff, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	const text = "-_8CAwQFBgcICQoLDA0ODw"
	if id.String() != text {
		t.Errorf("written %s", id)
	}
	if back, err := ParseUUID(text); err != nil || back != id {
		t.Errorf("read back %s, %v", back, err)
	}
	for _, bad := range []string{"", "AAAA", text + "A", text[1:], text + "AAAAAAAA", "+/8CAwQFBgcICQoLDA0ODw", text + "=="} {
		if _, err := ParseUUID(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if id := MetadataTopicID(); id.String() != "AAAAAAAAAAAAAAAAAAAAAQ" || id.IsZero() || !(UUID{}).IsZero() {
		t.Errorf("the id of the metadata topic is %s", id)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		code      Error
		number    int
		name      string
		retriable bool
	}{
		{ErrUnknownServerError, -1, "UNKNOWN_SERVER_ERROR", false},
		{ErrNone, 0, "NONE", false},
		{ErrNotLeaderOrFollower, 6, "NOT_LEADER_OR_FOLLOWER", true},
		{ErrUnsupportedVersion, 35, "UNSUPPORTED_VERSION", false},
		{ErrKafkaStorageError, 56, "KAFKA_STORAGE_ERROR", true},
		{ErrUnknownTopicId, 100, "UNKNOWN_TOPIC_ID", true},
		{ErrShareSessionLimitReached, 133, "SHARE_SESSION_LIMIT_REACHED", true},
		{134, 134, "error 134", false},
		{-2, -2, "error -2", false},
		{-32768, -32768, "error -32768", false},
		{32767, 32767, "error 32767", false},
	} {
		if int(c.code) != c.number || c.code.Name() != c.name || c.code.Retriable() != c.retriable {
			t.Errorf("%d is %s, retriable %t", c.code, c.code.Name(), c.code.Retriable())
		}
		if c.code.Known() != (c.number >= -1 && c.number <= 133) || c.code.Known() != (c.code.Message() != "") {
			t.Errorf("%d: known %t, message %q", c.code, c.code.Known(), c.code.Message())
		}
	}
	if ErrNone.Err() != nil {
		t.Error("ErrNone is an error")
	}
	if !errors.Is(ErrNotController.Err(), ErrNotController) {
		t.Error("an error code does not match itself")
	}
}

func TestVarints(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 1<<31 - 1, -1 << 31, 1<<63 - 1, -1 << 63} {
		w := NewWriter(nil)
		w.Varlong(v)
		w.Varint(int32(v))
		w.Uvarint(uint32(v))
		w.Float64(float64(v))
		r := NewReader(w.Bytes(), 0)
		long, short, unsigned, float := r.Varlong(""), r.Varint(""), r.Uvarint(""), r.Float64("")
		if r.Done() != nil || long != v || short != int32(v) || unsigned != uint32(v) || float != float64(v) {
			t.Errorf("%d came back as %d, %d, %d, %g (%v)", v, long, short, unsigned, float, r.Err())
		}
	}
	for _, bad := range []string{"\x80\x80\x80\x80\x10", "\x80\x80\x80\x80\x80\x00", "\x80", ""} {
		r := NewReader([]byte(bad), 0)
		if r.Uvarint("v"); r.Err() == nil {
			t.Errorf("%x is taken for 32 bits", bad)
		}
	}
	for _, bad := range []string{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"} {
		r := NewReader([]byte(bad), 0)
		if r.Varlong("v"); r.Err() == nil {
			t.Errorf("%x is taken for 64 bits", bad)
		}
	}
}
