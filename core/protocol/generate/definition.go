package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// versions is an inclusive range.
type versions struct{ min, max int }

// open is the end of a range written 3+.
const open = math.MaxInt16

func (v versions) contains(version int) bool { return v.min <= version && version <= v.max }
func (v versions) empty() bool               { return v.min > v.max }

func (v versions) within(o versions) versions {
	return versions{max(v.min, o.min), min(v.max, o.max)}
}

// none is a range that contains nothing.
func none() versions { return versions{1, 0} }

// definition is one file.
type definition struct {
	kind       string // api, record, control, key, value, data or header
	topic      string // of keys and values: the internal topic
	key        int
	name       string
	versions   versions
	flexible   versions
	advertised versions
	hot        bool         // worth straight code
	messages   []*structure // request and response, or the one
}

// structure becomes a Go struct.
type structure struct {
	name    string
	fields  []*field
	message *definition // of top-level structs
	def     *definition
	reach   versions // in which the struct occurs
	element bool     // of an array
}

// field becomes a field of one.
type field struct {
	message    *definition
	name       string
	typ        string     // without []
	array      bool       // of typ
	structure  *structure // if typ names one
	versions   versions
	nullable   versions
	def        string // as written; "" is Kafka's zero
	tag        int    // -1: not tagged
	inflexible bool
	ignorable  bool
}

