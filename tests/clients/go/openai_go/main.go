// Command openai_go drives openai-go. Modes: `new`, `stream`. See ../../drivers/jobs.py.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

type object = map[string]any

type job struct {
	BaseURL string `json:"base_url"`
	Mode    string
	Tools   bool
	Schema  bool
	Retries int
	Request struct {
		MaxOutputTokens *int64 `json:"max_output_tokens"`
		Reasoning       struct{ Effort, Summary string }
	}
}

func main() {
	jobs, outcomes := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for jobs.Scan() {
		var job job
		if err := json.Unmarshal(jobs.Bytes(), &job); err != nil {
			panic(err)
		}
		said := ask(job)
		for key, value := range said {
			if value == nil || value == "" {
				delete(said, key)
			}
		}
		if err := outcomes.Encode(said); err != nil {
			panic(err)
		}
	}
}

func ask(job job) object {
	client := openai.NewClient(
		option.WithBaseURL(job.BaseURL), option.WithAPIKey("key"), option.WithMaxRetries(job.Retries),
	)
	turn := whole
	if job.Mode == "stream" {
		turn = stream
	}
	request := request(job)
	input := &request.Input.OfInputItemList
	ran := []any{}
	for {
		response, err := turn(client, request)
		if err != nil {
			return object{"ran": list(ran), "error": shown(err)}
		}
		var outputs responses.ResponseInputParam
		for _, item := range response.Output {
			*input = append(*input, param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON())))
			// Its custom calls have no status.
			if response.Status == responses.ResponseStatusCompleted {
				outputs = append(outputs, output(item, &ran)...)
			}
		}
		if len(outputs) == 0 {
			return outcome(response, ran, job.Schema)
		}
		*input = append(*input, outputs...)
	}
}

func request(job job) responses.ResponseNewParams {
	request := responses.ResponseNewParams{
		Model:        "m",
		Instructions: openai.String("Be brief."),
		Input: responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
			responses.ResponseInputItemParamOfMessage("How is the weather?", responses.EasyInputMessageRoleUser),
		}},
		Reasoning: shared.ReasoningParam{
			Effort:  shared.ReasoningEffort(job.Request.Reasoning.Effort),
			Summary: shared.ReasoningSummary(job.Request.Reasoning.Summary),
		},
	}
	if limit := job.Request.MaxOutputTokens; limit != nil {
		request.MaxOutputTokens = openai.Int(*limit)
	}
	if job.Tools {
		request.Tools = []responses.ToolUnionParam{
			{OfFunction: &responses.FunctionToolParam{
				Name: "get_weather", Description: openai.String("Tells the weather of a city."), Strict: openai.Bool(true),
				Parameters: schema(object{"city": object{"type": "string"}}, "city"),
			}},
			{OfCustom: &responses.CustomToolParam{
				Name: "run", Description: openai.String("Runs a script."),
				Format: shared.CustomToolInputFormatUnionParam{OfText: &shared.CustomToolInputFormatTextParam{}},
			}},
		}
	}
	if job.Schema {
		request.Text.Format.OfJSONSchema = &responses.ResponseFormatTextJSONSchemaConfigParam{
			Name: "Weather", Strict: openai.Bool(true),
			Schema: schema(object{"city": object{"type": "string"}, "celsius": object{"type": "integer"}}, "city", "celsius"),
		}
	}
	return request
}

func schema(properties object, required ...string) object {
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func whole(client openai.Client, request responses.ResponseNewParams) (*responses.Response, error) {
	return client.Responses.New(context.Background(), request)
}

func stream(client openai.Client, request responses.ResponseNewParams) (*responses.Response, error) {
	events := client.Responses.NewStreaming(context.Background(), request)
	defer events.Close()
	var streamed strings.Builder
	for events.Next() {
		switch event := events.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			streamed.WriteString(event.Delta)
		case responses.ResponseIncompleteEvent:
			return &event.Response, nil
		case responses.ResponseCompletedEvent:
			if text := event.Response.OutputText(); streamed.String() != text {
				return nil, fmt.Errorf("streamed %q, not %q", streamed.String(), text)
			}
			return &event.Response, nil
		}
	}
	if err := events.Err(); err != nil {
		return nil, err
	}
	return nil, errors.New("no end")
}

// output runs the tool, if the item is a call.
func output(item responses.ResponseOutputItemUnion, ran *[]any) responses.ResponseInputParam {
	switch call := item.AsAny().(type) {
	case responses.ResponseCustomToolCall:
		*ran = append(*ran, []any{call.Name, call.Input})
		return responses.ResponseInputParam{responses.ResponseInputItemParamOfCustomToolCallOutput(call.CallID, "done")}
	case responses.ResponseFunctionToolCall:
		var given struct {
			City string `json:"city"`
		}
		if err := json.Unmarshal([]byte(call.Arguments), &given); err != nil {
			panic(err)
		}
		*ran = append(*ran, []any{call.Name, given})
		answer := responses.ResponseInputItemParamOfFunctionCallOutput(given.City + ": sunny")
		answer.OfFunctionCallOutput.CallID = openai.String(call.CallID)
		return responses.ResponseInputParam{answer}
	}
	return nil
}

func outcome(response *responses.Response, ran []any, parse bool) object {
	var refusal, reasoning strings.Builder
	for _, item := range response.Output {
		for _, part := range item.Content {
			refusal.WriteString(part.Refusal)
		}
		for _, part := range item.Summary {
			reasoning.WriteString(part.Text)
		}
	}
	said := object{
		"text": response.OutputText(), "refusal": refusal.String(), "reasoning": reasoning.String(),
		"ran": list(ran), "finish": string(response.Status),
		"usage": []int64{response.Usage.InputTokens, response.Usage.OutputTokens},
	}
	if reason := response.IncompleteDetails.Reason; reason != "" {
		said["finish"] = string(reason)
	}
	if parse {
		delete(said, "text")
		said["parsed"] = json.RawMessage(response.OutputText())
	}
	return said
}

// list is nothing if it is empty.
func list(values []any) any {
	if len(values) == 0 {
		return nil
	}
	return values
}

func shown(err error) object {
	var refused *openai.Error
	var broken *ssestream.StreamError
	switch {
	case errors.As(err, &refused):
		return object{"class": "openai.Error", "status": refused.StatusCode, "code": refused.Code, "message": refused.Message}
	case errors.As(err, &broken):
		// The message is the error in JSON, as the event has it.
		var event struct{ Error struct{ Message string } }
		if err := json.Unmarshal(broken.Event.Data, &event); err != nil {
			panic(err)
		}
		return object{"class": "ssestream.StreamError", "message": event.Error.Message}
	default:
		return object{"class": fmt.Sprintf("%T", err), "message": err.Error()}
	}
}
