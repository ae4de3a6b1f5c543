package text

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

var sample = &kgo.Record{
	Topic: "orders", Partition: 3, Offset: 42, Timestamp: time.UnixMilli(1700000000123), Key: []byte("k"), Value: []byte("v\xff"),
	Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "b"}},
}

func TestFormat(t *testing.T) {
	for _, c := range []struct{ format, want string }{
		{"", ""},
		{`%t[%p]@%o %T %k=%s\n`, "orders[3]@42 1700000000123 k=v\xff\n"},
		{`%K %S %%|%h|\t\x41\\`, "1 2 %|a=1,b=NULL|\tA\\"},
		{`%R`, "\x00\x00\x00\x02"},
		{`%q`, "error: %q stands for nothing"},
		{`100%`, "error: a % ends it"},
		{`\`, "error: a backslash ends it"},
		{`\q`, `error: "\\q" stands for nothing`},
		{`\x4`, `error: "\\x4": \x takes two`},
		{`\xzz`, `error: "\\xzz": \x takes two`},
	} {
		f, err := NewFormat(c.format, "NULL")
		got := ""
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = string(f.Append(nil, sample))
		}
		if got != c.want && (err == nil || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s:\n got %q\nwant %q", c.format, got, c.want)
		}
	}
	f, _ := NewFormat("%k %K %s %S", "-")
	if got := string(f.Append(nil, &kgo.Record{Value: []byte{}})); got != "- -1  0" {
		t.Errorf("null and empty: %q", got)
	}
	f, _ = NewFormat("%R", "")
	if got := string(f.Append(nil, &kgo.Record{})); got != "\xff\xff\xff\xff" {
		t.Errorf("null: %q", got)
	}
}

func TestJSON(t *testing.T) {
	want := `{"topic":"orders","partition":3,"offset":42,"timestamp":1700000000123,"timestamp_type":"CreateTime","key":"k",` +
		`"value":null,"value_base64":"dv8=","headers":[{"key":"a","value":"1"},{"key":"b","value":null}]}` + "\n"
	if got := string(AppendJSON(nil, sample)); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	want = `{"topic":"","partition":0,"offset":0,"timestamp":0,"timestamp_type":"CreateTime","key":null,"value":"<&>","headers":[]}` + "\n"
	if got := string(AppendJSON(nil, &kgo.Record{Value: []byte("<&>"), Timestamp: time.UnixMilli(0)})); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

// all reads every line and shows it.
func all(l *Lines) string {
	var b strings.Builder
	for {
		r, number, err := l.Next()
		switch {
		case errors.Is(err, io.EOF):
			return b.String()
		case err != nil:
			fmt.Fprintf(&b, "%d:%v ", number, err)
		default:
			fmt.Fprintf(&b, "%d:%s/%s ", number, show(r.Key), show(r.Value))
		}
	}
}

func show(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

func TestLines(t *testing.T) {
	null := "NULL"
	for _, c := range []struct {
		text, separator string
		null            *string
		want            string
	}{
		{"", "", nil, ""},
		{"\n", "", nil, `1:null/"" `},
		{"a\nb", "", nil, `1:null/"a" 2:null/"b" `},
		{"a\n\nb\n", "", nil, `1:null/"a" 2:null/"" 3:null/"b" `},
		{"a\r\n", "", nil, `1:null/"a\r" `},
		{"k:v:w\nno\n:v\nk:\n", ":", nil, `1:"k"/"v:w" 2:null/"no" 3:""/"v" 4:"k"/"" `},
		{"NULL=>NULL\n", "=>", &null, `1:null/null `},
		{"\n", "", new(string), `1:null/null `},
		{strings.Repeat("x", 99999) + "\n1234567890\n12345678901", "", nil, `1:the line is too long: more than 10 bytes 2:null/"1234567890" 3:the line is too long: more than 10 bytes `},
	} {
		l := NewLines(strings.NewReader(c.text))
		l.Separator, l.Null, l.BytesMax = c.separator, c.null, 10
		if got := all(l); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// TestLinesComeBack writes any values and reads them again.
func TestLinesComeBack(t *testing.T) {
	f, _ := NewFormat(`%k\t%s\n`, "~")
	null := "~"
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[^\n]{0,20}`)
		key := rapid.StringMatching(`[^\n\t]{0,5}`)
		var text []byte
		var want []string
		for range rapid.IntRange(0, 5).Draw(t, "records") {
			r := &kgo.Record{Key: []byte(key.Draw(t, "key")), Value: []byte(value.Draw(t, "value"))}
			if rapid.Bool().Draw(t, "null") {
				r.Value = nil
			}
			if string(r.Key) == "~" || string(r.Value) == "~" {
				continue
			}
			want = append(want, show(r.Key)+"/"+show(r.Value))
			text = f.Append(text, r)
		}
		l := NewLines(strings.NewReader(string(text)))
		l.Separator, l.Null = "\t", &null
		for _, w := range want {
			r, _, err := l.Next()
			if err != nil || show(r.Key)+"/"+show(r.Value) != w {
				t.Fatalf("%s came back as %v, %v", w, r, err)
			}
		}
		if _, _, err := l.Next(); !errors.Is(err, io.EOF) {
			t.Fatal("more came back")
		}
	})
}

func TestHeaders(t *testing.T) {
	got, err := Headers([]string{"a=b=c", "e="})
	if err != nil || len(got) != 2 || got[0].Key != "a" || string(got[0].Value) != "b=c" || string(got[1].Value) != "" {
		t.Error(got, err)
	}
	for _, wrong := range []string{"", "a", "=b"} {
		if _, err := Headers([]string{wrong}); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
