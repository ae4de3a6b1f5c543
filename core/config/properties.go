package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Properties reads a properties file as Java does: `key=value`, `key: value` or `key value` a line; lines that begin
// with # or ! are comments; a backslash at the end of a line goes on in the next one; \t, \n, \r, \f, \uXXXX and a
// backslash before any other character stand for what they say. file names the text in errors and origins.
func Properties(file, text string) ([]Pair, error) {
	var pairs []Pair
	text = strings.TrimPrefix(text, "\uFEFF") // some editors begin a file with it
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	for i := 0; i < len(lines); i++ {
		line := trimLeft(lines[i])
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		at := Origin{Source: FromFile, Name: file, Line: i + 1}
		for goesOn(line) {
			line = line[:len(line)-1]
			if i++; i == len(lines) {
				break
			}
			line += trimLeft(lines[i])
		}
		pair, err := readProperty(line, at)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", at, err)
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

const blanks = " \t\f"

func trimLeft(line string) string { return strings.TrimLeft(line, blanks) }

// goesOn says whether a line ends with a backslash that is not itself escaped.
func goesOn(line string) bool {
	slashes := len(line) - len(strings.TrimRight(line, `\`))
	return slashes%2 == 1
}

func readProperty(line string, at Origin) (Pair, error) {
	end := keyEnd(line)
	key, err := unescape(line[:end])
	if err != nil {
		return Pair{}, err
	}
	if key == "" {
		return Pair{}, fmt.Errorf("no name before %q; write name=value", line)
	}
	rest := trimLeft(line[end:])
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = trimLeft(rest[1:])
	}
	value, err := unescape(rest)
	return Pair{Name: key, Value: value, Origin: at}, err
}

// keyEnd is where the key ends: at the first separator that no backslash precedes.
func keyEnd(line string) int {
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			i++
		case strings.IndexByte("=:"+blanks, line[i]) >= 0:
			return i
		}
	}
	return len(line)
}

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] != 'u' {
			b.WriteByte(escaped(s[i]))
			continue
		}
		code, err := strconv.ParseUint(s[i+1:min(i+5, len(s))], 16, 16)
		if err != nil || i+5 > len(s) {
			return "", fmt.Errorf(`%q: \u takes four hexadecimal digits`, s[i-1:min(i+5, len(s))])
		}
		b.Write(utf8.AppendRune(nil, rune(code)))
		i += 4
	}
	return b.String(), nil
}

func escaped(c byte) byte {
	switch c {
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 'f':
		return '\f'
	default:
		return c
	}
}