// parse reads one definition file: one definition, or those of an internal topic's key and value.
func parse(text string) ([]*definition, error) {
	p := &parser{structs: map[string]*structure{}}
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimRight(line, " ")
		if line == "" {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if p.def == nil {
		return nil, fmt.Errorf("empty")
	}
	for _, d := range p.defs {
		if len(d.messages) == 0 {
			return nil, fmt.Errorf("%s is missing", d.name)
		}
		for _, m := range d.messages {
			if err := m.finish(); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range p.structs {
		if len(s.fields) == 0 {
			return nil, fmt.Errorf("struct %s has no fields", s.name)
		}
	}
	return p.defs, nil
}

// finish narrows the versions of a message's fields to those in which their structs occur.
func (s *structure) finish() error {
	s.reach = s.def.versions
	s.reaches()
	for _, s := range structures(s) {
		for _, f := range s.fields {
			f.versions = f.versions.within(s.reach)
			f.nullable = f.nullable.within(f.versions)
			if err := f.checkLeast(); err != nil {
				return err
			}
		}
	}
	return nil
}

// reaches works out in which versions the structs below s occur: those of the fields that have them, where the struct
// with the field occurs.
func (s *structure) reaches() {
	for _, f := range s.fields {
		if sub := f.structure; sub != nil {
			v := f.versions.within(s.reach)
			if !sub.reach.empty() {
				v = versions{min(sub.reach.min, v.min), max(sub.reach.max, v.max)}
			}
			sub.reach = v
			sub.reaches()
		}
	}
}

type parser struct {
	defs    []*definition
	def     *definition  // the one that fields belong to
	stack   []*structure // the structs a field may belong to, outermost first
	structs map[string]*structure
}

func (p *parser) line(line string) error {
	words := strings.Fields(line)
	indent := len(line) - len(strings.TrimLeft(line, " "))
	switch {
	case p.def == nil:
		return p.head(words)
	case indent == 0 && p.def.kind == "api" && (line == "request" || line == "response"):
		p.message(p.def.name + strings.ToUpper(line[:1]) + line[1:])
		return nil
	case indent == 0 && p.def.topic != "" && (line == "key" || line == "value"):
		p.def = p.defs[map[string]int{"key": 0, "value": 1}[line]]
		p.message(p.def.name)
		return nil
	case indent == 0 || indent%2 != 0 || indent/2 > len(p.stack):
		return fmt.Errorf("%q stands at the wrong depth", words[0])
	}
	p.stack = p.stack[:indent/2]
	f, err := p.field(words)
	if err != nil {
		return err
	}
	owner := p.stack[len(p.stack)-1]
	for _, other := range owner.fields {
		if other.name == f.name {
			return fmt.Errorf("%s has the field %s twice", owner.name, f.name)
		}
		if other.tag >= 0 && other.tag == f.tag {
			return fmt.Errorf("%s has tag %d twice", owner.name, f.tag)
		}
	}
	owner.fields = append(owner.fields, f)
	if f.structure != nil && len(f.structure.fields) == 0 {
		p.stack = append(p.stack, f.structure)
	}
	return nil
}

// head reads the first line.
func (p *parser) head(words []string) error {
	d := &definition{kind: words[0], key: -1, flexible: none()}
	words = words[1:]
	switch d.kind {
	case "api", "record", "control":
		key, err := strconv.Atoi(words[0])
		if err != nil {
			return err
		}
		d.key, words = key, words[1:]
	case "internal":
		key, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		d.topic, d.key, words = words[0], key, words[2:]
	case "header", "data":
	default:
		return fmt.Errorf("unknown kind %q", d.kind)
	}
	d.name = words[0]
	var err error
	if d.versions, err = parseVersions(words[1]); err != nil {
		return err
	}
	d.advertised = d.versions
	words, d.hot = withoutHot(words)
	for words = words[2:]; len(words) > 1; words = words[2:] {
		v, err := parseVersions(words[1])
		if err != nil {
			return err
		}
		switch words[0] {
		case "flexible":
			d.flexible = v
		case "advertised":
			d.advertised = versions{v.min, d.versions.max}
		default:
			return fmt.Errorf("unknown word %q", words[0])
		}
	}
	p.def, p.defs = d, []*definition{d}
	switch d.kind {
	case "api":
	case "internal":
		// A key has a single version, 0, which is not flexible.
		key := &definition{kind: "key", topic: d.topic, key: d.key, name: d.name + "Key", flexible: none()}
		d.kind, d.name = "value", d.name+"Value"
		p.defs = []*definition{key, d}
	default:
		p.message(d.name)
	}
	return nil
}

// withoutHot takes that word, which may end the line, away.
func withoutHot(words []string) ([]string, bool) {
	if last := len(words) - 1; words[last] == "hot" {
		return words[:last], true
	}
	return words, false
}

func (p *parser) message(name string) {
	s := &structure{name: name, message: p.def, def: p.def}
	p.def.messages = append(p.def.messages, s)
	p.stack = []*structure{s}
}

// field reads a field's line.
func (p *parser) field(words []string) (*field, error) {
	if len(p.stack) == 0 || len(words) < 2 {
		return nil, fmt.Errorf("%q is not a field", strings.Join(words, " "))
	}
	f := &field{message: p.def, name: words[0], versions: p.def.versions, nullable: none(), tag: -1}
	f.typ, f.array = strings.TrimPrefix(words[1], "[]"), strings.HasPrefix(words[1], "[]")
	words = words[2:]
	if len(words) > 0 && isVersions(words[0]) {
		v, err := parseVersions(words[0])
		if err != nil {
			return nil, err
		}
		f.versions, words = v.within(p.def.versions), words[1:]
	}
	if err := f.options(words); err != nil {
		return nil, err
	}
	if f.typ[0] >= 'A' && f.typ[0] <= 'Z' {
		if p.structs[f.typ] == nil {
			p.structs[f.typ] = &structure{name: f.typ, def: p.def, reach: none()}
		}
		f.structure = p.structs[f.typ]
		f.structure.element = f.structure.element || f.array
	}
	return f, p.check(f)
}

func (f *field) options(words []string) error {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch word {
		case "ignorable":
			f.ignorable = true
		case "inflexible":
			f.inflexible = true
		case "null":
			f.nullable = f.versions
			if len(words) > 0 && isVersions(words[0]) {
				v, err := parseVersions(words[0])
				if err != nil {
					return err
				}
				f.nullable, words = v.within(f.versions), words[1:]
			}
		case "=", "tag":
			if len(words) == 0 {
				return fmt.Errorf("nothing after %q", word)
			}
			if word == "=" {
				f.def = words[0]
			} else if tag, err := strconv.Atoi(words[0]); err != nil {
				return err
			} else {
				f.tag = tag
			}
			words = words[1:]
		default:
			return fmt.Errorf("unknown word %q", word)
		}
	}
	return nil
}

// check refuses what the notation can say and the generator does not do, or what cannot be meant.
func (p *parser) check(f *field) error {
	basic := f.structure == nil
	switch {
	case basic && !known(f.typ):
		return fmt.Errorf("%s: unknown type %q", f.name, f.typ)
	case f.array && (f.typ == "records" || f.typ == "bytes"):
		return fmt.Errorf("%s: arrays of %s are not done", f.name, f.typ)
	case f.tag >= 0 && f.typ == "records":
		return fmt.Errorf("%s: tagged records would have to be moved", f.name)
	case f.tag >= 0 && f.versions.within(p.def.flexible) != f.versions:
		return fmt.Errorf("%s: tagged where the message is not flexible", f.name)
	case f.versions.empty():
		return fmt.Errorf("%s: in no version of the message", f.name)
	case !f.nullable.empty() && !f.canBeNull():
		return fmt.Errorf("%s: a %s cannot be null", f.name, f.typ)
	case f.def == "null" && f.nullable.empty():
		return fmt.Errorf("%s: null by default, but never null", f.name)
	case f.nullStruct() && f.nullable != f.versions:
		return fmt.Errorf("%s: a struct that may be null may be so in all its versions", f.name)
	case f.inflexible && f.typ != "string":
		return fmt.Errorf("%s: only strings are inflexible", f.name)
	}
	return nil
}

// checkLeast refuses arrays whose elements may take no bytes: their number could not be checked against anything.
func (f *field) checkLeast() error {
	for v := f.versions.min; f.array && v <= f.versions.max; v++ {
		if f.leastElem(v) == 0 {
			return fmt.Errorf("%s: an element takes no bytes in version %d", f.name, v)
		}
	}
	return nil
}

func (f *field) canBeNull() bool {
	return f.array || f.structure != nil || f.typ == "string" || f.typ == "bytes" || f.typ == "records"
}

func known(typ string) bool {
	_, ok := basics()[typ]
	return ok
}

func isVersions(word string) bool { return word[0] >= '0' && word[0] <= '9' }

func parseVersions(word string) (versions, error) {
	first, last, isRange := strings.Cut(word, "-")
	if rest, ok := strings.CutSuffix(word, "+"); ok {
		n, err := strconv.Atoi(rest)
		return versions{n, open}, err
	}
	v := versions{}
	var err error
	if v.min, err = strconv.Atoi(first); err != nil {
		return v, err
	}
	v.max = v.min
	if isRange {
		v.max, err = strconv.Atoi(last)
	}
	return v, err
}
