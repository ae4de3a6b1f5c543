package codes

import "barnabas/core/protocol"

// words are what there is to say of a code beyond its meaning.
type words struct{ cause, do string }

var table = map[protocol.Error]words{
	protocol.ErrUnknownServerError: {
		"the broker met something it did not expect: often a bug",
		"look at the broker's log at that time, and report it with what it says",
	},
	protocol.ErrNone: {
		"all went well",
		"nothing",
	},
	protocol.ErrOffsetOutOfRange: {
		"the consumer's position is older than what retention kept, or beyond the end after records were lost or the topic was made anew",
		"set the consumer's reset policy (auto.offset.reset), or begin elsewhere: barnabas consume -o start; look at the bounds with barnabas topic describe",
	},
	protocol.ErrCorruptMessage: {
		"bytes changed between producer and broker, or a client builds batches wrongly",
		"if it comes from one client, update it; if from all, check memory and network cards",
	},
	protocol.ErrUnknownTopicOrPartition: {
		"the name is misspelt, the topic was deleted, or it was just made and this broker has not heard of it yet",
		"look with barnabas topic list; make it with barnabas topic create; clients that wait a moment get over the last case",
	},
	protocol.ErrInvalidFetchSize: {
		"a consumer asks for a negative or absurd number of bytes",
		"correct fetch.max.bytes and max.partition.fetch.bytes of the consumer",
	},
	protocol.ErrLeaderNotAvailable: {
		"the topic was just made, or its leader is down and another is being elected",
		"wait a moment; if it stays, look at barnabas cluster status and start the brokers that hold its replicas",
	},
	protocol.ErrNotLeaderOrFollower: {
		"leadership moved, and the client's metadata is old",
		"clients ask for metadata and go on; if it stays, their metadata comes from another cluster than the one they speak to",
	},
	protocol.ErrRequestTimedOut: {
		"in-sync replicas were too slow to confirm, the disk stalls, or the broker is overloaded",
		"look at replicas with barnabas cluster status and at the disk; raise the client's request or delivery timeout; the record may be stored all the same",
	},
	protocol.ErrBrokerNotAvailable: {
		"the broker asked for is down, or is another one than the caller thinks",
		"look at barnabas cluster status",
	},
	protocol.ErrReplicaNotAvailable: {
		"the replica is being made, moved, or its broker is down",
		"wait; if it stays, look at the broker that should hold it",
	},
	protocol.ErrMessageTooLarge: {
		"a record, or a batch of them, is larger than the topic's max.message.bytes",
		"raise it (barnabas topic alter TOPIC --set max.message.bytes=N), or have the producer make smaller batches or compress",
	},
	protocol.ErrStaleControllerEpoch: {
		"a controller that was replaced still speaks",
		"nothing: the old one gives up; if it stays, two controllers do not see each other",
	},
	protocol.ErrOffsetMetadataTooLarge: {
		"the text a client commits with an offset is longer than offset.metadata.max.bytes",
		"shorten it, or raise the setting",
	},
	protocol.ErrNetworkException: {
		"the connection broke before the answer arrived: broker restarted, network trouble, or an idle connection was closed",
		"clients try again; the request may have been carried out",
	},
	protocol.ErrCoordinatorLoadInProgress: {
		"the coordinator was just started or moved, and reads its log",
		"wait: clients try again",
	},
	protocol.ErrCoordinatorNotAvailable: {
		"the internal topic has no leader yet, or this broker serves no groups (Barnabas: not yet)",
		"wait; on a cluster without groups, consume without one: barnabas consume, or assign partitions",
	},
	protocol.ErrNotCoordinator: {
		"the group or transaction moved to another broker",
		"clients ask who it is now and go on",
	},
	protocol.ErrInvalidTopicException: {
		"the name is empty, longer than 249, has other letters than a-z A-Z 0-9 . _ -, or the topic is an internal one",
		"choose another name",
	},
	protocol.ErrRecordListTooLarge: {
		"a batch is larger than a whole segment",
		"make smaller batches, or raise segment.bytes",
	},
	protocol.ErrNotEnoughReplicas: {
		"fewer replicas are in sync than min.insync.replicas asks of acks=all",
		"start the brokers that are down; as a last resort lower min.insync.replicas and know what it costs",
	},
	protocol.ErrNotEnoughReplicasAfterAppend: {
		"replicas fell out of sync while the record was being confirmed; it is stored at the leader",
		"as NOT_ENOUGH_REPLICAS; an idempotent producer that tries again makes no duplicate",
	},
	protocol.ErrInvalidRequiredAcks: {
		"acks is none of -1 (all), 0 and 1",
		"correct acks in the client",
	},
	protocol.ErrIllegalGeneration: {
		"the member missed a rebalance: it was paused, or took longer than max.poll.interval.ms between polls",
		"the client joins again by itself; poll more often or raise max.poll.interval.ms",
	},
	protocol.ErrInconsistentGroupProtocol: {
		"the members of one group use assignors that have none in common, or are of different kinds",
		"give them the same partition.assignment.strategy; change it in two rolling steps",
	},
	protocol.ErrInvalidGroupId: {
		"the group id is empty or not allowed",
		"set group.id",
	},
	protocol.ErrUnknownMemberId: {
		"the member's session ran out, and the group went on without it",
		"the client joins again by itself; poll more often, or raise session.timeout.ms",
	},
	protocol.ErrInvalidSessionTimeout: {
		"the session timeout is outside the broker's bounds",
		"take one between group.min.session.timeout.ms and group.max.session.timeout.ms",
	},
	protocol.ErrRebalanceInProgress: {
		"members come or go, and everyone has to join again",
		"the client does; if it goes on and on, members are too slow between polls",
	},
	protocol.ErrInvalidCommitOffsetSize: {
		"too many offsets in one commit",
		"commit fewer partitions at once",
	},
	protocol.ErrTopicAuthorizationFailed: {
		"no ACL allows this user to do that with the topic",
		"give the user an ACL for it; check that the client authenticates as who you think",
	},
	protocol.ErrGroupAuthorizationFailed: {
		"no ACL allows this user to use the group",
		"give the user READ on the group",
	},
	protocol.ErrClusterAuthorizationFailed: {
		"the request changes or shows the whole cluster, and no ACL allows this user to",
		"give the user an ACL on the cluster",
	},
	protocol.ErrInvalidTimestamp: {
		"a record's timestamp is further off than message.timestamp.before.max.ms or ….after.max.ms allows, often seconds or ns instead of ms, or a wrong clock",
		"correct the producer's clock or unit, or change the topic's settings",
	},
	protocol.ErrUnsupportedSaslMechanism: {
		"the client asks for a mechanism the listener does not have",
		"set sasl.mechanism to one that it has",
	},
	protocol.ErrIllegalSaslState: {
		"the client speaks SASL where none is wanted, or other requests before it authenticated",
		"set security.protocol as the listener has it",
	},
	protocol.ErrUnsupportedVersion: {
		"client and broker have no version of the request in common, or the broker does not serve it at all",
		"update the older of the two; see docs/PROTOCOL.md for what is served here",
	},
	protocol.ErrTopicAlreadyExists: {
		"somebody was faster, or it was there all along",
		"use it as it is, or another name; barnabas topic create --if-not-exists",
	},
	protocol.ErrInvalidPartitions: {
		"the number is below 1, or would lower the number that is there",
		"partitions can only be added",
	},
	protocol.ErrInvalidReplicationFactor: {
		"more replicas are asked for than there are brokers that live",
		"lower the replication factor, or start more brokers",
	},
	protocol.ErrInvalidReplicaAssignment: {
		"the assignment names a broker twice, an unknown one, or leaves a partition out",
		"correct it",
	},
	protocol.ErrInvalidConfig: {
		"a setting's name is unknown or its value out of bounds; the message says which",
		"see barnabas help settings",
	},
	protocol.ErrNotController: {
		"the request went to a broker that is not, or no longer, the controller",
		"clients ask who it is now and go on",
	},
	protocol.ErrInvalidRequest: {
		"the request contradicts itself: a bug in the client, or a tool of another version",
		"the message says what; update the client",
	},
	protocol.ErrUnsupportedForMessageFormat: {
		"the log is in an old format that lacks what was asked for",
		"use a topic in the present format",
	},
	protocol.ErrPolicyViolation: {
		"a policy that the operators set forbids it",
		"the message says which; ask them",
	},
	protocol.ErrOutOfOrderSequenceNumber: {
		"batches of an idempotent producer came in another order than sent, or one got lost: acknowledged records may be missing",
		"close the producer and look for lost records; if it comes back, suspect retention below the producer's retries, or a bug",
	},
	protocol.ErrDuplicateSequenceNumber: {
		"the batch was sent twice and is stored once",
		"nothing: it counts as success",
	},
	protocol.ErrInvalidProducerEpoch: {
		"another producer with the same transactional id began, or the transaction timed out",
		"abort and go on; if another instance runs with that id, stop one",
	},
	protocol.ErrInvalidTxnState: {
		"begin, commit and abort were called in an order that is not possible",
		"correct the order of calls",
	},
	protocol.ErrInvalidProducerIdMapping: {
		"the transactional id was forgotten after transactional.id.expiration.ms, or belongs to another producer",
		"make a new producer",
	},
	protocol.ErrInvalidTransactionTimeout: {
		"transaction.timeout.ms is above the broker's transaction.max.timeout.ms",
		"lower the one or raise the other",
	},
	protocol.ErrConcurrentTransactions: {
		"the transaction before is still being completed",
		"clients wait and try again; if it stays, a coordinator is stuck",
	},
	protocol.ErrTransactionCoordinatorFenced: {
		"the coordinator that writes markers is an old one",
		"nothing: the new one goes on",
	},
	protocol.ErrTransactionalIdAuthorizationFailed: {
		"no ACL allows this user to use the transactional id",
		"give the user WRITE on it",
	},
	protocol.ErrSecurityDisabled: {
		"ACLs are asked for, and the cluster has no authorizer",
		"configure one, or do without ACLs",
	},
	protocol.ErrOperationNotAttempted: {
		"another part of the same request failed, so this one was left",
		"put the other part right and try again",
	},
	protocol.ErrKafkaStorageError: {
		"the log directory is offline: a write or sync failed, the disk is full, or bytes at rest are damaged",
		"look at the broker's log and disk; barnabas doctor says what state the folder is in",
	},
	protocol.ErrLogDirNotFound: {
		"the folder named is none of the broker's log.dirs",
		"see log.dirs",
	},
	protocol.ErrSaslAuthenticationFailed: {
		"user or password are wrong, the user does not exist, or a token ran out",
		"check the credentials; the broker's log has the reason it does not tell clients",
	},
	protocol.ErrUnknownProducerId: {
		"the partition forgot the producer, because its records were deleted or producer.id.expiration.ms passed",
		"recent clients go on by themselves; else make a new producer",
	},
	protocol.ErrReassignmentInProgress: {
		"the partition's replicas are being moved",
		"wait until that has ended",
	},
	protocol.ErrDelegationTokenAuthDisabled: {
		"the broker has no secret for delegation tokens",
		"set delegation.token.secret.key on the brokers",
	},
	protocol.ErrDelegationTokenNotFound: {
		"the token was removed or never made",
		"make a new one",
	},
	protocol.ErrDelegationTokenOwnerMismatch: {
		"the one who renews or expires a token is not its owner or renewer",
		"use the owner's connection",
	},
	protocol.ErrDelegationTokenRequestNotAllowed: {
		"the connection is plaintext, or was itself authenticated by a token",
		"ask over a connection authenticated otherwise",
	},
	protocol.ErrDelegationTokenAuthorizationFailed: {
		"no ACL allows this user to see or make the token",
		"give the user the right ACL",
	},
	protocol.ErrDelegationTokenExpired: {
		"the token's time is over",
		"make or renew one",
	},
	protocol.ErrInvalidPrincipalType: {
		"the principal is of a type this request does not take",
		"use User:NAME",
	},
	protocol.ErrNonEmptyGroup: {
		"the group has members, and what was asked needs it empty",
		"stop its consumers first",
	},
	protocol.ErrGroupIdNotFound: {
		"there is no such group, or it was removed when it had nothing left",
		"check the name",
	},
	protocol.ErrFetchSessionIdNotFound: {
		"the broker restarted, or needed the session's place for another",
		"clients begin a new session by themselves",
	},
	protocol.ErrInvalidFetchSessionEpoch: {
		"a fetch or its answer got lost",
		"clients begin a new session by themselves",
	},
	protocol.ErrListenerNotFound: {
		"leader and bootstrap broker have different listeners",
		"give every broker the listeners of the same names",
	},
	protocol.ErrTopicDeletionDisabled: {
		"delete.topic.enable is false",
		"set it to true, if topics may be deleted",
	},
	protocol.ErrFencedLeaderEpoch: {
		"the client has not heard of the newest leader",
		"clients ask for metadata and go on",
	},
	protocol.ErrUnknownLeaderEpoch: {
		"the broker has not heard of the newest leader yet",
		"clients try again",
	},
	protocol.ErrUnsupportedCompressionType: {
		"the records are zstd and the client's Fetch is too old for it",
		"update the client, or give the topic another compression.type",
	},
	protocol.ErrStaleBrokerEpoch: {
		"the broker registered again since, and the request is from before",
		"nothing: it goes on in its new epoch",
	},
	protocol.ErrOffsetNotAvailable: {
		"the leader is new and does not know yet what is committed",
		"clients try again",
	},
	protocol.ErrMemberIdRequired: {
		"the first step of joining a group",
		"clients join again with the id they were given",
	},
	protocol.ErrPreferredLeaderNotAvailable: {
		"the preferred replica's broker is down or not in sync",
		"start it, wait until it is in sync",
	},
	protocol.ErrGroupMaxSizeReached: {
		"the group has group.max.size members",
		"raise it, or run fewer consumers",
	},
	protocol.ErrFencedInstanceId: {
		"two consumers have the same group.instance.id, and the newer one won",
		"give each its own",
	},
	protocol.ErrEligibleLeadersNotAvailable: {
		"no replica in sync (or of the ELR) lives",
		"start the brokers that hold them; an unclean election would lose records",
	},
	protocol.ErrElectionNotNeeded: {
		"the wanted leader leads already",
		"nothing",
	},
	protocol.ErrNoReassignmentInProgress: {
		"there is none to cancel or to list",
		"nothing",
	},
	protocol.ErrGroupSubscribedToTopic: {
		"the group still consumes the topic whose offsets should go",
		"stop that first",
	},
	protocol.ErrInvalidRecord: {
		"a record breaks a rule of the topic: no key on a compacted topic, or fields that contradict each other; the message says which",
		"correct the producer; barnabas topic describe shows the topic's settings",
	},
	protocol.ErrUnstableOffsetCommit: {
		"offsets of an open transaction are not decided yet",
		"clients try again; if it stays, a transaction hangs",
	},
	protocol.ErrThrottlingQuotaExceeded: {
		"the user's quota for such changes is used up",
		"wait as long as the answer says, or raise the quota",
	},
	protocol.ErrProducerFenced: {
		"a newer producer uses the same transactional id",
		"stop this one; it must not go on",
	},
	protocol.ErrResourceNotFound: {
		"what is to be changed or shown is not there",
		"check the name",
	},
	protocol.ErrDuplicateResource: {
		"the request names one thing twice",
		"name it once",
	},
	protocol.ErrUnacceptableCredential: {
		"a SCRAM credential has too few iterations, an empty name or password",
		"follow the message",
	},
	protocol.ErrInconsistentVoterSet: {
		"voters have different ideas of who votes",
		"correct controller.quorum.voters, or finish the change of voters",
	},
	protocol.ErrInvalidUpdateVersion: {
		"the feature cannot go up or down to that level",
		"see which levels the brokers support",
	},
	protocol.ErrFeatureUpdateFailed: {
		"a broker does not support the level, or a feature it depends on is missing",
		"update that broker first",
	},
	protocol.ErrPrincipalDeserializationFailure: {
		"brokers use different principal.builder classes",
		"give all the same",
	},
	protocol.ErrSnapshotNotFound: {
		"the leader removed the snapshot meanwhile",
		"the replica asks for the newest",
	},
	protocol.ErrPositionOutOfRange: {
		"a snapshot is being fetched beyond its end",
		"the replica begins anew",
	},
	protocol.ErrUnknownTopicId: {
		"the topic was deleted or made anew with the same name, or this broker has not heard of it yet",
		"clients ask for metadata and go on; restart one that does not",
	},
	protocol.ErrDuplicateBrokerRegistration: {
		"two brokers run with the same node.id, or the old one's session has not run out yet",
		"give each its own node.id; else wait",
	},
	protocol.ErrBrokerIdNotRegistered: {
		"the broker never registered, or was unregistered",
		"start it, or check the id",
	},
	protocol.ErrInconsistentTopicId: {
		"the folder on disk is of an older topic with the same name",
		"the broker puts it aside; clients ask for metadata",
	},
	protocol.ErrInconsistentClusterId: {
		"broker and data folder, or two brokers, are of different clusters",
		"check bootstrap addresses and meta.properties in the data folder",
	},
	protocol.ErrTransactionalIdNotFound: {
		"there is no such transaction, or it is forgotten",
		"check the id",
	},
	protocol.ErrFetchSessionTopicIdError: {
		"the client changed between topic names and ids within a session",
		"clients begin a new session by themselves",
	},
	protocol.ErrIneligibleReplica: {
		"the replica is fenced, shutting down or restarted since",
		"the leader tries again without it",
	},
	protocol.ErrNewLeaderElected: {
		"the change itself moved the leader",
		"nothing: the old leader steps back",
	},
	protocol.ErrOffsetMovedToTieredStorage: {
		"a follower asks for what the leader no longer has locally",
		"it begins at the leader's local start",
	},
	protocol.ErrFencedMemberEpoch: {
		"the group went on without the member",
		"the client gives up its partitions and joins again",
	},
	protocol.ErrUnreleasedInstanceId: {
		"the consumer that had the instance id is not gone yet",
		"wait for its session to run out, or stop it",
	},
	protocol.ErrUnsupportedAssignor: {
		"the client names an assignor that the broker has not",
		"choose one of group.consumer.assignors",
	},
	protocol.ErrStaleMemberEpoch: {
		"the client commits in an epoch from before its last heartbeat",
		"clients heartbeat and try again",
	},
	protocol.ErrMismatchedEndpointType: {
		"an admin client for brokers was pointed at a controller, or the reverse",
		"use bootstrap.servers for brokers and bootstrap.controllers for controllers",
	},
	protocol.ErrUnsupportedEndpointType: {
		"the broker does not know that kind of endpoint",
		"update the older side",
	},
	protocol.ErrUnknownControllerId: {
		"no controller of that id is registered",
		"check the id",
	},
	protocol.ErrUnknownSubscriptionId: {
		"the client's telemetry subscription changed",
		"the client asks for the new one",
	},
	protocol.ErrTelemetryTooLarge: {
		"the client pushes more than telemetry.max.bytes",
		"push fewer metrics",
	},
	protocol.ErrInvalidRegistration: {
		"the controller refuses the broker: wrong features, directories or a controller in migration",
		"the controller's log has the reason",
	},
	protocol.ErrTransactionAbortable: {
		"something failed that an abort puts right",
		"abort the transaction and begin it again",
	},
	protocol.ErrInvalidRecordState: {
		"the record was acknowledged, released or timed out before",
		"nothing: it is delivered again, or is done",
	},
	protocol.ErrShareSessionNotFound: {
		"the broker restarted, or needed the session's place for another",
		"clients begin a new session by themselves",
	},
	protocol.ErrInvalidShareSessionEpoch: {
		"a request of the share session got lost",
		"clients begin a new session by themselves",
	},
	protocol.ErrFencedStateEpoch: {
		"another broker leads the share partition",
		"nothing: the new leader goes on",
	},
	protocol.ErrInvalidVoterKey: {
		"the voter's directory id is not the one given",
		"look at meta.properties of that controller",
	},
	protocol.ErrDuplicateVoter: {
		"the voter to add votes already",
		"nothing",
	},
	protocol.ErrVoterNotFound: {
		"the voter to remove or change does not vote",
		"check id and directory id",
	},
	protocol.ErrInvalidRegularExpression: {
		"the group's subscription pattern is no RE2 expression",
		"correct it",
	},
	protocol.ErrRebootstrapRequired: {
		"the client's idea of the cluster is of another one",
		"it begins again from its bootstrap servers",
	},
	protocol.ErrStreamsInvalidTopology: {
		"the application describes a topology that contradicts itself",
		"update the application",
	},
	protocol.ErrStreamsInvalidTopologyEpoch: {
		"the topology's epoch is not the next one",
		"update all instances of the application",
	},
	protocol.ErrStreamsTopologyFenced: {
		"an instance with a newer topology is in the group",
		"update this instance",
	},
	protocol.ErrShareSessionLimitReached: {
		"as many share sessions are open as group.share.max.share.sessions allows",
		"close some, or raise it",
	},
}
