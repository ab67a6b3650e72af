package clients;

import com.fasterxml.jackson.databind.JsonNode;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.HttpException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiResponsesChatModel;
import dev.langchain4j.model.openai.OpenAiResponsesStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** LangChain4j's models over the Responses API. Modes: `chat`, `stream`. */
final class LangChain4j {
    public static void main(String[] arguments) throws IOException {
        Jobs.serve(LangChain4j::ask);
    }

    private static Map<String, Object> ask(JsonNode job) {
        var messages = new ArrayList<ChatMessage>(List.of(SystemMessage.from(Jobs.INSTRUCTIONS), UserMessage.from(Jobs.PROMPT)));
        var ran = new ArrayList<Object>();
        try {
            while (true) {
                var response = turn(job, request(job, messages));
                var message = response.aiMessage();
                // A call that was cut is not run.
                if (!message.hasToolExecutionRequests() || response.finishReason() == FinishReason.LENGTH) {
                    return outcome(response, ran, job.path("schema").asBoolean());
                }
                messages.add(message);
                for (var call : message.toolExecutionRequests()) {
                    var place = Jobs.parse(call.arguments(), Jobs.Place.class);
                    ran.add(List.of(call.name(), place));
                    messages.add(ToolExecutionResultMessage.from(call, place.weather()));
                }
            }
        } catch (RuntimeException failure) {
            return new HashMap<>(Map.of("ran", ran, "error", shown(failure)));
        }
    }

    private static ChatRequest request(JsonNode job, List<ChatMessage> messages) {
        var request = ChatRequest.builder().messages(messages);
        if (job.path("tools").asBoolean()) {
            var city = JsonObjectSchema.builder().addStringProperty("city").required("city").build();
            request.toolSpecifications(ToolSpecification.builder()
                    .name("get_weather")
                    .description("Tells the weather of a city.")
                    .parameters(city)
                    .build());
        }
        if (job.path("schema").asBoolean()) {
            var weather = JsonObjectSchema.builder().addStringProperty("city").addIntegerProperty("celsius").required("city", "celsius").build();
            request.responseFormat(ResponseFormat.builder()
                    .type(ResponseFormatType.JSON)
                    .jsonSchema(JsonSchema.builder().name("Weather").rootElement(weather).build())
                    .build());
        }
        return request.build();
    }

    private static ChatResponse turn(JsonNode job, ChatRequest request) {
        var url = job.get("base_url").asText();
        var asked = job.path("request");
        var effort = asked.at("/reasoning/effort").asText(null);
        var summary = asked.at("/reasoning/summary").asText(null);
        var limit = asked.has("max_output_tokens") ? asked.get("max_output_tokens").asInt() : null;
        if (job.get("mode").asText().equals("chat")) {
            return OpenAiResponsesChatModel.builder()
                    .baseUrl(url).apiKey("key").modelName("m").strictJsonSchema(true)
                    .reasoningEffort(effort).reasoningSummary(summary).maxOutputTokens(limit)
                    .build()
                    .chat(request);
        }
        var collector = new Collector();
        OpenAiResponsesStreamingChatModel.builder()
                .baseUrl(url).apiKey("key").modelName("m").strictJsonSchema(true)
                .reasoningEffort(effort).reasoningSummary(summary).maxOutputTokens(limit)
                .build()
                .chat(request, collector);
        return collector.response();
    }

    private static final class Collector implements StreamingChatResponseHandler {
        private final StringBuilder streamed = new StringBuilder();
        private final CompletableFuture<ChatResponse> end = new CompletableFuture<>();

        @Override
        public void onPartialResponse(String text) {
            streamed.append(text);
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            end.complete(response);
        }

        @Override
        public void onError(Throwable failure) {
            end.completeExceptionally(failure);
        }

        ChatResponse response() {
            try {
                var response = end.join();
                var text = response.aiMessage().text();
                if (!streamed.toString().equals(text == null ? "" : text)) {
                    throw new IllegalStateException("streamed " + streamed + ", not " + text);
                }
                return response;
            } catch (CompletionException failed) {
                throw failed.getCause() instanceof RuntimeException known ? known : failed;
            }
        }
    }

    private static Map<String, Object> outcome(ChatResponse response, List<Object> ran, boolean schema) {
        var message = response.aiMessage();
        var usage = response.tokenUsage();
        var said = new HashMap<String, Object>();
        said.put("text", schema ? null : message.text());
        said.put("parsed", schema ? Jobs.parse(message.text(), Jobs.Weather.class) : null);
        said.put("reasoning", message.thinking());
        said.put("ran", ran);
        said.put("finish", response.finishReason() == null ? null : response.finishReason().name());
        said.put("usage", usage == null ? null : List.of(usage.inputTokenCount(), usage.outputTokenCount()));
        return said;
    }

    /** An error of the API has the reply's body as its message. */
    private static Map<String, Object> shown(RuntimeException failure) {
        var name = failure.getClass().getSimpleName();
        if (!(failure.getCause() instanceof HttpException refused)) {
            return Map.of("class", name, "message", failure.getMessage());
        }
        var error = Jobs.parse(refused.getMessage(), JsonNode.class).path("error");
        return Map.of("class", name, "status", refused.statusCode(), "code", error.path("code").asText(), "message", error.path("message").asText());
    }
}
