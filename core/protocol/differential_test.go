package protocol

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// franz-go's kmsg is the oracle of this file: written by others, from the same protocol.

// kmsgLacks lists what kmsg cannot judge, so that a version it does not know fails unless it is named here. Golden
// files cover these.
var kmsgLacks = map[string]string{
	"ResponseHeader": "written and read by kgo itself, not by kmsg",
}

func TestKmsgKnowsEveryVersion(t *testing.T) {
	lacks := map[string]string{}
	if _, ok := reflect.TypeOf(kmsg.RequestFormatter{}).MethodByName("ReadFrom"); !ok {
		lacks["ResponseHeader"] = kmsgLacks["ResponseHeader"]
	}
	for api := range APIs {
		for kind, known := range map[string]interface{ MaxVersion() int16 }{
			"Request": kmsg.RequestForKey(api.Key), "Response": kmsg.ResponseForKey(api.Key),
		} {
			if known == nil || reflect.ValueOf(known).IsNil() {
				lacks[api.Name+kind] = "all"
			} else if known.MaxVersion() < api.Max {
				lacks[api.Name+kind] = fmt.Sprintf("%d-%d", known.MaxVersion()+1, api.Max)
			}
		}
	}
	if !reflect.DeepEqual(lacks, kmsgLacks) {
		t.Errorf("kmsg lacks %v, the table says %v", lacks, kmsgLacks)
	}
}

type kmsgMessage interface {
	SetVersion(int16)
	AppendTo([]byte) []byte
	ReadFrom([]byte) error
}

// TestEveryKeyAndVersionEncodesAsKmsgDoes fills every field of ours, hands the value to kmsg, and lets kmsg encode and
// decode it at each version. What comes back holds what that version carries, and kmsg's defaults elsewhere: ours must
// encode it to the same bytes, without an error, and decode those bytes to the same value.
func TestEveryKeyAndVersionEncodesAsKmsgDoes(t *testing.T) {
	const seeds = 200
	compared := 0
	for api := range APIs {
		for version := api.Min; version <= api.Max; version++ {
			pairs := []struct {
				kind   string
				ours   func(int16) Message
				theirs func() kmsgMessage
			}{
				{"Request", NewRequest, func() kmsgMessage { return kmsg.RequestForKey(api.Key) }},
				{"Response", NewResponse, func() kmsgMessage { return kmsg.ResponseForKey(api.Key) }},
			}
			for _, p := range pairs {
				t.Run(fmt.Sprintf("%s%s_v%d", api.Name, p.kind, version), func(t *testing.T) {
					for seed := range uint64(seeds) {
						compare(t, version, seed, p.ours(api.Key), p.ours(api.Key), p.theirs(), p.theirs())
						compared++
					}
				})
			}
		}
	}
	// Kafka 4.3 has 89 keys, with so many versions in all.
	if want := 301 * 2 * seeds; compared != want && !t.Failed() {
		t.Errorf("compared %d messages, not %d", compared, want)
	}
	fields := 0
	for key, list := range kmsgFieldsFound {
		if fields += len(list); key[0].NumField() != len(list) {
			t.Errorf("%s has %d fields, of which %d were compared", key[0].Name(), key[0].NumField(), len(list))
		}
	}
	if want := 1589; fields != want && !t.Failed() {
		t.Errorf("compared %d fields, not %d", fields, want)
	}
}

func compare(t *testing.T, version int16, seed uint64, m, again Message, theirs, back kmsgMessage) {
	t.Helper()
	fill(rand.New(rand.NewPCG(seed, uint64(version))), reflect.ValueOf(m).Elem())
	theirs.SetVersion(version)
	back.SetVersion(version)
	toKmsg(t, reflect.ValueOf(m).Elem(), reflect.ValueOf(theirs).Elem())
	if err := back.ReadFrom(theirs.AppendTo(nil)); err != nil {
		t.Fatalf("seed %d: kmsg does not read what it wrote: %v", seed, err)
	}
	m.Default()
	fromKmsg(t, reflect.ValueOf(back).Elem(), reflect.ValueOf(m).Elem())
	removeUnjudged(version, reflect.ValueOf(m).Elem())
	toKmsg(t, reflect.ValueOf(m).Elem(), reflect.ValueOf(back).Elem())
	want := back.AppendTo(nil)

	w := NewWriter(nil)
	m.Encode(w, version)
	if w.Err() != nil {
		t.Fatalf("seed %d: %v\n%+v", seed, w.Err(), m)
	}
	if got := w.Bytes(); !bytes.Equal(got, want) {
		t.Fatalf("seed %d: %+v\nours\n%s\nkmsg's\n%s", seed, m, hex.Dump(got), hex.Dump(want))
	}
	if w.Len() != len(want) {
		t.Fatalf("seed %d: Len is %d, not %d", seed, w.Len(), len(want))
	}
	r := NewReader(want, 1<<20)
	again.Decode(r, version)
	if err := r.Done(); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	flatten(reflect.ValueOf(m).Elem())
	flatten(reflect.ValueOf(again).Elem())
	if d := difference(reflect.ValueOf(again), reflect.ValueOf(m)); d != "" {
		t.Fatalf("seed %d: %s\ndecoded\n%+v\nnot\n%+v", seed, d, again, m)
	}
}

