import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Writes one record batch with each codec, as Kafka's own client makes it: java Batches.java FOLDER. */
public class Batches {
    public static void main(String[] arguments) throws Exception {
        for (CompressionType type : CompressionType.values()) {
            SimpleRecord[] records = new SimpleRecord[40];
            for (int i = 0; i < records.length; i++) {
                byte[] key = i % 8 == 3 ? null : ("key-" + i % 7).getBytes(StandardCharsets.UTF_8);
                byte[] value = i == 20 ? null : "value, which compresses well, well. ".repeat(1 + i % 4 * 20).getBytes(StandardCharsets.UTF_8);
                Header[] headers = i % 5 == 0 ? new Header[] {new RecordHeader("h", null), new RecordHeader("", new byte[] {1})} : new Header[0];
                records[i] = new SimpleRecord(1_700_000_000_000L + (i * 7919) % 1000, key, value, headers);
            }
            ByteBuffer batch = MemoryRecords.withRecords(Compression.of(type).build(), records).buffer();
            byte[] bytes = new byte[batch.remaining()];
            batch.get(bytes);
            Files.write(Path.of(arguments[0], type.name + ".batch"), bytes);
        }
    }
}
