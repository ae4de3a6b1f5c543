package protocol

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestGoldenFiles decodes and encodes what the files in testdata hold: for every version of many metadata records, the
// control records and the headers, in their frames, one message with every field set and one with none. The
// files were written from Kafka's definitions by an encoder that shares nothing with this package. A line is a field's
// value, or a part of the structure around it, and its bytes.
func TestGoldenFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
			head, body, _ := strings.Cut(block, "\n")
			var name string
			var version int16
			if _, err := fmt.Sscanf(head, "%s version %d,", &name, &version); err != nil {
				t.Fatalf("%s: %q: %v", path, head, err)
			}
			t.Run(strings.ReplaceAll(head, ",", ""), func(t *testing.T) { golden(t, name, version, body) })
		}
	}
}

// goldenMessages makes the messages that need a golden file.
func goldenMessages() map[string]func() Message {
	all := map[string]func() Message{
		"RequestHeader":  func() Message { return NewRequestHeader() },
		"ResponseHeader": func() Message { return NewResponseHeader() },
	}
	for _, list := range []func(int16) (Message, int16, int16){newRecord, newControl} {
		for key := range int16(100) {
			if m, _, _ := list(key); m != nil {
				all[reflect.TypeOf(m).Elem().Name()] = func() Message { m, _, _ := list(key); return m }
			}
		}
	}
	return all
}

func golden(t *testing.T, name string, version int16, body string) {
	values := map[string]string{}
	var wire []byte
	framed := false
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		b, err := hex.DecodeString(line[at+1:])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		wire = append(wire, b...)
		framed = framed || strings.HasPrefix(line, "frame version")
		if field, value, ok := strings.Cut(strings.TrimSpace(line[:at]), " = "); ok {
			values[field] = value
		}
	}
	m, encoded := goldenDecode(t, name, version, wire, framed)
	if !bytes.Equal(encoded, wire) {
		t.Errorf("encoded\n%x\nnot\n%x", encoded, wire)
	}
	fresh := reflect.New(reflect.TypeOf(m).Elem())
	fresh.Interface().(Message).Default()
	got := map[string]string{}
	leaves("", reflect.ValueOf(m).Elem(), got)
	defaults := map[string]string{}
	leaves("", fresh.Elem(), defaults)
	for field, want := range values {
		if got[field] != want {
			t.Errorf("%s is %s, not %s", field, got[field], want)
		}
	}
	for field, value := range got {
		if _, ok := defaults[field]; !ok && value == (UUID{}).String() {
			continue // in an array's element; there, only ids are missing from some versions
		}
		if _, ok := values[field]; !ok && value != defaults[field] {
			t.Errorf("%s is %s, which the file does not have; the default is %s", field, value, defaults[field])
		}
	}
}

func goldenDecode(t *testing.T, name string, version int16, wire []byte, framed bool) (Message, []byte) {
	t.Helper()
	if framed {
		rec, err := DecodeRecord(wire)
		if err != nil {
			t.Fatal(err)
		}
		if got := reflect.TypeOf(rec.Message).Elem().Name(); got != name || rec.Version != version {
			t.Fatalf("decoded %s version %d", got, rec.Version)
		}
		encoded, err := AppendRecord(nil, rec)
		if err != nil {
			t.Fatal(err)
		}
		return rec.Message, encoded
	}
	m := goldenMessages()[name]()
	r := NewReader(wire, 1<<16)
	m.Decode(r, version)
	if err := r.Done(); err != nil {
		t.Fatal(err)
	}
	w := NewWriter(nil)
	m.Encode(w, version)
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	return m, w.Bytes()
}

// leaves writes a message's values as the golden files do.
func leaves(path string, v reflect.Value, out map[string]string) {
	switch x := v.Interface().(type) {
	case UUID:
		out[path] = x.String()
		return
	case NullString:
		out[path] = "null"
		if x.Valid {
			out[path] = `"` + x.Value + `"`
		}
		return
	case string:
		out[path] = `"` + x + `"`
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			leaves(strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), v.Field(i), out)
		}
	case reflect.Slice:
		if v.IsNil() {
			out[path] = "null"
			return
		}
		for i := range v.Len() {
			leaves(fmt.Sprintf("%s[%d]", path, i), v.Index(i), out)
		}
	default:
		out[path] = fmt.Sprint(v.Interface())
	}
}
