#!/usr/bin/env bash
# Ollama loses the tool calls of an assistant message that follows another assistant message.
#
# Software: Ollama 0.17.4, the code of `POST /v1/chat/completions` before the model: `openai.FromChatRequest` and `template.Execute`
# (Go module github.com/ollama/ollama). 0.6.5 does the same, in a running server.
# Input: a user message, an assistant message with text, an assistant message with a call, and the call's output, which is how clients
# write a reply that said something before its call. The template writes every message with its calls.
# Expected by most readers: the model sees the text, the call and the output; or, if messages are joined, their calls are joined too.
# Seen: consecutive messages of a role become one, which gets the text of all and the calls of the first only. The model sees an output
# without a call. The same call beside the text, in one message, arrives. So a proxy has to join such messages itself.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"os"

	"github.com/ollama/ollama/openai"
	"github.com/ollama/ollama/template"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	written := must(template.Parse(`{{ range $at, $message := .Messages }}{{ if $at }}; {{ end }}{{ .Role }}: {{ json .Content }}{{ range .ToolCalls }} calls {{ .Function.Name }}{{ end }}{{ end }}
`))
	call := `"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]`
	for _, said := range []string{
		`{"role": "assistant", "content": "I look.", ` + call + `}`,
		`{"role": "assistant", "content": "I look."}, {"role": "assistant", "content": "", ` + call + `}`,
	} {
		var request openai.ChatCompletionRequest
		body := `{"messages": [{"role": "user", "content": "Hi"}, ` + said + `, {"role": "tool", "tool_call_id": "a", "content": "x"}]}`
		if err := json.Unmarshal([]byte(body), &request); err != nil {
			panic(err)
		}
		if err := written.Execute(os.Stdout, template.Values{Messages: must(openai.FromChatRequest(request)).Messages}); err != nil {
			panic(err)
		}
	}
}
GO
{ go mod init example.com/history && timeout 600 go get github.com/ollama/ollama@v0.17.4 && timeout 600 go build -o history .; } >log 2>&1 || { cat log; exit 1; }
seen=$(./history)
echo "$seen"
[[ $seen == 'user: "Hi"; assistant: "I look." calls f; tool: "x"
user: "Hi"; assistant: "I look.\n\n"; tool: "x"' ]]
