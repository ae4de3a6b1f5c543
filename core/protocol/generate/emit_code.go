package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// condition is a Go expression on version, given that version is within all; "" is always, "false" never.
func (v versions) condition(all versions) string {
	v = v.within(all)
	switch {
	case v.empty():
		return "false"
	case v == all:
		return ""
	case v.max == all.max:
		return fmt.Sprintf("version >= %d", v.min)
	case v.min == all.min:
		return fmt.Sprintf("version <= %d", v.max)
	case v.min == v.max:
		return fmt.Sprintf("version == %d", v.min)
	}
	return fmt.Sprintf("version >= %d && version <= %d", v.min, v.max)
}

// outside is the opposite.
func (v versions) outside(all versions) string {
	v = v.within(all)
	switch {
	case v.max == all.max:
		return fmt.Sprintf("version < %d", v.min)
	case v.min == all.min:
		return fmt.Sprintf("version > %d", v.max)
	}
	return fmt.Sprintf("(version < %d || version > %d)", v.min, v.max)
}

// group puts a condition in parentheses where it stands beside another.
func group(condition string) string {
	if strings.Contains(condition, "||") {
		return "(" + condition + ")"
	}
	return condition
}

// expr is the condition as an argument.
func (v versions) expr(all versions) string {
	if c := v.condition(all); c != "" {
		return c
	}
	return "true"
}

func (f *field) flexible() string {
	if f.inflexible {
		return "false"
	}
	return "flexible"
}

// usesVersion tells whether the code of a struct, without its messages' check, looks at version.
func (s *structure) usesVersion() bool {
	if f := s.def.flexible.condition(s.reach); f != "" && f != "false" {
		return true
	}
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

func (s *structure) head(e *emitter, method, with string) {
	d := s.def
	if s.message != nil {
		e.p("// %s implements [Message].", method)
		e.p("func (m *%s) %s(%s, version int16) {", s.name, method, with)
		e.p("if version < %d || version > %d {", d.versions.min, d.versions.max)
		e.p("%c.badVersion(%q, version)\nreturn\n}", with[0], s.name)
	} else {
		version := "version"
		if !s.usesVersion() {
			version = "_"
		}
		e.p("func (m *%s) %s(%s, %s int16) {", s.name, method, with, version)
	}
}

// withFlexible writes what body writes, and before it what flexible is, if body looks at it.
func (e *emitter) withFlexible(s *structure, body func()) {
	before := e.Len()
	body()
	text := string(e.Bytes()[before:])
	if !strings.Contains(text, "flexible") {
		return
	}
	e.Truncate(before)
	if c := s.def.flexible.expr(s.reach); c == "true" || c == "false" {
		e.p("const flexible = %s", c)
	} else {
		e.p("flexible := %s", c)
	}
	e.WriteString(text)
}

// tagged returns the tagged fields in the order of their tags.
func (s *structure) tagged() []*field {
	var list []*field
	for _, f := range s.fields {
		if f.tag >= 0 {
			list = append(list, f)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].tag < list[j].tag })
	return list
}

// when writes body under a condition on version.
func (e *emitter) when(condition string, body func()) {
	if condition == "" {
		body()
		return
	}
	e.p("if %s {", condition)
	body()
	e.p("}")
}

func (e *emitter) encode(s *structure) {
	method := "encode"
	if s.message != nil {
		method = "Encode"
	}
	s.head(e, method, "w *Writer")
	e.withFlexible(s, func() { e.encodeFields(s) })
	e.p("}\n")
}

func (e *emitter) encodeFields(s *structure) {
	all := s.reach
	for _, f := range s.fields {
		condition := f.versions.condition(all)
		if f.tag < 0 {
			e.when(condition, func() { e.encodeField(s, f, f.nullable.expr(f.versions.within(all))) })
		}
		if condition != "" && !f.ignorable {
			if f.tag < 0 {
				e.Truncate(e.Len() - 1)
				e.p(" else if %s {", f.lost())
			} else {
				e.p("if %s && %s {", f.versions.outside(all), group(f.lost()))
			}
			e.p("w.absent(%q, version)\n}", s.name+"."+f.name)
		}
	}
	e.encodeTags(s)
}

