package segment

import (
	"bytes"
	"errors"
	"testing"
)

// decodings are what can be read here: each decodes, and encodes what it got.
var decodings = []func([]byte) ([]byte, error){
	func(p []byte) ([]byte, error) { v, err := DecodeEpochs(p); return EncodeEpochs(v), err },
	func(p []byte) ([]byte, error) { v, err := DecodeOffsets("offsets", p); return EncodeOffsets(v), err },
	func(p []byte) ([]byte, error) {
		v, err := DecodePartitionMetadata(p)
		return EncodePartitionMetadata(v), err
	},
	func(p []byte) ([]byte, error) { v, err := DecodeCleanShutdown(p); return EncodeCleanShutdown(v), err },
	func(p []byte) ([]byte, error) { v, err := DecodeQuorumState(p); return EncodeQuorumState(v), err },
	func(p []byte) ([]byte, error) { v, err := DecodeMetaProperties(p); return EncodeMetaProperties(v), err },
	func(p []byte) ([]byte, error) { v, err := DecodeProducers(p); return EncodeProducers(v), err },
	func(p []byte) ([]byte, error) {
		v, err := ParseFolder(string(p))
		if err != nil {
			return nil, err
		}
		return []byte(v.String()), nil
	},
	func(p []byte) ([]byte, error) {
		v, ok := ParseFileName(string(p))
		if !ok {
			return nil, ErrInvalid
		}
		return []byte(v.String()), nil
	},
	func(p []byte) ([]byte, error) {
		v, err := ParseKafkaIndex(7, 4096, p, nil)
		return v.OffsetBytes(0), err
	},
	func(p []byte) ([]byte, error) { v, err := ParseKafkaIndex(7, 4096, nil, p); return v.TimeBytes(0), err },
}

// FuzzDecode reads damaged files of all formats. None may panic, an error is of a known kind, and what was read is read
// again after it was written.
func FuzzDecode(f *testing.F) {
	for i, content := range []string{
		"0\n2\n0 0\n2 23000\n", "0\n1\nplain 1 2637\n", "version: 0\ntopic_id: J8aAPcfLQt2bqs1JT_rMgQ",
		`{"version":0,"brokerEpoch":123}`,
		`{"leaderId":-1,"leaderEpoch":2,"votedId":1,"votedDirectoryId":"J8aAPcfLQt2bqs1JT_rMgQ","data_version":1}`,
		"version=1\ncluster.id=c\\:\nnode.id=1\ndirectory.id=J8aAPcfLQt2bqs1JT_rMgQ\n",
		string(EncodeProducers([]ProducerState{{1000, 3, 7, 99, 4, 1_700_000_000_000, 2, 95}})),
		"a.b-1.0123456789abcdef-delete", "00000000000000000012.timeindex.swap",
		string(words(1, 10, 2, 20, 0, 0)), string(words(0, 7, 1, 0, 9, 2, 0, 0, 0)),
	} {
		f.Add(uint8(i), []byte(content))
	}
	f.Fuzz(func(t *testing.T, format uint8, p []byte) {
		decode := decodings[int(format)%len(decodings)]
		written, err := decode(p)
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrVersion) {
				t.Fatalf("%q: %v is of no known kind", p, err)
			}
			return
		}
		again, err := decode(written)
		if err != nil || !bytes.Equal(again, written) {
			t.Fatalf("%q is written %q, and that %q %v", p, written, again, err)
		}
	})
}
