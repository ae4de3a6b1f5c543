package protocol

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

func TestRecordsAreSentWithoutACopy(t *testing.T) {
	first, second := []byte("first batch "), []byte("second batch")
	m := NewFetchResponse()
	p := NewFetchPartitionData()
	p.Records = Records{Bytes: []byte("head "), Parts: [][]byte{first, nil, second}}
	q := p
	q.Records = Records{Parts: [][]byte{}}
	m.Responses = []FetchableTopicResponse{{Partitions: []FetchPartitionData{p, q}}}
	for version := int16(4); version <= 18; version++ {
		w := NewWriter([]byte("before"))
		if err := EncodeResponse(w, version, 9, m); err != nil {
			t.Fatal(err)
		}
		pieces := w.Pieces(nil)
		if len(pieces) != 4 {
			t.Fatalf("version %d: %d pieces", version, len(pieces))
		}
		if unsafe.SliceData(pieces[1]) != unsafe.SliceData(first) || unsafe.SliceData(pieces[2]) != unsafe.SliceData(second) {
			t.Errorf("version %d: the parts were copied", version)
		}
		all := bytes.Join(pieces, nil)
		if !bytes.Equal(all, w.Bytes()) || w.Len() != len(all) {
			t.Errorf("version %d: Pieces, Bytes and Len do not agree", version)
		}
		frame := all[len("before"):]
		if size := NewReader(frame, 0).Int32("size"); int(size) != len(frame)-4 {
			t.Errorf("version %d: the frame of %d bytes says %d", version, len(frame), size)
		}
		id, got, err := DecodeResponse(NewReader(frame[4:], 1<<16), KeyFetch, version)
		if err != nil || id != 9 {
			t.Fatalf("version %d: correlation id %d, %v", version, id, err)
		}
		partitions := got.(*FetchResponse).Responses[0].Partitions
		if got := string(partitions[0].Records.Bytes); got != "head first batch second batch" {
			t.Errorf("version %d: decoded %q", version, got)
		}
		if partitions[1].Records.Null() || partitions[1].Records.Len() != 0 {
			t.Errorf("version %d: empty records came back as %+v", version, partitions[1].Records)
		}
	}
}

func TestAValueWithoutAPlaceIsAnError(t *testing.T) {
	type test struct {
		name    string
		m       Message
		version int16
		want    string // "" is no error
	}
	fetch := NewFetchRequest()
	fetch.ForgottenTopicsData = make([]FetchForgottenTopic, 1)
	ignorable := NewFetchRequest()
	ignorable.RackId = "rack"
	state := NewFetchRequest()
	state.ReplicaState.ReplicaId = 1
	metadata := NewMetadataRequest()
	metadata.Topics = nil
	long := NewMetadataRequest()
	long.Topics = []MetadataRequestTopic{{Name: String(strings.Repeat("x", 40000))}}
	named := NewMetadataRequest()
	named.Topics = make([]MetadataRequestTopic, 1)
	partition := NewPartitionRecord()
	partition.LastKnownElr = []int32{}
	for _, c := range []test{
		{"not ignorable", fetch, 6, "FetchRequest.ForgottenTopicsData: has a value, and version 6 lacks the field"},
		{"not ignorable, where it exists", fetch, 7, ""},
		{"ignorable", ignorable, 10, ""},
		{"tagged", state, 14, "FetchRequest.ReplicaState: has a value, and version 14 lacks the field"},
		{"null array", metadata, 0, "MetadataRequest.Topics: null, but the version has no null here"},
		{"null array, where it may be", metadata, 1, ""},
		{"null string", named, 9, "MetadataRequestTopic.Name: null, but the version has no null here"},
		{"long string", long, 9, "MetadataRequestTopic.Name: string of 40000 bytes"},
		{"version", metadata, 14, "MetadataRequest: there is no version 14"},
		{"empty where null is the default", partition, 1, "PartitionRecord.LastKnownElr: has a value, and version 1 lacks the field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := NewWriter(nil)
			c.m.Encode(w, c.version)
			got := ""
			if w.Err() != nil {
				got = w.Err().Error()
			}
			if got != c.want {
				t.Errorf("error is %q, not %q", got, c.want)
			}
		})
	}
}

func TestAFrameThatCannotBeEncodedLeavesNothing(t *testing.T) {
	w := NewWriter(nil)
	good := NewApiVersionsResponse()
	if err := EncodeResponse(w, 0, 1, good); err != nil {
		t.Fatal(err)
	}
	before := hex.EncodeToString(w.Bytes())
	bad := NewFetchResponse()
	bad.SessionId = 5 // not in version 4, and not ignorable
	bad.Responses = []FetchableTopicResponse{{Partitions: []FetchPartitionData{{Records: Records{Parts: [][]byte{{1}}}}}}}
	if err := EncodeResponse(w, 4, 2, bad); err == nil {
		t.Fatal("no error")
	}
	if after := hex.EncodeToString(w.Bytes()); after != before || w.Err() != nil || w.Len()*2 != len(before) {
		t.Errorf("after the error the writer has %s (%v), not %s", after, w.Err(), before)
	}
}

// A tagged field's size takes one byte below 128 and more above, and the field has to make room.
func TestTaggedFieldsOfEverySize(t *testing.T) {
	for _, n := range []int{0, 1, 124, 125, 126, 127, 128, 16000, 16379, 16380, 16381, 20000} {
		m := NewEverything()
		m.V = bytes.Repeat([]byte{7}, n)
		m.U = []bool{true, false}
		w := NewWriter(nil)
		m.Encode(w, 9)
		got := NewEverything()
		if err := decode(got, w.Bytes(), 9, 1<<16); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if !bytes.Equal(got.V, m.V) || !reflect.DeepEqual(got.U, m.U) {
			t.Errorf("%d bytes came back as %d, and %v", n, len(got.V), got.U)
		}
	}
}

// What an array is charged for an element is what Go takes for it.
func TestElementsAreChargedTheirSize(t *testing.T) {
	sizes := map[string]int{}
	everyMessage(func(_ string, fresh func() Message, _ int16) { sizesOf(reflect.TypeOf(fresh()).Elem(), sizes) })
	for name, size := range generatedSizes(t) {
		if sizes[name] != size {
			t.Errorf("an element of %s takes %d bytes and is charged %d", name, sizes[name], size)
		}
	}
}

func sizesOf(t reflect.Type, out map[string]int) {
	for f := range t.Fields() {
		elem := f.Type
		if elem.Kind() == reflect.Slice {
			elem = elem.Elem()
			out[t.Name()+"."+f.Name] = int(elem.Size())
		} else if elem.Kind() == reflect.Pointer {
			elem = elem.Elem()
			out[t.Name()+"."+f.Name] = int(elem.Size())
		}
		if elem.Kind() == reflect.Struct {
			sizesOf(elem, out)
		}
	}
}
