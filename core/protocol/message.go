package protocol

// Message is a request, a response, a header, a metadata record or a control record.
type Message interface {
	// APIKey is the API key, the metadata record's id, or the control record's type; -1 for headers.
	APIKey() int16
	// Default sets every field to Kafka's default.
	Default()
	// Encode appends the message to w. A value that the version cannot carry is the writer's error, unless Kafka
	// lets it be dropped.
	Encode(w *Writer, version int16)
	// Decode sets every field, to Kafka's default where the version has none. The reader's error says whether it
	// went well; after one the message is not to be used.
	Decode(r *Reader, version int16)
}
