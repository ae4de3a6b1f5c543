package protocol

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// difference names a first field in which two values of one type differ, or returns "". A number that is not one is
// equal to itself here; null and empty differ.
func difference(a, b reflect.Value) string {
	switch a.Kind() {
	case reflect.Pointer:
		if !a.IsNil() && !b.IsNil() {
			return difference(a.Elem(), b.Elem())
		}
	case reflect.Struct:
		for i := range a.NumField() {
			if d := difference(a.Field(i), b.Field(i)); d != "" {
				return a.Type().Name() + "." + a.Type().Field(i).Name + ": " + d
			}
		}
		return ""
	case reflect.Slice:
		if a.Len() == b.Len() && a.IsNil() == b.IsNil() {
			for i := range a.Len() {
				if d := difference(a.Index(i), b.Index(i)); d != "" {
					return fmt.Sprintf("[%d]: %s", i, d)
				}
			}
			return ""
		}
	case reflect.Float64:
		if fmt.Sprint(a.Float()) == fmt.Sprint(b.Float()) {
			return ""
		}
	default:
		if a.Interface() == b.Interface() {
			return ""
		}
	}
	if a.Kind() == reflect.Pointer && a.IsNil() && b.IsNil() {
		return ""
	}
	return fmt.Sprintf("%#v and %#v", a, b)
}

// TestCompactCodeDoesWhatStraightCodeDoes has one definition in both forms: for equal values they write the same bytes
// or find the same fault, and they read the same values or faults from the same bytes, whole, cut and damaged.
func TestCompactCodeDoesWhatStraightCodeDoes(t *testing.T) {
	encoded, refused, decoded, broken := 0, 0, 0, 0
	used := NewEverything()
	for version := range int16(11) { // one more than there are
		for seed := range uint64(2000) {
			rng := rand.New(rand.NewPCG(seed, uint64(version)))
			straight, compact := NewEverything(), NewCompact()
			if seed%2 == 0 {
				fill(rng, reflect.ValueOf(straight).Elem())
			} else if version < 10 {
				whole := example(t, func() Message { return NewEverything() }, version, seed)
				if err := decode(straight, whole, version, 1<<20); err != nil {
					t.Fatal(err)
				}
			}
			convert(reflect.ValueOf(straight).Elem(), reflect.ValueOf(compact).Elem())
			one, other := NewWriter(nil), NewWriter(nil)
			straight.Encode(one, version)
			compact.Encode(other, version)
			if alike(one.Err()) != alike(other.Err()) || one.Err() == nil && !bytes.Equal(one.Bytes(), other.Bytes()) {
				t.Fatalf("version %d seed %d: %v and %v\n%x\n%x", version, seed, one.Err(), other.Err(), one.Bytes(), other.Bytes())
			}
			if one.Err() != nil {
				refused++
				continue
			}
			encoded++
			b := one.Bytes()
			switch rng.IntN(3) {
			case 1:
				b = b[:rng.IntN(len(b))]
			case 2:
				b[rng.IntN(len(b))] = byte(rng.Uint64())
			}
			if err := decode(used, b, version, 1<<16); err == nil { // into what the messages before left there
				again := NewWriter(nil)
				used.Encode(again, version)
				straight = NewEverything()
				want := NewWriter(nil)
				if err := decode(straight, b, version, 1<<16); err != nil {
					t.Fatal(err)
				}
				straight.Encode(want, version)
				if !bytes.Equal(again.Bytes(), want.Bytes()) {
					t.Fatalf("version %d seed %d: decoded once more it is\n%x\nnot\n%x", version, seed, again.Bytes(), want.Bytes())
				}
			}
			straight = NewEverything()
			err := decode(straight, b, version, 1<<16)
			if again := decode(compact, b, version, 1<<16); alike(err) != alike(again) {
				t.Fatalf("version %d seed %d: %v and %v\n%x", version, seed, err, again, b)
			}
			if err != nil {
				broken++
				continue
			}
			decoded++
			same := NewCompact()
			convert(reflect.ValueOf(straight).Elem(), reflect.ValueOf(same).Elem())
			if d := difference(reflect.ValueOf(same), reflect.ValueOf(compact)); d != "" {
				t.Fatalf("version %d seed %d: %s\n%x", version, seed, d, b)
			}
		}
	}
	if min(encoded, refused, decoded, broken) < 500 {
		t.Errorf("%d encoded, %d refused, %d decoded, %d broken", encoded, refused, decoded, broken)
	}
}

// alike is an error without what compact code words otherwise: names of types, and where a tagged field went wrong.
func alike(err error) string {
	text := strings.ReplaceAll(fmt.Sprint(err), "Compact", "Everything")
	if strings.Contains(text, "in the tagged field") {
		return "in the tagged field"
	}
	return text
}

// convert copies a value to another type of the same structure.
func convert(from, to reflect.Value) {
	switch {
	case from.Type() == to.Type():
		to.Set(from)
	case from.Kind() == reflect.Pointer:
		to.SetZero()
		if !from.IsNil() {
			to.Set(reflect.New(to.Type().Elem()))
			convert(from.Elem(), to.Elem())
		}
	case from.Kind() == reflect.Slice:
		to.SetZero()
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(to.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				convert(from.Index(i), to.Index(i))
			}
		}
	default:
		for i := range from.NumField() {
			convert(from.Field(i), to.Field(i))
		}
	}
}
