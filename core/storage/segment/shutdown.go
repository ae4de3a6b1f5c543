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