// fill sets every field to something random, small and varied: defaults, nulls and empty ones often.
func fill(rng *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		bits := v.Type().Bits()
		switch rng.IntN(4) {
		case 0: // as it is
		case 1:
			v.SetInt(int64(rng.IntN(4) - 2))
		default:
			v.SetInt(int64(rng.Uint64()) >> (64 - bits))
		}
	case reflect.Uint16, reflect.Uint32:
		v.SetUint(rng.Uint64() & 0xffff)
	case reflect.Float64:
		v.SetFloat(rng.NormFloat64())
	case reflect.String:
		v.SetString(randomText(rng))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(rng.Uint64() & 0xff)
		}
	case reflect.Slice:
		n := rng.IntN(4)
		if rng.IntN(40) == 0 {
			n = 130 // beyond what one byte of a compact length tells
		}
		if n == 3 {
			v.SetZero()
			return
		}
		if v.Type().Elem().Kind() == reflect.Struct && n > 3 && rng.IntN(4) > 0 {
			n = 2
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			if v.Type().Elem().Kind() == reflect.Uint8 {
				v.Index(i).SetUint(rng.Uint64() & 0xff)
				continue
			}
			if d, ok := v.Index(i).Addr().Interface().(interface{ Default() }); ok {
				d.Default()
			}
			fill(rng, v.Index(i))
		}
	case reflect.Struct:
		switch s := v.Addr().Interface().(type) {
		case *NullString:
			*s = NullString{}
			if rng.IntN(3) > 0 {
				*s = String(randomText(rng))
			}
		case *Records:
			*s = Records{}
			fill(rng, reflect.ValueOf(&s.Bytes).Elem())
		default:
			for i := range v.NumField() {
				if v.Field(i).Kind() == reflect.Struct && rng.IntN(2) == 0 {
					continue // a tagged struct left at its default
				}
				fill(rng, v.Field(i))
			}
		}
	case reflect.Pointer:
		v.SetZero()
		if rng.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			if d, ok := v.Interface().(interface{ Default() }); ok {
				d.Default()
			}
			fill(rng, v.Elem())
		}
	default:
		panic(v.Kind().String())
	}
}

func randomText(rng *rand.Rand) string {
	return strings.Repeat("kafka-é"[:rng.IntN(6)], 1+rng.IntN(2)*rng.IntN(60))
}

// kmsgFields says which of kmsg's fields stand where ours do. Fields of one name (in any case) are the same; the others,
// which kmsg names in its own way, are in the same order. Every field has its counterpart, or the types differ.
func kmsgFields(t *testing.T, ours, theirs reflect.Type) []int {
	key := [2]reflect.Type{ours, theirs}
	if fields, ok := kmsgFieldsFound[key]; ok {
		return fields
	}
	left := []int{}
	for j := range theirs.NumField() {
		name := theirs.Field(j).Name
		if name != "Version" && name != "UnknownTags" && !kmsgAhead[theirs.Name()+"."+name] {
			left = append(left, j)
		}
	}
	if len(left) != ours.NumField() {
		t.Fatalf("%s has %d fields, kmsg's %s %d", ours.Name(), ours.NumField(), theirs.Name(), len(left))
	}
	fields := make([]int, ours.NumField())
	var unnamed []int
	for i := range ours.NumField() {
		at := slices.IndexFunc(left, func(j int) bool {
			return strings.EqualFold(theirs.Field(j).Name, ours.Field(i).Name)
		})
		if at < 0 {
			unnamed = append(unnamed, i)
			continue
		}
		fields[i] = left[at]
		left = slices.Delete(left, at, at+1)
	}
	for at, i := range unnamed {
		fields[i] = left[at]
	}
	kmsgFieldsFound[key] = fields
	return fields
}

