"""confluent-kafka-python, which is librdkafka, in the client matrix."""
import os
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   ResourceType)

bootstrap = {"bootstrap.servers": os.environ["BOOTSTRAP"]}
records = 100
failed = False
admin = AdminClient(bootstrap)


def attempt(name, f):
    global failed
    try:
        print(f"{name}\t{f() or 'ok'}", flush=True)
    except Exception as e:
        failed = True
        print(f"{name}\tFAILED: {e}", flush=True)


def value(n):
    return f"value {n}, which compresses well, well, well"


def want(what, got, wanted):
    if got != wanted:
        raise Exception(f"{what}: {got}, want {wanted}")


def create(topic, partitions=1):
    for f in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        f.result(30)


def round_trip(topic, **settings):
    create(topic)
    errors = []
    p = Producer({**bootstrap, **{k.replace("_", "."): v for k, v in settings.items()}})
    for i in range(records):
        p.produce(topic, value(i), key=str(i), partition=0, headers={"h": "v"},
                  on_delivery=lambda e, m: errors.append(e) if e else None)
    want("left", p.flush(30), 0)
    want("errors", errors, [])
    receive(topic, 0, records)


def consumer():
    return Consumer({**bootstrap, "group.id": "none", "enable.auto.commit": False, "auto.offset.reset": "error"})


def receive(topic, start, n):
    c = consumer()
    c.assign([TopicPartition(topic, 0, start)])
    got, deadline = 0, time.time() + 30
    while got < n:
        if time.time() > deadline:
            raise Exception(f"{got} of {n} records came")
        m = c.poll(1)
        if m is None:
            continue
        if m.error():
            raise Exception(m.error())
        want(f"offset {m.offset()}", m.value().decode(), value(start + got))
        got += 1
    c.close()


def describe(names=None):
    return list(admin.describe_configs([ConfigResource(ResourceType.TOPIC, "confluent")]).values())[0].result(30)


def alter():
    r = ConfigResource(ResourceType.TOPIC, "confluent", incremental_configs=[
        ConfigEntry("retention.ms", "12345678", incremental_operation=AlterConfigOpType.SET)])
    list(admin.incremental_alter_configs([r]).values())[0].result(30)
    want("retention.ms", describe()["retention.ms"].value, "12345678")


def by_time():
    c = consumer()
    at = c.offsets_for_times([TopicPartition("confluent-all", 0, int(time.time() * 1000) - 3_600_000)], 30)
    want("an hour ago", at[0].offset, 0)
    want("start and end", c.get_watermark_offsets(TopicPartition("confluent-all", 0), 30), (0, records))
    c.close()


attempt("connect", lambda: want("brokers", len(admin.list_topics(timeout=30).brokers), 1))
attempt("create topic", lambda: create("confluent", 2))
attempt("list topics", lambda: want("partitions", len(admin.list_topics("confluent", 30).topics["confluent"].partitions), 2))
attempt("produce acks=0", lambda: round_trip("confluent-0", acks="0"))
attempt("produce acks=1", lambda: round_trip("confluent-1", acks="1"))
attempt("produce acks=all", lambda: round_trip("confluent-all", acks="all"))
attempt("produce idempotent", lambda: round_trip("confluent-idempotent", enable_idempotence=True))
for codec in ["gzip", "snappy", "lz4", "zstd"]:
    attempt(codec, lambda: round_trip("confluent-" + codec, compression_type=codec))
attempt("consume from an offset", lambda: receive("confluent-all", 60, 40))
attempt("consume in a group", lambda: "needs groups")
attempt("offsets by time", by_time)
attempt("describe configs", lambda: want("retention.ms", "retention.ms" in describe(), True))
attempt("alter configs", alter)
attempt("add partitions", lambda: [f.result(30) for f in admin.create_partitions([NewPartitions("confluent", 4)]).values()] and None)
attempt("delete records", lambda: [f.result(30) for f in admin.delete_records([TopicPartition("confluent-all", 0, 10)]).values()] and None)
attempt("describe cluster", lambda: want("nodes", len(admin.describe_cluster().result(30).nodes), 1))
attempt("delete topic", lambda: [f.result(30) for f in admin.delete_topics(["confluent"]).values()] and None)
sys.exit(failed)
