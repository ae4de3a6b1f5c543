package protocol

import (
	"bytes"
	"testing"
)

// FuzzDecodeRequest gives any bytes to DecodeRequest. They must not panic, and what it takes must encode, and
// come back the same.
func FuzzDecodeRequest(f *testing.F) {
	for api := range APIs {
		for version := api.Min; version <= api.Max; version++ {
			w := NewWriter(nil)
			h := RequestHeader{RequestApiVersion: version, ClientId: String("fuzz")}
			if err := EncodeRequest(w, h, NewRequest(api.Key)); err != nil {
				f.Fatal(err)
			}
			f.Add(w.Bytes()[4:])
		}
	}
	const budget = 1 << 18
	f.Fuzz(func(t *testing.T, b []byte) {
		h, m, err := DecodeRequest(NewReader(b, budget))
		if err != nil {
			return
		}
		w := NewWriter(nil)
		if err := EncodeRequest(w, h, m); err != nil {
			t.Fatalf("%+v cannot be encoded: %v", m, err)
		}
		header, body := h, NewReader(w.Bytes()[4:], 2*budget)
		if header, err = DecodeRequestHeader(body); err != nil || header != h {
			t.Fatalf("header %+v became %+v, %v", h, header, err)
		}
		checkStable(t, func() Message { return NewRequest(h.RequestApiKey) }, body.b, h.RequestApiVersion)
	})
}

// FuzzDecodeRecord does the same for metadata records, which come from peers and disks.
func FuzzDecodeRecord(f *testing.F) {
	for id := range int16(100) {
		if m, least, greatest := newRecord(id); m != nil {
			for version := least; version <= greatest; version++ {
				b, err := AppendRecord(nil, Record{m, version})
				if err != nil {
					f.Fatal(err)
				}
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := DecodeRecord(b)
		if err != nil {
			return
		}
		again, err := AppendRecord(nil, rec)
		if err != nil {
			t.Fatalf("%+v cannot be encoded: %v", rec.Message, err)
		}
		if _, err := DecodeRecord(again); err != nil {
			t.Fatalf("%+v cannot be decoded again: %v", rec.Message, err)
		}
	})
}

// FuzzDecodeResponse gives any bytes to DecodeResponse as answers of peers: they must not panic, and what it takes comes back
// the same.
func FuzzDecodeResponse(f *testing.F) {
	for api := range APIs {
		for version := api.Min; version <= api.Max; version++ {
			w := NewWriter(nil)
			if m := NewResponse(api.Key); m != nil && EncodeResponse(w, version, 7, m) == nil {
				f.Add(api.Key, version, w.Bytes()[4:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, b []byte) {
		_, m, err := DecodeResponse(NewReader(b, 1<<18), key, version)
		if err != nil {
			return
		}
		w := NewWriter(nil)
		if err := EncodeResponse(w, version, 7, m); err != nil {
			t.Fatalf("%+v cannot be encoded: %v", m, err)
		}
		_, again, err := DecodeResponse(NewReader(w.Bytes()[4:], 1<<20), key, version)
		if err != nil {
			t.Fatalf("%+v does not come back: %v", m, err)
		}
		second := NewWriter(nil)
		if err := EncodeResponse(second, version, 7, again); err != nil || !bytes.Equal(w.Bytes(), second.Bytes()) {
			t.Fatalf("%+v comes back as %+v: %v", m, again, err)
		}
	})
}
