package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"barnabas/core/protocol"
	"barnabas/core/storage"
)

// showItem writes an item in a line: its kind, and names and values. What is damaged comes last, in capitals.
func showItem(to io.Writer, i storage.Item) error {
	var b strings.Builder
	kind := i.Kind
	if i.Within {
		kind = "  " + kind
	}
	fmt.Fprintf(&b, "%-10s", kind)
	for _, f := range i.Fields {
		fmt.Fprintf(&b, "  %s %s", f.Name, valueText(f.Value))
	}
	if i.Wrong != "" {
		fmt.Fprintf(&b, "  DAMAGED: %s", i.Wrong)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(to, b.String())
	return err
}

// valueText is a value in a line. Texts are shown as they are, but for the empty one.
func valueText(value any) string {
	switch v := value.(type) {
	case string:
		if v == "" {
			return `""`
		}
		return v
	case bool:
		if v {
			return "yes"
		}
		return "no"
	}
	return strings.TrimPrefix(fmt.Sprintf("%+v", value), "&")
}

// showItemJSON writes an item as an object in a line, its fields in their order.
func showItemJSON(to io.Writer, i storage.Item) error {
	fields := append([]storage.Field{{Name: "item", Value: i.Kind}}, i.Fields...)
	if i.Wrong != "" {
		fields = append(fields, storage.Field{Name: "damaged", Value: i.Wrong})
	}
	p := []byte{'{'}
	for n, f := range fields {
		if n > 0 {
			p = append(p, ',')
		}
		p = append(appendJSON(p, jsonName(f.Name)), ':')
		p = appendJSON(p, f.Value)
	}
	_, err := to.Write(append(p, "}\n"...))
	return err
}

// jsonName is a field's name as one word.
func jsonName(name string) string {
	return strings.ReplaceAll(strings.TrimSuffix(name, ":"), " ", "_")
}

// appendJSON appends a value. A message is a text: its ids would be lists of numbers.
func appendJSON(p []byte, value any) []byte {
	if m, ok := value.(protocol.Message); ok {
		value = valueText(m)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Appendf(p, "%q", err)
	}
	return append(p, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
