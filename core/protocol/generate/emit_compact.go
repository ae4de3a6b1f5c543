package main

import (
	"fmt"
)

// Messages that are not hot are described to a coder by one method, code, which both encodes and decodes: a third of
// the instructions, for a few nanoseconds a field. See coder.go in the package.

// compact writes the methods of such a struct.
func (e *emitter) compact(s *structure) {
	d := s.def
	if s.message != nil {
		flexible := d.flexible.expr(d.versions)
		for _, m := range []struct{ name, with string }{{"Encode", "w *Writer"}, {"Decode", "r *Reader"}} {
			e.p("// %s implements [Message].", m.name)
			e.p("func (m *%s) %s(%s, version int16) {", s.name, m.name, m.with)
			if m.name == "Decode" {
				e.p("m.Default()")
			}
			e.p("if c := (coder{%c: %c, flexible: %s}); c.has(%q, version, %d, %d) {", m.with[0], m.with[0], flexible,
				s.name, d.versions.min, d.versions.max)
			e.p("m.code(&c, version)\n}\n}\n")
		}
	}
	version := "version"
	if !s.usesVersionCompact() {
		version = "_"
	}
	e.p("func (m *%s) code(c *coder, %s int16) {", s.name, version)
	for _, f := range s.fields {
		e.compactOne(s, f)
	}
	e.compactTags(s)
	e.p("}\n")
}

func (e *emitter) compactOne(s *structure, f *field) {
	all := s.reach
	condition := f.versions.condition(all)
	if f.tag < 0 {
		e.when(condition, func() { e.compactField(s, f, f.nullable.expr(f.versions.within(all))) })
	}
	if condition == "" || f.ignorable {
		return
	}
	if f.tag < 0 {
		e.Truncate(e.Len() - 1)
		e.p(" else if %s {", f.lost())
	} else {
		e.p("if %s && %s {", f.versions.outside(all), group(f.lost()))
	}
	e.p("c.absent(%q, version)\n}", s.name+"."+f.name)
}

// usesVersionCompact tells whether the method looks at version.
func (s *structure) usesVersionCompact() bool {
	for _, f := range s.fields {
		if f.versions.condition(s.reach) != "" || f.structure != nil {
			return true
		}
		if !f.nullable.empty() && f.nullable.within(f.versions) != f.versions {
			return true
		}
	}
	return false
}

func (e *emitter) compactTags(s *structure) {
	condition := s.def.flexible.condition(s.reach)
	if condition == "false" {
		return
	}
	list := s.tagged()
	if len(list) == 0 {
		e.p("c.noTags(%q)", s.name)
		return
	}
	e.when("c.flexible", func() {
		e.p("sent := uint64(0)")
		for _, f := range list {
			e.when(f.sent(s), func() { e.p("sent |= 1 << %d", f.tag) })
		}
		all := s.reach.within(s.def.flexible)
		e.p("for t := c.tags(sent, %q); t.next(c); {\nswitch {", s.name)
		for _, f := range list {
			condition := fmt.Sprintf("t.tag == %d", f.tag)
			if c := f.versions.within(all).condition(all); c != "" {
				condition += " && " + c
			}
			e.p("case %s:", condition)
			e.compactField(s, f, f.nullable.expr(f.versions))
		}
		e.p("default:\nt.skip(c)\n}\n}")
	})
}

func (e *emitter) compactField(s *structure, f *field, nullable string) {
	x, where := "m."+f.name, s.name+"."+f.name
	if f.array {
		e.compactArray(f, x, where, nullable)
		return
	}
	switch {
	case f.nullStruct():
		size, _ := f.structure.size()
		e.p("if c.present(%s != nil, %d, %q) {", x, size, where)
		e.p("if %s == nil {\n%s = new(%s)", x, x, f.structure.name)
		if f.structure.hasDefaults() {
			e.p("%s.Default()", x)
		}
		e.p("}\n%s.code(c, version)", x)
		if f.def != "null" {
			e.p("} else {\n%s = nil", x)
		}
		e.p("}")
	case f.structure != nil:
		e.p("%s.code(c, version)", x)
	case f.nullString():
		e.p("c.nullString(&%s, %t, %s, %q)", x, f.inflexible, nullable, where)
	case f.typ == "string" && f.inflexible:
		e.p("c.oldString(&%s, %q)", x, where)
	case f.typ == "string":
		e.p("c.string(&%s, %q)", x, where)
	case f.typ == "bytes", f.typ == "records":
		e.p("c.%s(&%s, %s, %q)", f.typ, x, nullable, where)
	default:
		e.p("c.%s(&%s, %q)", f.typ, x, where)
	}
}

func (e *emitter) compactArray(f *field, x, where, nullable string) {
	size, _ := f.elemSize()
	least := f.leastExpr("c.flexible")
	if f.nullable.empty() {
		e.p("if n := c.array(len(%s), %s, %d, %q); n > 0 {", x, least, size, where)
	} else {
		e.p("if n := c.nullArray(len(%s), %s == nil, %s, %s, %d, %q); n >= 0 {", x, x, nullable, least, size, where)
	}
	e.p("%s = make([]%s, n)", x, f.elemType())
	if f.structure != nil && f.structure.hasDefaults() {
		e.p("for i := range %s {\n%s[i].Default()\n}", x, x)
	}
	if f.zero() != "" {
		e.p("} else if n == gotNull {\n%s = nil", x)
	}
	e.p("}")
	e.p("for i := range %s {", x)
	switch {
	case f.structure != nil:
		e.p("if %s[i].code(c, version); c.failed() {\nreturn\n}", x)
	case f.typ == "string" && f.inflexible:
		e.p("c.oldString(&%s[i], %q)", x, where)
	default:
		e.p("c.%s(&%s[i], %q)", f.typ, x, where)
	}
	e.p("}")
}

// hasDefaults tells whether some default is not Go's zero.
func (s *structure) hasDefaults() bool {
	for _, f := range s.fields {
		if f.zero() != "" || f.structure != nil && !f.array && !f.nullStruct() && f.structure.hasDefaults() {
			return true
		}
	}
	return false
}
