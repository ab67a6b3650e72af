package clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.OpenAIException;
import com.openai.errors.OpenAIServiceException;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.Reasoning;
import com.openai.models.ReasoningEffort;
import com.openai.models.responses.CustomTool;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseCustomToolCallOutput;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseOutputItem;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseUsage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** openai-java, which checks every field of every reply. Modes: `create`, `stream`. */
final class OpenAiJava {
    public static void main(String[] arguments) throws IOException {
        Jobs.serve(OpenAiJava::ask);
    }

    private static Map<String, Object> ask(JsonNode job) {
        var client = OpenAIOkHttpClient.builder()
                .baseUrl(job.get("base_url").asText())
                .apiKey("key")
                .maxRetries(job.path("retries").asInt())
                .responseValidation(true)
                .build();
        var input = new ArrayList<ResponseInputItem>();
        input.add(ResponseInputItem.ofEasyInputMessage(EasyInputMessage.builder()
                .role(EasyInputMessage.Role.USER)
                .content(Jobs.PROMPT)
                .build()));
        var ran = new ArrayList<Object>();
        try {
            while (true) {
                var request = request(job, input);
                if (job.path("schema").asBoolean()) {
                    return parsed(client, request, job);
                }
                var response = job.get("mode").asText().equals("stream") ? stream(client, request) : client.responses().create(request);
                if (response.error().isPresent()) {
                    return failed(ran, Map.of("class", "response.failed", "message", response.error().get().message()));
                }
                // A call that was cut is not run.
                var complete = response.status().equals(Optional.of(ResponseStatus.COMPLETED));
                var outputs = complete ? outputs(response, ran) : List.<ResponseInputItem>of();
                if (outputs.isEmpty()) {
                    return outcome(response, ran);
                }
                response.output().stream().map(OpenAiJava::again).forEach(input::add);
                input.addAll(outputs);
            }
        } catch (OpenAIServiceException failure) {
            return failed(ran, shown(failure));
        } catch (OpenAIException failure) {
            return failed(ran, Map.of("class", failure.getClass().getSimpleName(), "message", failure.getMessage()));
        } finally {
            client.close();
        }
    }

    private static ResponseCreateParams request(JsonNode job, List<ResponseInputItem> input) {
        var request = ResponseCreateParams.builder().model("m").instructions(Jobs.INSTRUCTIONS).inputOfResponse(input);
        var asked = job.path("request");
        if (asked.has("max_output_tokens")) {
            request.maxOutputTokens(asked.get("max_output_tokens").asLong());
        }
        if (asked.has("reasoning")) {
            request.reasoning(Reasoning.builder().effort(ReasoningEffort.LOW).summary(Reasoning.Summary.AUTO).build());
        }
        if (job.path("tools").asBoolean()) {
            request.addTool(FunctionTool.builder()
                    .name("get_weather")
                    .description("Tells the weather of a city.")
                    .strict(true)
                    .parameters(FunctionTool.Parameters.builder()
                            .putAdditionalProperty("type", JsonValue.from("object"))
                            .putAdditionalProperty("properties", JsonValue.from(Map.of("city", Map.of("type", "string"))))
                            .putAdditionalProperty("required", JsonValue.from(List.of("city")))
                            .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                            .build())
                    .build());
            request.addTool(CustomTool.builder().name("run").description("Runs a script.").formatText().build());
        }
        return request.build();
    }

    private static Map<String, Object> parsed(OpenAIClient client, ResponseCreateParams request, JsonNode job) {
        var typed = request.toBuilder().text(Jobs.Weather.class).build();
        var accumulator = ResponseAccumulator.create();
        if (job.get("mode").asText().equals("stream")) {
            try (var events = client.responses().createStreaming(typed)) {
                events.stream().forEach(accumulator::accumulate);
            }
        }
        var response = job.get("mode").asText().equals("stream") ? accumulator.response(Jobs.Weather.class) : client.responses().create(typed);
        var weather = response.output().stream()
                .flatMap(item -> item.message().stream())
                .flatMap(message -> message.content().stream())
                .flatMap(part -> part.outputText().stream())
                .findFirst();
        var said = new HashMap<String, Object>();
        said.put("parsed", weather.orElseThrow());
        said.put("finish", response.status().map(ResponseStatus::asString).orElse(null));
        return said;
    }

