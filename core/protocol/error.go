package protocol

import "strconv"

// Error is one of Kafka's error codes, as answers carry them. [ErrNone] is none; see [Error.Err].
type Error int16

type errorRow struct {
	name      string
	message   string
	retriable bool
}

func (e Error) row() (errorRow, bool) {
	i := int(e) + 1
	if i < 0 || i >= len(errorTable) {
		return errorRow{}, false
	}
	return errorTable[i], true
}

// Known tells whether Kafka 4.3 has the code.
func (e Error) Known() bool {
	_, ok := e.row()
	return ok
}

// Name is Kafka's name of the code, such as NOT_CONTROLLER.
func (e Error) Name() string {
	if row, ok := e.row(); ok {
		return row.name
	}
	return "error " + strconv.Itoa(int(e))
}

// Message says what the code means. Answers that carry an error message may carry this one.
func (e Error) Message() string {
	row, _ := e.row()
	return row.message
}

// Retriable tells whether Kafka's clients try again by themselves.
func (e Error) Retriable() bool {
	row, _ := e.row()
	return row.retriable
}

// Err is e as an error, nil for ErrNone.
func (e Error) Err() error {
	if e == ErrNone {
		return nil
	}
	return e
}

// Error is the code's name and meaning.
func (e Error) Error() string {
	if m := e.Message(); m != "" {
		return e.Name() + ": " + m
	}
	return e.Name()
}