// lost is the condition that dropping the field loses something. Null and empty strings and arrays are alike here.
func (f *field) lost() string {
	if f.nullString() && f.def == "" {
		return fmt.Sprintf("!m.%s.empty()", f.name)
	}
	if f.array && f.def == "" {
		return fmt.Sprintf("len(m.%s) > 0", f.name)
	}
	return f.notDefault()
}

func (e *emitter) encodeTags(s *structure) {
	condition := s.def.flexible.condition(s.reach)
	if condition == "false" {
		return
	}
	if condition != "" {
		condition = "flexible"
	}
	e.when(condition, func() {
		list := s.tagged()
		if len(list) == 0 {
			e.p("w.Uvarint(0)")
			return
		}
		e.p("tags := uint32(0)")
		for _, f := range list {
			e.when(f.sent(s), func() { e.p("tags++") })
		}
		e.p("w.Uvarint(tags)")
		for _, f := range list {
			e.when(f.sent(s), func() {
				e.p("start := w.beginTag(%d)", f.tag)
				e.encodeField(s, f, f.nullable.expr(f.versions))
				e.p("w.endTag(start)")
			})
		}
	})
}

// sent is the condition that a tagged field is sent, in a flexible version.
func (f *field) sent(s *structure) string {
	all := s.reach.within(f.message.flexible)
	if c := f.versions.within(all).condition(all); c != "" {
		return c + " && " + group(f.notDefault())
	}
	return f.notDefault()
}

func (e *emitter) encodeField(s *structure, f *field, nullable string) {
	x, where := "m."+f.name, s.name+"."+f.name
	flexible := f.flexible()
	if !f.array {
		switch {
		case f.nullStruct():
			e.p("if w.Present(%s != nil) {\n%s.encode(w, version)\n}", x, x)
		case f.structure != nil:
			e.p("%s.encode(w, version)", x)
		case f.nullString():
			e.p("w.NullString(%s, %s, %s, %q)", flexible, nullable, x, where)
		case f.typ == "string":
			e.p("w.String(%s, %s, %q)", flexible, x, where)
		case f.typ == "bytes":
			e.p("w.BytesField(%s, %s, %s)", flexible, nullable, x)
		case f.typ == "records":
			e.p("w.Records(%s, %s, %s)", flexible, nullable, x)
		default:
			e.p("w.%s(%s)", basics()[f.typ].method, x)
		}
		return
	}
	if f.nullable.empty() {
		e.p("w.Length(%s, len(%s))", flexible, x)
	} else {
		e.p("w.ArrayLen(%s, %s, %s == nil, len(%s), %q)", flexible, nullable, x, x, where)
	}
	switch {
	case f.structure != nil:
		e.p("for i := range %s {\n%s[i].encode(w, version)\n}", x, x)
	case f.typ == "string":
		e.p("for _, v := range %s {\nw.String(%s, v, %q)\n}", x, flexible, where)
	default:
		e.p("for _, v := range %s {\nw.%s(v)\n}", x, basics()[f.typ].method)
	}
}

func (e *emitter) decode(s *structure) {
	method := "decode"
	if s.message != nil {
		method = "Decode"
	}
	s.head(e, method, "r *Reader")
	if s.keeps() {
		e.p("m.again()")
	} else if s.message != nil || s.hasDefault() {
		e.p("m.Default()")
	}
	e.withFlexible(s, func() { e.decodeFields(s) })
	e.p("}\n")
}

// kept tells whether a field's array is decoded into again.
func (f *field) kept() bool { return f.array && f.tag < 0 && f.nullable.empty() }

// keeps tells whether a struct has arrays that are decoded into again.
func (s *structure) keeps() bool {
	return slices.ContainsFunc(s.fields, (*field).kept)
}

// again writes the method that makes a struct ready to be decoded into once more.
func (e *emitter) again(s *structure) {
	if !s.keeps() {
		return
	}
	e.p("// again is Default, but for the memory of arrays: they are decoded into once more.")
	e.p("func (m *%s) again() {", s.name)
	var names, kept []string
	for _, f := range s.fields {
		if f.kept() {
			names = append(names, "m."+f.name)
			kept = append(kept, "m."+f.name+"[:0]")
		}
	}
	at := make([]string, len(names))
	for i := range at {
		at[i] = fmt.Sprintf("kept%d", i)
	}
	e.p("%s := %s", strings.Join(at, ", "), strings.Join(kept, ", "))
	if s.message != nil || s.hasDefault() {
		e.p("m.Default()")
	} else {
		e.p("*m = %s{}", s.name)
	}
	e.p("%s = %s", strings.Join(names, ", "), strings.Join(at, ", "))
	e.p("}\n")
}

