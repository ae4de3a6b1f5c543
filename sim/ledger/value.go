package ledger

import (
	"encoding/binary"
	"fmt"
)

// Value is one record of the run.
type Value struct {
	Producer uint32
	Number   uint32
}

func (v Value) String() string { return fmt.Sprintf("%d/%d", v.Producer, v.Number) }

// ValueBytes is the least size of an encoded value.
const ValueBytes = 16

// valueMagic tells a value from anything else that might be read.
const valueMagic = 0xba12aba5ba12aba5

// Encode writes the value to p, which has at least ValueBytes; the rest of p is filling.
func (v Value) Encode(p []byte) {
	binary.BigEndian.PutUint64(p, valueMagic)
	binary.BigEndian.PutUint32(p[8:], v.Producer)
	binary.BigEndian.PutUint32(p[12:], v.Number)
}

// Decode reads a value.
func Decode(p []byte) (Value, bool) {
	if len(p) < ValueBytes || binary.BigEndian.Uint64(p) != valueMagic {
		return Value{}, false
	}
	return Value{binary.BigEndian.Uint32(p[8:]), binary.BigEndian.Uint32(p[12:])}, true
}
