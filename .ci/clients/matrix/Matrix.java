import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.*;

/** Apache Kafka's Java client in the client matrix. */
public class Matrix {
    static final int RECORDS = 100;
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    static final Admin ADMIN = Admin.create(Map.of("bootstrap.servers", BOOTSTRAP));
    static boolean failed;

    interface Feature { String run() throws Exception; }

    static void attempt(String name, Feature f) {
        try {
            String outcome = f.run();
            System.out.println(name + "\t" + (outcome == null ? "ok" : outcome));
        } catch (Exception e) {
            failed = true;
            System.out.println(name + "\tFAILED: " + e);
        }
    }

    static String want(String what, Object got, Object wanted) throws Exception {
        if (!Objects.equals(got, wanted)) throw new Exception(what + ": " + got + ", want " + wanted);
        return null;
    }

    static String value(long n) { return "value " + n + ", which compresses well, well, well"; }

    static String create(String topic, int partitions) throws Exception {
        ADMIN.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get(60, TimeUnit.SECONDS);
        return null;
    }

    static String roundTrip(String topic, Map<String, Object> settings) throws Exception {
        create(topic, 1);
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", BOOTSTRAP);
        try (var p = new KafkaProducer<>(all, new StringSerializer(), new StringSerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < RECORDS; i++) sent.add(p.send(new ProducerRecord<>(topic, 0, "" + i, value(i))));
            for (var s : sent) s.get(60, TimeUnit.SECONDS);
        }
        return receive(topic, 0, RECORDS);
    }

    static KafkaConsumer<String, String> consumer() {
        return new KafkaConsumer<>(Map.of("bootstrap.servers", BOOTSTRAP, "enable.auto.commit", false), new StringDeserializer(), new StringDeserializer());
    }

    static String receive(String topic, long from, int n) throws Exception {
        try (var c = consumer()) {
            var tp = new TopicPartition(topic, 0);
            c.assign(List.of(tp));
            c.seek(tp, from);
            int got = 0;
            for (long deadline = System.nanoTime() + 60_000_000_000L; got < n; ) {
                if (System.nanoTime() > deadline) throw new Exception(got + " of " + n + " records came");
                for (var r : c.poll(Duration.ofSeconds(1))) want("offset " + r.offset(), r.value(), value(from + got++));
            }
        }
        return null;
    }

    public static void main(String[] args) throws Exception {
        var topic = new ConfigResource(ConfigResource.Type.TOPIC, "java");
        attempt("connect", () -> want("brokers", ADMIN.describeCluster().nodes().get(60, TimeUnit.SECONDS).size(), 1));
        attempt("create topic", () -> create("java", 2));
        attempt("list topics", () -> want("listed", ADMIN.listTopics().names().get().contains("java"), true));
        attempt("produce acks=0", () -> roundTrip("java-0", Map.of("acks", "0", "enable.idempotence", false)));
        attempt("produce acks=1", () -> roundTrip("java-1", Map.of("acks", "1", "enable.idempotence", false)));
        attempt("produce acks=all", () -> roundTrip("java-all", Map.of("acks", "all", "enable.idempotence", false)));
        attempt("produce idempotent", () -> roundTrip("java-idempotent", Map.of()));
        for (String codec : List.of("gzip", "snappy", "lz4", "zstd"))
            attempt(codec, () -> roundTrip("java-" + codec, Map.of("compression.type", codec)));
        attempt("consume from an offset", () -> receive("java-all", 60, 40));
        attempt("consume in a group", () -> "needs groups");
        attempt("offsets by time", () -> {
            try (var c = consumer()) {
                var tp = new TopicPartition("java-all", 0);
                want("end", c.endOffsets(List.of(tp)).get(tp), (long) RECORDS);
                return want("an hour ago", c.offsetsForTimes(Map.of(tp, System.currentTimeMillis() - 3_600_000)).get(tp).offset(), 0L);
            }
        });
        attempt("describe configs", () -> want("rows", ADMIN.describeConfigs(List.of(topic)).all().get().get(topic).get("retention.ms") != null, true));
        attempt("alter configs", () -> {
            ADMIN.incrementalAlterConfigs(Map.of(topic, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "12345678"), AlterConfigOp.OpType.SET)))).all().get();
            return want("retention.ms", ADMIN.describeConfigs(List.of(topic)).all().get().get(topic).get("retention.ms").value(), "12345678");
        });
        attempt("add partitions", () -> { ADMIN.createPartitions(Map.of("java", NewPartitions.increaseTo(4))).all().get(); return null; });
        attempt("delete records", () -> { ADMIN.deleteRecords(Map.of(new TopicPartition("java-all", 0), RecordsToDelete.beforeOffset(10))).all().get(); return null; });
        attempt("describe cluster", () -> want("log directories", ADMIN.describeLogDirs(List.of(1)).allDescriptions().get().get(1).size(), 1));
        attempt("delete topic", () -> { ADMIN.deleteTopics(List.of("java")).all().get(); return null; });
        System.exit(failed ? 1 : 0);
    }
}