func (e *emitter) decodeFields(s *structure) {
	all := s.reach
	for _, f := range s.fields {
		if f.tag < 0 {
			e.when(f.versions.condition(all), func() { e.decodeField(s, f, f.nullable.expr(f.versions.within(all))) })
		}
	}
	if condition := s.def.flexible.condition(all); condition != "false" {
		if condition != "" {
			condition = "flexible"
		}
		e.when(condition, func() { e.decodeTags(s) })
	}
}

func (e *emitter) decodeTags(s *structure) {
	list := s.tagged()
	if len(list) == 0 {
		e.p("r.skipTags(%q)", s.name)
		return
	}
	all := s.reach.within(s.def.flexible)
	e.p("for n := r.tags(%q); n > 0 && r.err == nil; n-- {", s.name)
	e.p("tag, outer := r.enterTag(%q)", s.name)
	e.p("switch {")
	for _, f := range list {
		condition := fmt.Sprintf("tag == %d", f.tag)
		if c := f.versions.within(all).condition(all); c != "" {
			condition += " && " + c
		}
		e.p("case %s:", condition)
		e.decodeField(s, f, f.nullable.expr(f.versions))
		e.p("r.leaveTag(outer, %q)", s.name+"."+f.name)
	}
	e.p("default:\nr.skipTag(outer)\n}\n}")
}

func (e *emitter) decodeField(s *structure, f *field, nullable string) {
	x, where := "m."+f.name, s.name+"."+f.name
	flexible := f.flexible()
	if !f.array {
		switch {
		case f.nullStruct():
			size, _ := f.structure.size()
			e.p("%s = nil\nif r.Present(%d, %q) {", x, size, where)
			e.p("%s = new(%s)\n%s.decode(r, version)\n}", x, f.structure.name, x)
		case f.structure != nil:
			e.p("%s.decode(r, version)", x)
		case f.nullString():
			e.p("%s = r.NullString(%s, %s, %q)", x, flexible, nullable, where)
		case f.typ == "string":
			e.p("%s = r.String(%s, %q)", x, flexible, where)
		case f.typ == "bytes":
			e.p("%s = r.Bytes(%s, %s, %q)", x, flexible, nullable, where)
		case f.typ == "records":
			e.p("%s = r.Records(%s, %s, %q)", x, flexible, nullable, where)
		default:
			e.p("%s = r.%s(%q)", x, basics()[f.typ].method, where)
		}
		return
	}
	size, _ := f.elemSize()
	canBeNull := !f.nullable.empty()
	if canBeNull {
		e.p("%s = nil", x)
	}
	e.p("if n := r.ArrayLen(%s, %s, %s, %d, %q); n %s 0 {", flexible, nullable, f.leastExpr("flexible"), size, where,
		map[bool]string{true: ">=", false: ">"}[canBeNull])
	if f.kept() {
		e.p("%s = again(%s, n)", x, x)
	} else {
		e.p("%s = make([]%s, n)", x, f.elemType())
	}
	e.p("for i := range %s {", x)
	switch {
	case f.structure != nil:
		e.p("%s[i].decode(r, version)", x)
		e.p("if r.err != nil {\nreturn\n}")
	case f.typ == "string":
		e.p("%s[i] = r.String(%s, %q)", x, flexible, where)
		e.p("if r.err != nil {\nreturn\n}")
	default:
		e.p("%s[i] = r.%s(%q)", x, basics()[f.typ].method, where)
	}
	e.p("}\n}")
}

// leastExpr is the least encoded size of an element, as a Go expression.
func (f *field) leastExpr(flexible string) string {
	if s := f.structure; s != nil {
		if size := s.leastSize; constant(s.reach, size) {
			return fmt.Sprint(size(s.reach.min))
		}
		return fmt.Sprintf("least%s(version)", s.name)
	}
	if f.typ == "string" && !f.inflexible {
		return "leastString(" + flexible + ")"
	}
	return fmt.Sprint(basics()[f.typ].least)
}
