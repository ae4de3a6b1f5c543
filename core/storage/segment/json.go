package segment

import (
	"fmt"
	"strconv"
)

// object is a JSON object whose values were not looked into: the text of each by its name.
type object map[string]string

// nestedMax bounds how deep values may be nested; the files known have at most 2.
const nestedMax = 8

// parseObject reads a JSON object. Names must be plain: without escapes, and each there once. The error says at which
// byte the text stops being one.
func parseObject(text string) (object, error) {
	s := scanner{text: text}
	fields := make(object)
	ok := s.take('{')
	for ok && !s.take('}') {
		if len(fields) > 0 && !s.take(',') {
			ok = false
			break
		}
		name, isString := s.plainString()
		if !isString || !s.take(':') {
			ok = false
			break
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("%w: field %q is there twice", ErrInvalid, name)
		}
		s.skipSpace()
		begin := s.at
		ok = s.skipValue(0)
		fields[name] = text[begin:s.at]
	}
	s.skipSpace()
	if !ok || s.at != len(text) {
		return nil, fmt.Errorf("%w: no JSON object at byte %d", ErrInvalid, s.at)
	}
	return fields, nil
}

// number returns a field that is a number of at most so many bits.
func (o object) number(name string, bits int) (int64, error) {
	n, err := strconv.ParseInt(o[name], 10, bits)
	if err != nil {
		return 0, fmt.Errorf("%w: field %q is %q, no number of %d bits", ErrInvalid, name, o[name], bits)
	}
	return n, nil
}

// atLeast returns a field that is a number of 32 bits and not below the least.
func (o object) atLeast(name string, least int32) (int32, error) {
	n, err := o.number(name, 32)
	if err == nil && n < int64(least) {
		err = fmt.Errorf("%w: field %q is %d", ErrInvalid, name, n)
	}
	return int32(n), err
}

// id returns a field that is an id.
func (o object) id(name string) ([16]byte, error) {
	s := scanner{text: o[name]}
	text, _ := s.plainString()
	id, ok := decodeID(text)
	if !ok {
		return id, fmt.Errorf("%w: field %q is %q, no id", ErrInvalid, name, o[name])
	}
	return id, nil
}

// scanner walks over a JSON text.
type scanner struct {
	text string
	at   int
}

func (s *scanner) skipSpace() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t' || s.text[s.at] == '\n' || s.text[s.at] == '\r') {
		s.at++
	}
}

// take skips the character, if it comes next.
func (s *scanner) take(c byte) bool {
	s.skipSpace()
	if s.at == len(s.text) || s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}

// plainString takes a string and returns what is between the quotes, if it has no escapes.
func (s *scanner) plainString() (string, bool) {
	s.skipSpace()
	begin := s.at
	if !s.skipString() {
		return "", false
	}
	inner := s.text[begin+1 : s.at-1]
	for i := range len(inner) {
		if inner[i] == '\\' {
			return "", false
		}
	}
	return inner, true
}

func (s *scanner) skipString() bool {
	if !s.take('"') {
		return false
	}
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		if c == '"' {
			return true
		}
		if c == '\\' && s.at < len(s.text) {
			s.at++
		}
	}
	return false
}

// skipValue takes a value of any kind. Inside arrays and objects it only counts: nobody reads what they hold.
func (s *scanner) skipValue(depth int) bool {
	s.skipSpace()
	if s.at == len(s.text) || depth > nestedMax {
		return false
	}
	switch s.text[s.at] {
	case '"':
		return s.skipString()
	case '{', '[':
		return s.skipNested(depth)
	}
	begin := s.at
	for s.at < len(s.text) && literal(s.text[s.at]) {
		s.at++
	}
	return s.at > begin
}

func (s *scanner) skipNested(depth int) bool {
	closing := byte('}')
	if s.text[s.at] == '[' {
		closing = ']'
	}
	s.at++
	for first := true; !s.take(closing); first = false {
		if !first && !s.take(',') {
			return false
		}
		if closing == '}' && (!s.skipString() || !s.take(':')) {
			return false
		}
		if !s.skipValue(depth + 1) {
			return false
		}
	}
	return true
}

func literal(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '+' || c == '.'
}
