package metadata

import (
	"fmt"
	"strings"

	"barnabas/core/ordered"
	"barnabas/core/protocol"
)

// Kept is what the metadata say and this version does not act on yet. It is Apache Kafka's as much as ours: nothing of it is
// forgotten, and a folder that goes back to Kafka has it in the same records (docs/decisions/0010).
type Kept struct {
	ACLs        ordered.Map[string, *protocol.AccessControlEntryRecord] // by id
	Credentials ordered.Map[string, *protocol.UserScramCredentialRecord]
	Quotas      ordered.Map[string, *protocol.ClientQuotaRecord]
	Tokens      ordered.Map[string, *protocol.DelegationTokenRecord] // by id
	Controllers ordered.Map[int32, *protocol.RegisterControllerRecord]
}

// apply takes a record over that changes what is kept; it says whether it was one.
func (k *Kept) apply(m protocol.Message) (known bool, err error) {
	switch m := m.(type) {
	case *protocol.AccessControlEntryRecord:
		k.ACLs.Set(m.Id.String(), m)
	case *protocol.RemoveAccessControlEntryRecord:
		if _, ok := k.ACLs.Get(m.Id.String()); !ok {
			return true, fmt.Errorf("ACL %s is removed and does not exist", m.Id)
		}
		k.ACLs.Delete(m.Id.String())
	case *protocol.UserScramCredentialRecord:
		k.Credentials.Set(credential(m.Mechanism, m.Name), m)
	case *protocol.RemoveUserScramCredentialRecord:
		k.Credentials.Delete(credential(m.Mechanism, m.Name))
	case *protocol.ClientQuotaRecord:
		if m.Remove {
			k.Quotas.Delete(quota(m))
		} else {
			k.Quotas.Set(quota(m), m)
		}
	case *protocol.DelegationTokenRecord:
		k.Tokens.Set(m.TokenId, m)
	case *protocol.RemoveDelegationTokenRecord:
		k.Tokens.Delete(m.TokenId)
	case *protocol.RegisterControllerRecord:
		k.Controllers.Set(m.ControllerId, m)
	case *protocol.ZkMigrationStateRecord: // Kafka 4 has no ZooKeeper; it keeps the record for clusters that came from it
	default:
		return false, nil
	}
	return true, nil
}

func credential(mechanism int8, user string) string { return fmt.Sprintf("%d:%s", mechanism, user) }

// quota names one limit of one entity.
func quota(m *protocol.ClientQuotaRecord) string {
	var name strings.Builder
	for _, e := range m.Entity {
		who := "default"
		if e.EntityName.Valid {
			who = fmt.Sprintf("%q", e.EntityName.Value)
		}
		fmt.Fprintf(&name, "%q %s, ", e.EntityType, who)
	}
	return name.String() + m.Key
}

// String says what is kept and has no effect here, or nothing.
func (k *Kept) String() string {
	var all []string
	for _, row := range []struct {
		count int
		name  string
	}{
		{k.ACLs.Len(), "ACLs"},
		{k.Credentials.Len(), "SCRAM credentials"},
		{k.Quotas.Len(), "client quotas"},
		{k.Tokens.Len(), "delegation tokens"},
	} {
		if row.count > 0 {
			all = append(all, fmt.Sprintf("%s: %d", row.name, row.count))
		}
	}
	return strings.Join(all, ", ")
}