// kmsgFieldsFound keeps what kmsgFields found, by both types.
var kmsgFieldsFound = map[[2]reflect.Type][]int{}

// kmsgUnjudged lists the fields that kmsg does not keep to their versions, with these: it sends and takes the tagged ones
// in all flexible versions, and its defaults of the others are not Kafka's.
var kmsgUnjudged = map[string][2]int16{
	"ProduceResponse.NodeEndpoints":                            {10, 13}, // tagged
	"PartitionProduceResponse.CurrentLeader":                   {10, 13}, // tagged
	"FetchRequest.ReplicaState":                                {15, 18}, // tagged
	"FetchPartition.ReplicaDirectoryId":                        {17, 18}, // tagged
	"FetchPartition.HighWatermark":                             {18, 18}, // tagged
	"FetchResponse.NodeEndpoints":                              {16, 18}, // tagged
	"MetadataRequest.AllowAutoTopicCreation":                   {4, 13},  // true in Kafka
	"ListOffsetsRequest.TimeoutMs":                             {10, 11}, // 0 in Kafka
	"FindCoordinatorResponse.ErrorMessage":                     {1, 3},   // empty in Kafka
	"DescribeConfigsResourceResult.Documentation":              {3, 4},   // empty in Kafka
	"DeleteTopicState.Name":                                    {6, 6},
	"CreateDelegationTokenRequest.OwnerPrincipalType":          {3, 3}, // empty in Kafka
	"CreateDelegationTokenRequest.OwnerPrincipalName":          {3, 3}, // empty in Kafka
	"DescribeQuorumResponse.ErrorMessage":                      {2, 2}, // empty in Kafka
	"DescribeQuorumResponsePartitionData.ErrorMessage":         {2, 2}, // empty in Kafka
	"FeatureUpdateKey.UpgradeType":                             {1, 2}, // 1 in Kafka
	"VoteResponse.NodeEndpoints":                               {1, 2}, // tagged
	"FetchSnapshotRequestPartitionSnapshot.ReplicaDirectoryId": {1, 1}, // tagged
	"FetchSnapshotResponse.NodeEndpoints":                      {1, 1}, // tagged
	"BrokerHeartbeatRequest.OfflineLogDirs":                    {1, 2}, // tagged
	"BrokerHeartbeatRequest.CordonedLogDirs":                   {2, 2}, // tagged
}

// kmsgNulls lists the records that kmsg lets be null, and Kafka does not.
var kmsgNulls = map[string]bool{"ShareFetchPartitionData.Records": true}

// removeUnjudged sets those fields to Kafka's defaults in the versions that lack them.
func removeUnjudged(version int16, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		fresh := reflect.New(v.Type())
		if d, ok := fresh.Interface().(interface{ Default() }); ok {
			d.Default()
		}
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			if r, ok := v.Field(i).Addr().Interface().(*Records); ok && kmsgNulls[name] && r.Null() {
				r.Bytes = []byte{}
			}
			if in, ok := kmsgUnjudged[name]; ok && (version < in[0] || version > in[1]) {
				v.Field(i).Set(fresh.Elem().Field(i))
			}
			removeUnjudged(version, v.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			removeUnjudged(version, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			removeUnjudged(version, v.Index(i))
		}
	}
}

