package protocol

import (
	"encoding/binary"
	"fmt"
)

// InternalTopic is one of the topics in which coordinators keep their state. The key of a record there begins with its
// type, its value with the value's version, both of them int16.
type InternalTopic int8

const (
	ConsumerOffsets  InternalTopic = iota // __consumer_offsets
	TransactionState                      // __transaction_state
	ShareGroupState                       // __share_group_state
)

// String is the topic's name.
func (t InternalTopic) String() string {
	switch t {
	case ConsumerOffsets:
		return "__consumer_offsets"
	case TransactionState:
		return "__transaction_state"
	case ShareGroupState:
		return "__share_group_state"
	}
	return fmt.Sprintf("internal topic %d", int8(t))
}

// internalBudget bounds what decoding one key or value may allocate.
const internalBudget = 64 << 20

// UnknownTypeError is about a key of a type that is not known here. A coordinator passes over such records: a later
// version has written them, and its operators went back.
type UnknownTypeError struct {
	Topic InternalTopic
	Type  int16
}

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("%s has no records of type %d", e.Topic, e.Type)
}

// RecordType is a type of records of an internal topic, and the versions of their values.
type RecordType struct {
	Key      int16
	Name     string
	Min, Max int16
}

// Types yields the topic's types of records by ascending key.
func (t InternalTopic) Types(yield func(RecordType) bool) {
	for key := range int16(maxInternalKey + 1) {
		m, least, greatest := t.newValue(key)
		if m != nil && !yield(RecordType{key, internalName(m), least, greatest}) {
			return
		}
	}
}

func (t InternalTopic) newKey(typ int16) (m Message, least, greatest int16) {
	switch t {
	case ConsumerOffsets:
		return newConsumerOffsetsKey(typ)
	case TransactionState:
		return newTransactionStateKey(typ)
	case ShareGroupState:
		return newShareGroupStateKey(typ)
	}
	return nil, 0, 0
}

func (t InternalTopic) newValue(typ int16) (m Message, least, greatest int16) {
	switch t {
	case ConsumerOffsets:
		return newConsumerOffsetsValue(typ)
	case TransactionState:
		return newTransactionStateValue(typ)
	case ShareGroupState:
		return newShareGroupStateValue(typ)
	}
	return nil, 0, 0
}

// AppendKey appends a record's key to dst: its type, and the message.
func AppendKey(dst []byte, key Message) ([]byte, error) {
	w := Writer{buf: binary.BigEndian.AppendUint16(dst, uint16(key.APIKey()))}
	key.Encode(&w, 0)
	if w.err != nil {
		return dst, w.err
	}
	return w.buf, nil
}

// AppendVersioned appends a version to dst, and the message encoded at it: the value of an internal topic's record, what
// a consumer's protocol carries ([ConsumerProtocolSubscription], [ConsumerProtocolAssignment]), or an [EndTxnMarker].
func AppendVersioned(dst []byte, m Message, version int16) ([]byte, error) {
	w := Writer{buf: binary.BigEndian.AppendUint16(dst, uint16(version))}
	m.Encode(&w, version)
	if w.err != nil {
		return dst, w.err
	}
	return w.buf, nil
}

// DecodeKey reads a record's key; its type is the message's APIKey. A type that is not known is an [UnknownTypeError].
func (t InternalTopic) DecodeKey(b []byte) (Message, error) {
	r := NewReader(b, internalBudget)
	typ := r.Int16("key.type")
	if r.err != nil {
		return nil, r.err
	}
	m, _, _ := t.newKey(typ)
	if m == nil {
		return nil, &UnknownTypeError{Topic: t, Type: typ}
	}
	m.Decode(r, 0)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return m, nil
}

// DecodeValue reads the value that belongs to a key of type typ, and tells at which version it was written.
func (t InternalTopic) DecodeValue(typ int16, b []byte) (Message, int16, error) {
	m, _, _ := t.newValue(typ)
	if m == nil {
		return nil, 0, &UnknownTypeError{Topic: t, Type: typ}
	}
	version, err := DecodeVersioned(m, b)
	if err != nil {
		return nil, 0, err
	}
	return m, version, nil
}

// DecodeVersioned reads a version and then m at that version. See [AppendVersioned].
func DecodeVersioned(m Message, b []byte) (int16, error) {
	r := NewReader(b, internalBudget)
	version := r.Int16("version")
	if r.err == nil {
		m.Decode(r, version)
	}
	return version, r.Done()
}
