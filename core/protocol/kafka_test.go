package protocol

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The files in testdata/kafka are Apache Kafka's word, as written by .ci/kafka/messages: encoded messages, and defaults.

// TestKafkasMessages decodes and encodes what Kafka has encoded: every version of what is neither request nor response,
// and of the messages that kmsg does not keep to their versions. In one each field has a value, in one none has that
// can do without. A block is a head, the bytes, and the fields with their values.
func TestKafkasMessages(t *testing.T) {
	fresh := map[string]func() Message{}
	want := map[string]bool{}
	everyMessage(func(name string, make func() Message, version int16) {
		fresh[name] = make
		if _, isRequest := apiOf(make()); !isRequest && name != "Everything" && name != "Compact" {
			want[fmt.Sprintf("%s version %d, full", name, version)] = true
			want[fmt.Sprintf("%s version %d, bare", name, version)] = true
		}
	})
	text, err := os.ReadFile("testdata/kafka/messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		lines := strings.Split(block, "\n")
		var name, how string
		var version int16
		if _, err := fmt.Sscanf(lines[0], "%s version %d, %s", &name, &version, &how); err != nil {
			t.Fatalf("%q: %v", lines[0], err)
		}
		wire, err := hex.DecodeString(lines[1])
		if err != nil || fresh[name] == nil {
			t.Fatalf("%q: %v", lines[0], err)
		}
		delete(want, lines[0])
		values := map[string]string{}
		for _, line := range lines[2:] {
			field, value, _ := strings.Cut(strings.TrimLeft(line, " "), " = ")
			values[field] = value
		}
		t.Run(strings.ReplaceAll(lines[0], ",", ""), func(t *testing.T) {
			kafkasMessage(t, fresh[name](), version, wire, values)
		})
	}
	for head := range want {
		t.Errorf("the file has no %s", head)
	}
}

// apiOf is the API that a message is a request or a response of.
func apiOf(m Message) (API, bool) {
	for api := range APIs {
		for _, other := range []Message{NewRequest(api.Key), NewResponse(api.Key)} {
			if reflect.TypeOf(m) == reflect.TypeOf(other) {
				return api, true
			}
		}
	}
	return API{}, false
}

func kafkasMessage(t *testing.T, m Message, version int16, wire []byte, values map[string]string) {
	r := NewReader(wire, 1<<16)
	m.Decode(r, version)
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
	w := NewWriter(nil)
	m.Encode(w, version)
	if w.Err() != nil || !bytes.Equal(w.Bytes(), wire) {
		t.Errorf("encoded, with %v,\n%x\nnot\n%x", w.Err(), w.Bytes(), wire)
	}
	got := map[string]string{}
	kafkasLeaves("", reflect.ValueOf(m).Elem(), got)
	for field, want := range values {
		if got[field] != want {
			t.Errorf("%s is %q, not %q", field, got[field], want)
		}
	}
}

// kafkasLeaves collects the values of a message's fields by their paths, written as the file writes them.
func kafkasLeaves(path string, v reflect.Value, out map[string]string) {
	switch x := v.Interface().(type) {
	case UUID:
		out[path] = x.String()
		return
	case NullString:
		out[path] = "null"
		if x.Valid {
			out[path] = x.Value
		}
		return
	case Records:
		out[path] = "null"
		if !x.Null() {
			out[path] = hex.EncodeToString(x.Bytes)
		}
		return
	case []byte:
		out[path] = "null"
		if x != nil {
			out[path] = hex.EncodeToString(x)
		}
		return
	case Error:
		out[path] = fmt.Sprint(int16(x))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			out[path] = "null"
		} else {
			kafkasLeaves(path, v.Elem(), out)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			kafkasLeaves(strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), v.Field(i), out)
		}
	case reflect.Slice:
		if v.IsNil() {
			out[path] = "null"
		}
		for i := range v.Len() {
			kafkasLeaves(fmt.Sprintf("%s[%d]", path, i), v.Index(i), out)
		}
	default:
		out[path] = fmt.Sprint(v.Interface())
	}
}

// TestKafkasDefaults holds every field's default against Kafka's. The file has those that are not zero, false or empty,
// and null. A nil slice may be a null array or an empty one, where an array cannot be null.
func TestKafkasDefaults(t *testing.T) {
	want := map[string]string{}
	text, err := os.ReadFile("testdata/kafka/defaults.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		want[field] = value
	}
	seen := map[string]bool{}
	everyMessage(func(name string, fresh func() Message, _ int16) {
		if !seen[name] && name != "Everything" && name != "Compact" {
			seen[name] = true
			kafkasDefaults(t, name, reflect.ValueOf(fresh()).Elem(), want)
		}
	})
	for field, value := range want {
		if strings.HasPrefix(field, "InitProducerIdResponse.OngoingTxn") {
			continue // of version 6, which Kafka has not released
		}
		t.Errorf("Kafka's %s = %s is no field here", field, value)
	}
}

func kafkasDefaults(t *testing.T, path string, v reflect.Value, want map[string]string) {
	for i := range v.NumField() {
		name := path + "." + v.Type().Field(i).Name
		expected, listed := want[name]
		delete(want, name)
		f := v.Field(i)
		below := f.Type()
		switch x := f.Interface().(type) {
		case UUID:
			continue
		case NullString:
			if listed && expected == "null" == x.Valid || !listed && x != String("") || listed && expected != "null" && x.Value != expected {
				t.Errorf("%s is %+v, not %q", name, x, expected)
			}
			continue
		case Records, []byte:
			continue
		}
		switch f.Kind() {
		case reflect.Slice:
			below = below.Elem()
			if expected == "null" && !f.IsNil() {
				t.Errorf("%s is not null", name)
			}
		case reflect.Pointer:
			below = below.Elem()
			if expected == "null" != f.IsNil() {
				t.Errorf("%s is %v, not %q", name, f, expected)
			}
		case reflect.Struct:
		default:
			if !listed {
				expected = fmt.Sprint(reflect.Zero(below).Interface())
			}
			if got := fmt.Sprint(f.Interface()); got != expected {
				t.Errorf("%s is %s, not %s", name, got, expected)
			}
		}
		if below.Kind() == reflect.Struct && below != reflect.TypeFor[NullString]() {
			fresh := reflect.New(below)
			if d, ok := fresh.Interface().(interface{ Default() }); ok {
				d.Default()
			}
			kafkasDefaults(t, name, fresh.Elem(), want)
		}
	}
}