// kmsgAhead lists the fields of versions that Kafka 4.3 does not have.
var kmsgAhead = map[string]bool{
	"ApiVersionsRequest.ClusterID":                                true, // 5
	"ApiVersionsRequest.NodeID":                                   true, // 5
	"DescribeConfigsResponseResourceConfig.IsDefault":             true, // 0
	"ListOffsetsRequestTopicPartition.MaxNumOffsets":              true, // 0
	"ListOffsetsResponseTopicPartition.OldStyleOffsets":           true, // 0
	"AlterPartitionRequestTopic.Topic":                            true, // 0-1
	"AlterPartitionResponseTopic.Topic":                           true, // 0-1
	"OffsetCommitRequestTopicPartition.Timestamp":                 true, // 1
	"DeleteGroupsResponseGroup.ErrorMessage":                      true, // 3
	"ShareFetchRequestTopicPartition.PartitionMaxBytes":           true, // 0
	"TxnOffsetCommitRequestTopic.TopicID":                         true, // 6
	"TxnOffsetCommitResponseTopic.TopicID":                        true, // 6
	"StreamsGroupDescribeRequest.IncludeTopologyDescription":      true, // 1
	"StreamsGroupDescribeResponseGroup.TopologyDescription":       true, // 1
	"StreamsGroupDescribeResponseGroup.TopologyDescriptionStatus": true, // 1
	"StreamsGroupDescribeResponseGroup.AssignorName":              true, // 1
	"StreamsGroupHeartbeatResponse.AcceptableRecoveryLag":         true, // 1
	"StreamsGroupHeartbeatResponse.TopologyDescriptionRequired":   true, // 1
}

// toKmsg copies a value of ours to kmsg's.
func toKmsg(t *testing.T, ours, theirs reflect.Value) {
	switch s := ours.Interface().(type) {
	case NullString:
		switch {
		case theirs.Kind() == reflect.String:
			theirs.SetString(s.Value)
		case s.Valid:
			theirs.Set(reflect.ValueOf(&s.Value))
		default:
			theirs.SetZero()
		}
		return
	case Records:
		theirs.SetBytes(s.Bytes)
		return
	}
	switch ours.Kind() {
	case reflect.Pointer:
		if ours.IsNil() {
			theirs.SetZero()
			return
		}
		theirs.Set(reflect.New(theirs.Type().Elem()))
		toKmsg(t, ours.Elem(), theirs.Elem())
	case reflect.Struct:
		for i, j := range kmsgFields(t, ours.Type(), theirs.Type()) {
			toKmsg(t, ours.Field(i), theirs.Field(j))
		}
	case reflect.Slice:
		if ours.IsNil() {
			theirs.SetZero()
			return
		}
		theirs.Set(reflect.MakeSlice(theirs.Type(), ours.Len(), ours.Len()))
		for i := range ours.Len() {
			toKmsg(t, ours.Index(i), theirs.Index(i))
		}
	case reflect.String:
		if theirs.Kind() == reflect.Pointer {
			s := ours.String()
			theirs.Set(reflect.ValueOf(&s))
			return
		}
		theirs.Set(ours.Convert(theirs.Type()))
	default:
		theirs.Set(ours.Convert(theirs.Type()))
	}
}

// fromKmsg copies back.
func fromKmsg(t *testing.T, theirs, ours reflect.Value) {
	switch s := ours.Addr().Interface().(type) {
	case *NullString:
		switch {
		case theirs.Kind() == reflect.String:
			*s = String(theirs.String())
		case theirs.IsNil():
			*s = NullString{}
		default:
			*s = String(theirs.Elem().String())
		}
		return
	case *Records:
		*s = Records{Bytes: theirs.Bytes()}
		return
	}
	switch ours.Kind() {
	case reflect.Pointer:
		if theirs.IsNil() {
			ours.SetZero()
			return
		}
		ours.Set(reflect.New(ours.Type().Elem()))
		if d, ok := ours.Interface().(interface{ Default() }); ok {
			d.Default()
		}
		fromKmsg(t, theirs.Elem(), ours.Elem())
	case reflect.Struct:
		for i, j := range kmsgFields(t, ours.Type(), theirs.Type()) {
			fromKmsg(t, theirs.Field(j), ours.Field(i))
		}
	case reflect.Slice:
		if theirs.IsNil() {
			ours.SetZero()
			return
		}
		ours.Set(reflect.MakeSlice(ours.Type(), theirs.Len(), theirs.Len()))
		for i := range ours.Len() {
			fromKmsg(t, theirs.Index(i), ours.Index(i))
		}
	default:
		if theirs.Kind() == reflect.Pointer {
			ours.SetString(theirs.Elem().String())
			return
		}
		ours.Set(theirs.Convert(ours.Type()))
	}
}

// flatten makes nil and empty alike where the type does not tell them apart: kmsg gives nil for every empty array that
// it does not find, and null arrays are told apart by the bytes already.
func flatten(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			flatten(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			flatten(v.Field(i))
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			flatten(v.Index(i))
		}
	}
}
