package linearizability

// The errors of the protocol that answer a produce request and say for certain that nothing was appended, by this request
// or by an earlier one with the same batch of a client that sends it once. Everything else is open: a broker may have
// appended before it found out (NOT_LEADER_OR_FOLLOWER from a parked request, REQUEST_TIMED_OUT,
// NOT_ENOUGH_REPLICAS_AFTER_APPEND), and a repeat of a batch that is there may be refused for another reason.
var definite = map[int16]bool{
	2:  true, // CORRUPT_MESSAGE
	10: true, // MESSAGE_TOO_LARGE
	17: true, // INVALID_TOPIC_EXCEPTION
	18: true, // RECORD_LIST_TOO_LARGE
	19: true, // NOT_ENOUGH_REPLICAS: before the append; after it there is another error
	21: true, // INVALID_REQUIRED_ACKS
	29: true, // TOPIC_AUTHORIZATION_FAILED
	35: true, // UNSUPPORTED_VERSION
	42: true, // INVALID_REQUEST
	43: true, // UNSUPPORTED_FOR_MESSAGE_FORMAT
	76: true, // UNSUPPORTED_COMPRESSION_TYPE
	87: true, // INVALID_RECORD
}

// OutcomeOf returns what an answer to a produce request with this error code says of it. The send as a whole has Failed
// only if every request that carried it has.
func OutcomeOf(code int16) Outcome {
	switch {
	case code == 0:
		return OK
	case definite[code]:
		return Failed
	default:
		return Unknown
	}
}
