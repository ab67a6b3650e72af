package clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What the Java drivers share: a job is a line of JSON on stdin, its outcome a line of JSON on stdout. See ../drivers/jobs.py. */
final class Jobs {
    static final String PROMPT = "How is the weather?";
    static final String INSTRUCTIONS = "Be brief.";
    static final ObjectMapper JSON = new ObjectMapper();

    /** The arguments of `get_weather`. */
    record Place(String city) {
        String weather() {
            return city + ": sunny";
        }
    }

    /** The structured output. */
    static final class Weather {
        public String city;
        public int celsius;
    }

    private Jobs() {}

    /** Does one job after the other until stdin ends. */
    static void serve(Function<JsonNode, Map<String, Object>> ask) throws IOException {
        var jobs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var outcomes = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line; (line = jobs.readLine()) != null; ) {
            var said = ask.apply(JSON.readTree(line));
            said.values().removeIf(value -> value == null || value.equals("") || value.equals(List.of()));
            outcomes.println(JSON.writeValueAsString(said));
        }
    }

    static <T> T parse(String text, Class<T> type) {
        try {
            return JSON.readValue(text, type);
        } catch (IOException broken) {
            throw new IllegalArgumentException(text, broken);
        }
    }
}
