package segment

import "fmt"

// EncodeCleanShutdown returns the content of .kafka_cleanshutdown: a log directory that has this file was left in order,
// by a broker with this epoch.
func EncodeCleanShutdown(brokerEpoch int64) []byte {
	return fmt.Appendf(nil, `{"version":0,"brokerEpoch":%d}`, brokerEpoch)
}

// DecodeCleanShutdown reads .kafka_cleanshutdown and returns the broker's epoch, −1 from the empty file of earlier
// versions. Later versions are read too, as Kafka does. Errors: ErrInvalid.
func DecodeCleanShutdown(p []byte) (brokerEpoch int64, err error) {
	if len(p) == 0 {
		return -1, nil
	}
	fields, err := parseObject(string(p))
	if err != nil {
		return -1, fmt.Errorf("%s: %w", CleanShutdownFile, err)
	}
	brokerEpoch, err = fields.number("brokerEpoch", 64)
	if err != nil {
		return -1, fmt.Errorf("%s: %w", CleanShutdownFile, err)
	}
	return brokerEpoch, nil
}

// EncodeSignedShutdown is EncodeCleanShutdown with a signature: Kafka reads past a field it does not know, and puts a file
// of its own in place of this one. Requires: the signature needs no escapes.
func EncodeSignedShutdown(brokerEpoch int64, signature string) []byte {
	return fmt.Appendf(nil, `{"version":0,"brokerEpoch":%d,"journal":"%s"}`, brokerEpoch, signature)
}

// ShutdownSignature returns the signature of .kafka_cleanshutdown, "" if it has none.
func ShutdownSignature(p []byte) string {
	fields, err := parseObject(string(p))
	if err != nil {
		return ""
	}
	s := scanner{text: fields["journal"]}
	signature, _ := s.plainString()
	return signature
}
