import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.util.Base64;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Has Apache Kafka encode messages, and tell the defaults of their fields. The arguments are "messages" or "defaults",
 * and classes of messages. A message is filled after the schema of each version and made from JSON by Kafka's own
 * converter, so nothing here knows how anything is encoded.
 */
public final class Messages {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static int counter;

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        for (int i = 1; i < args.length; i++) {
            Class<?> type = Class.forName(args[i]);
            if (args[0].equals("defaults")) {
                defaults(out, name(type), type, type.getDeclaredConstructor().newInstance());
                continue;
            }
            Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
            for (int version = 0; version < schemas.length; version++) {
                if (schemas[version] == null) {
                    continue;
                }
                for (String how : new String[] {"full", "bare"}) {
                    counter = 0;
                    encode(out, type, (short) version, how, struct(schemas[version], how.equals("full")));
                }
            }
        }
        out.flush();
    }

    /** The name that both languages use: that of the definition. */
    private static String name(Class<?> type) {
        return type.getSimpleName().replaceFirst("(Request|Response|RequestHeader|ResponseHeader)Data$", "$1");
    }

    private static void encode(PrintStream out, Class<?> type, short version, String how, ObjectNode json)
            throws Exception {
        Message message = (Message) Class.forName(type.getName() + "JsonConverter")
            .getMethod("read", JsonNode.class, short.class).invoke(null, json, version);
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBufferAccessor buffer = new ByteBufferAccessor(
            java.nio.ByteBuffer.allocate(message.size(cache, version)));
        message.write(buffer, cache, version);
        out.printf("%s version %d, %s%n", name(type), version, how);
        out.println(HexFormat.of().formatHex(buffer.buffer().array()));
        Map<String, String> leaves = new TreeMap<>();
        flatten("", json, leaves);
        leaves.forEach((field, value) -> out.println("  " + field + " = " + value));
        out.println();
    }

    // What a schema calls some_field is someField in JSON.
    private static String camel(String snake) {
        StringBuilder text = new StringBuilder();
        for (String word : snake.split("_")) {
            text.append(text.length() == 0 ? word : word.substring(0, 1).toUpperCase() + word.substring(1));
        }
        return text.toString().replaceFirst("^kraft", "kRaft");
    }

    private static ObjectNode struct(Schema schema, boolean full) {
        ObjectNode node = JSON.objectNode();
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                if (full) {
                    tagged.fields().forEach((tag, f) -> node.set(camel(f.name), value(f.type, true)));
                }
                continue;
            }
            node.set(camel(bound.def.name), value(bound.def.type, full));
        }
        return node;
    }

    private static JsonNode value(Type type, boolean full) {
        if (!full && type.isNullable()) {
            return JSON.nullNode();
        }
        if (type.isArray()) {
            ArrayNode list = JSON.arrayNode();
            Type element = type.arrayElementType().orElseThrow();
            for (int i = 0; full && i < 2; i++) {
                list.add(value(element, true));
            }
            return list;
        }
        if (type instanceof Schema schema) {
            return struct(schema, full);
        }
        // A nullable struct is a type of its own, around its schema.
        if (type.getClass().getSimpleName().equals("NullableStruct")
                || type.getClass().getSimpleName().equals("NullableSchema")) {
            return struct(schemaIn(type), full);
        }
        int n = full ? ++counter : 0;
        String name = type.toString();
        if (name.contains("STRING")) {
            return JSON.textNode(full ? "text" + n : "");
        } else if (name.contains("RECORDS")) {
            return JSON.binaryNode(new byte[0]);
        } else if (name.contains("BYTES")) {
            return JSON.binaryNode(full ? new byte[] {(byte) n, 1, 2} : new byte[0]);
        } else if (name.equals("UUID")) {
            return JSON.textNode(new Uuid(n * 0x0102030405060708L, n).toString());
        } else if (name.equals("BOOLEAN")) {
            return JSON.booleanNode(full);
        } else if (name.equals("FLOAT64")) {
            return JSON.numberNode(n + 0.5);
        }
        int negative = n % 3 == 0 && !name.startsWith("UINT") ? -1 : 1;
        return switch (name) {
            case "INT8" -> JSON.numberNode((short) (negative * (n % 100)));
            case "INT16" -> JSON.numberNode((short) (negative * n * 100));
            case "UINT16" -> JSON.numberNode(n * 1000 % 65536);
            case "INT32" -> JSON.numberNode(negative * n * 100_000);
            case "UINT32" -> JSON.numberNode(n * 3_000_000_000L % 4_294_967_296L);
            case "INT64" -> JSON.numberNode(negative * n * 10_000_000_000L);
            default -> throw new IllegalArgumentException(name + " of " + type.getClass());
        };
    }

    private static Schema schemaIn(Type type) {
        try {
            for (Field field : type.getClass().getDeclaredFields()) {
                field.setAccessible(true);
                if (field.get(type) instanceof Schema schema) {
                    return schema;
                }
            }
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
        throw new IllegalArgumentException(type.getClass().toString());
    }

    private static void flatten(String path, JsonNode node, Map<String, String> leaves) {
        if (node.isObject()) {
            node.properties().forEach(e -> flatten((path.isEmpty() ? "" : path + ".")
                + e.getKey().substring(0, 1).toUpperCase() + e.getKey().substring(1), e.getValue(), leaves));
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                flatten(path + "[" + i + "]", node.get(i), leaves);
            }
        } else if (node.isBinary()) {
            try {
                leaves.put(path, HexFormat.of().formatHex(node.binaryValue()));
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
        } else {
            leaves.put(path, node.asText());
        }
    }

    /** Prints what is neither zero, nor false, nor empty; null is printed. */
    private static void defaults(PrintStream out, String path, Class<?> type, Object message) throws Exception {
        for (Field field : type.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) || field.getName().equals("_unknownTaggedFields")
                    || field.getName().equals("next") || field.getName().equals("prev")) {
                continue;
            }
            field.setAccessible(true);
            String name = path + "." + field.getName().substring(0, 1).toUpperCase() + field.getName().substring(1);
            Object value = field.get(message);
            Class<?> below = field.getType();
            if (Collection.class.isAssignableFrom(below)) {
                if (value == null) {
                    out.println(name + " = null");
                }
                java.lang.reflect.Type generic = field.getGenericType();
                if (!(generic instanceof ParameterizedType)) {
                    generic = below.getGenericSuperclass();
                }
                below = (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
            } else if (value == null) {
                out.println(name + " = null");
            } else if (!Message.class.isAssignableFrom(below) && !zero(value)) {
                out.println(name + " = " + value);
            }
            if (Message.class.isAssignableFrom(below)) {
                defaults(out, name, below, below.getDeclaredConstructor().newInstance());
            }
        }
    }

    private static boolean zero(Object value) {
        return value.equals(false) || value.equals("") || value instanceof Number n && n.doubleValue() == 0
            || value.equals(Uuid.ZERO_UUID) || value instanceof byte[] b && b.length == 0
            || value.getClass().isArray();
    }
}
