package segment

import (
	"fmt"
	"strconv"
	"strings"
)

// MetaProperties says whose log directory this is.
type MetaProperties struct {
	Version   int // Kafka writes 1
	ClusterID string
	NodeID    int32
	Directory [16]byte // zeros: it has none
}

// EncodeMetaProperties returns the content of meta.properties. Requires: the cluster's id is printable ASCII.
func EncodeMetaProperties(m MetaProperties) []byte {
	p := fmt.Appendf(nil, "version=%d\ncluster.id=%s\nnode.id=%d\n", m.Version, escapeProperty(m.ClusterID), m.NodeID)
	if m.Directory != ([16]byte{}) {
		p = fmt.Appendf(p, "directory.id=%s\n", encodeID(m.Directory))
	}
	return p
}

// DecodeMetaProperties reads meta.properties of versions from 1 on: what a version means is for the caller to say. Errors:
// ErrInvalid, ErrVersion.
func DecodeMetaProperties(p []byte) (MetaProperties, error) {
	var m MetaProperties
	values, err := parseProperties(string(p))
	if err != nil {
		return m, err
	}
	m.Version, err = strconv.Atoi(values["version"])
	if err != nil {
		return m, propertyError(values, "version", "no version")
	}
	if m.Version < 1 {
		return m, fmt.Errorf("%s: %w: %d", MetaPropertiesFile, ErrVersion, m.Version)
	}
	node, err := strconv.ParseInt(values["node.id"], 10, 32)
	if err != nil || node < 0 {
		return m, propertyError(values, "node.id", "no node's id")
	}
	m.NodeID, m.ClusterID = int32(node), values["cluster.id"]
	if m.ClusterID == "" {
		return m, propertyError(values, "cluster.id", "no cluster's id")
	}
	if text, ok := values["directory.id"]; ok {
		if m.Directory, ok = decodeID(text); !ok {
			return m, propertyError(values, "directory.id", "no directory's id")
		}
	}
	return m, nil
}

func propertyError(values map[string]string, name, wrong string) error {
	return fmt.Errorf("%s: %w: %s is %q, %s", MetaPropertiesFile, ErrInvalid, name, values[name], wrong)
}

// parseProperties reads lines NAME=VALUE, as Java writes them: it escapes with backslashes, and its comments begin with
// '#'. Lines that go on in the next one it reads but never writes; here they are errors.
func parseProperties(text string) (map[string]string, error) {
	values := make(map[string]string)
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, lineError(MetaPropertiesFile, number, line, "it has no '='")
		}
		value, ok = unescapeProperty(strings.TrimSpace(value))
		if !ok {
			return nil, lineError(MetaPropertiesFile, number, line, "it has an escape that is not read here")
		}
		values[strings.TrimSpace(name)] = value
	}
	return values, nil
}

// escapeProperty puts a backslash before what Java would take for something else.
func escapeProperty(value string) string {
	var text strings.Builder
	for i := range len(value) {
		if strings.IndexByte(`\:=#! `, value[i]) >= 0 {
			text.WriteByte('\\')
		}
		text.WriteByte(value[i])
	}
	return text.String()
}

// unescapeProperty takes the backslashes away. Escapes for characters that are not printable ASCII it does not know.
func unescapeProperty(text string) (string, bool) {
	var value strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++
			if i == len(text) || strings.IndexByte("utnrf", text[i]) >= 0 {
				return "", false
			}
		}
		value.WriteByte(text[i])
	}
	return value.String(), true
}
