package main

// basic is what the generator knows of a type that is not a struct.
type basic struct {
	goType string
	method string // of Reader and Writer, for those that need neither length nor null
	least  int    // encoded bytes at least, in versions that are not flexible
	size   int    // bytes in memory, on 64-bit machines
	align  int
}

func basics() map[string]basic {
	return map[string]basic{
		"bool":    {"bool", "Bool", 1, 1, 1},
		"int8":    {"int8", "Int8", 1, 1, 1},
		"int16":   {"int16", "Int16", 2, 2, 2},
		"uint16":  {"uint16", "Uint16", 2, 2, 2},
		"error":   {"Error", "Error", 2, 2, 2},
		"int32":   {"int32", "Int32", 4, 4, 4},
		"uint32":  {"uint32", "Uint32", 4, 4, 4},
		"int64":   {"int64", "Int64", 8, 8, 8},
		"float64": {"float64", "Float64", 8, 8, 8},
		"uuid":    {"UUID", "UUID", 16, 16, 1},
		"string":  {"string", "", 2, 16, 8},
		"bytes":   {"[]byte", "", 4, 24, 8},
		"records": {"Records", "", 4, 48, 8},
	}
}

// goType is the field's type in Go.
func (f *field) goType() string {
	t := f.elemType()
	if f.array {
		t = "[]" + t
	}
	return t
}

// elemType is the type of the field, or of the array's elements.
func (f *field) elemType() string {
	switch {
	case f.nullStruct():
		return "*" + f.structure.name
	case f.structure != nil:
		return f.structure.name
	case f.nullString():
		return "NullString"
	}
	return basics()[f.typ].goType
}

func (f *field) nullString() bool { return f.typ == "string" && !f.array && !f.nullable.empty() }

// nullStruct tells whether the field is a pointer to its struct.
func (f *field) nullStruct() bool { return f.structure != nil && !f.array && !f.nullable.empty() }

// elemSize is the memory one element takes, which is what an array is charged for.
func (f *field) elemSize() (size, align int) {
	if f.nullStruct() {
		return 8, 8
	}
	if f.structure != nil {
		return f.structure.size()
	}
	if f.nullString() {
		return 24, 8
	}
	b := basics()[f.typ]
	return b.size, b.align
}

// size lays a struct out as Go does.
func (s *structure) size() (size, align int) {
	align = 1
	for _, f := range s.fields {
		n, a := f.elemSize()
		if f.array {
			n, a = 24, 8
		}
		size = (size+a-1)/a*a + n
		align = max(align, a)
	}
	return (size + align - 1) / align * align, align
}

// leastElem is the least encoded size of the field, or of one element of it.
func (f *field) leastElem(version int) int {
	flexible := f.flexibleIn(version)
	if f.nullStruct() {
		return 1 // whether there is one
	}
	if f.structure != nil {
		return f.structure.least(version, flexible)
	}
	if flexible && basics()[f.typ].method == "" {
		return 1
	}
	return basics()[f.typ].least
}

func (f *field) flexibleIn(version int) bool {
	return f.message.flexible.contains(version) && !f.inflexible
}

// least is the least encoded size of a struct.
func (s *structure) least(version int, flexible bool) int {
	n := 0
	if flexible {
		n = 1 // the number of tagged fields
	}
	for _, f := range s.fields {
		switch {
		case !f.versions.contains(version) || f.tag >= 0:
		case f.array && flexible:
			n++
		case f.array:
			n += 4
		default:
			n += f.leastElem(version)
		}
	}
	return n
}
