package record

import "encoding/binary"

// logAppendTime is the attribute of a batch whose max timestamp the broker set.
const logAppendTime Attributes = 8

// Stamp gives a batch the timestamp type and the max timestamp that its topic wants, and the checksum that goes with them.
// It and Repack change what the CRC covers; nothing else does.
func Stamp(batch []byte, h *Header, byBroker bool, maxTimestamp int64) {
	attributes := h.Attributes &^ logAppendTime
	if byBroker {
		attributes |= logAppendTime
	}
	if attributes == h.Attributes && maxTimestamp == h.MaxTimestamp {
		return
	}
	h.Attributes, h.MaxTimestamp = attributes, maxTimestamp
	binary.BigEndian.PutUint16(batch[21:], uint16(attributes))
	binary.BigEndian.PutUint64(batch[35:], uint64(maxTimestamp))
	seal(batch[:h.Length], h)
}

// Repack makes batch one that holds its records with another codec. batch begins with the header as h says; what follows
// the header are the records as the codec made them.
func Repack(batch []byte, h *Header, codec int) {
	h.Attributes = h.Attributes&^7 | Attributes(codec)
	h.Length = len(batch)
	binary.BigEndian.PutUint32(batch[8:], uint32(len(batch)-lengthBefore))
	binary.BigEndian.PutUint16(batch[21:], uint16(h.Attributes))
	seal(batch, h)
}

func seal(batch []byte, h *Header) {
	h.CRC = Checksum(batch[21:])
	binary.BigEndian.PutUint32(batch[17:], h.CRC)
}

// HasDeleteHorizon says whether the base timestamp is a time of deletion, which only a cleaner sets.
func (a Attributes) HasDeleteHorizon() bool { return a&64 != 0 }