    private static Response stream(OpenAIClient client, ResponseCreateParams request) {
        var accumulator = ResponseAccumulator.create();
        var streamed = new StringBuilder();
        try (var events = client.responses().createStreaming(request)) {
            events.stream().peek(accumulator::accumulate).flatMap(event -> event.outputTextDelta().stream()).forEach(delta -> streamed.append(delta.delta()));
        }
        var response = accumulator.response();
        if (response.error().isEmpty() && !text(response).contentEquals(streamed)) {
            throw new IllegalStateException("streamed " + streamed + ", not " + text(response));
        }
        return response;
    }

    /** The item as a part of the next request. */
    private static ResponseInputItem again(ResponseOutputItem item) {
        return item.message().map(ResponseInputItem::ofResponseOutputMessage)
                .or(() -> item.reasoning().map(ResponseInputItem::ofReasoning))
                .or(() -> item.functionCall().map(ResponseInputItem::ofFunctionCall))
                .or(() -> item.customToolCall().map(ResponseInputItem::ofCustomToolCall))
                .orElseThrow();
    }

    /** Runs the tools. */
    private static List<ResponseInputItem> outputs(Response response, List<Object> ran) {
        var outputs = new ArrayList<ResponseInputItem>();
        for (var item : response.output()) {
            item.functionCall().ifPresent(call -> {
                var place = call.arguments(Jobs.Place.class);
                ran.add(List.of(call.name(), place));
                outputs.add(ResponseInputItem.ofFunctionCallOutput(ResponseInputItem.FunctionCallOutput.builder()
                        .callId(call.callId())
                        .output(place.weather())
                        .build()));
            });
            item.customToolCall().ifPresent(call -> {
                ran.add(List.of(call.name(), call.input()));
                outputs.add(ResponseInputItem.ofCustomToolCallOutput(
                        ResponseCustomToolCallOutput.builder().callId(call.callId()).output("done").build()));
            });
        }
        return outputs;
    }

    private static Map<String, Object> outcome(Response response, List<Object> ran) {
        var said = new HashMap<String, Object>();
        said.put("text", text(response));
        said.put("refusal", response.output().stream()
                .flatMap(item -> item.message().stream())
                .flatMap(message -> message.content().stream())
                .flatMap(part -> part.refusal().stream())
                .map(part -> part.refusal())
                .collect(Collectors.joining()));
        said.put("reasoning", response.output().stream()
                .flatMap(item -> item.reasoning().stream())
                .flatMap(reasoning -> reasoning.summary().stream())
                .map(part -> part.text())
                .collect(Collectors.joining()));
        said.put("ran", ran);
        said.put("finish", response.incompleteDetails()
                .flatMap(Response.IncompleteDetails::reason)
                .map(Response.IncompleteDetails.Reason::asString)
                .or(() -> response.status().map(ResponseStatus::asString))
                .orElse(null));
        said.put("usage", response.usage().map(OpenAiJava::tokens).orElse(null));
        return said;
    }

    private static List<Long> tokens(ResponseUsage usage) {
        return List.of(usage.inputTokens(), usage.outputTokens());
    }

    private static String text(Response response) {
        return response.output().stream()
                .flatMap(item -> item.message().stream())
                .flatMap(message -> message.content().stream())
                .flatMap(part -> part.outputText().stream())
                .map(part -> part.text())
                .collect(Collectors.joining());
    }

    private static Map<String, Object> failed(List<Object> ran, Map<String, Object> error) {
        return new HashMap<>(Map.of("ran", ran, "error", error));
    }

    private static Map<String, Object> shown(OpenAIServiceException failure) {
        var error = new HashMap<String, Object>(Map.of(
                "class", failure.getClass().getSimpleName(),
                "status", failure.statusCode(),
                "message", failure.getMessage()));
        failure.code().ifPresent(code -> error.put("code", code));
        return error;
    }
}
