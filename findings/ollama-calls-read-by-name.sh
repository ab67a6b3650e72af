#!/usr/bin/env bash
# Ollama takes the first name of a declared tool in a reply for the tool that is called, and a parameter called `name` for a tool's name.
#
# Software: Ollama 0.17.4, its parser for models whose calls are described by the template alone (`tools.NewParser`, Go module
# github.com/ollama/ollama), with its own template for Command R and two others.
# Input: replies of a model, with the tools `create` and `delete` declared.
# Expected by most readers: a call is JSON, its `name` says which tool is called, and its arguments arrive; what cannot be read stays text.
# Seen:
# 1. Arguments before the name, with the word "delete" in a text: a call of `delete` with the arguments for `create`.
# 2. A call of a tool that is not declared, with the same word: the same.
# 3. Command R, in the form of its own template: the arguments are the whole object, {"tool_name": ..., "parameters": {...}}.
# 4. Command R, with a parameter called `name`: the call is lost, and the text is empty.
# 5. A name outside of the JSON, as in Mistral's newer templates, with a parameter called `name`: the same.
# 6. A call without arguments, then another one: both are lost, and the text is empty.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/ollama/ollama/api"
	"github.com/ollama/ollama/template"
	"github.com/ollama/ollama/tools"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	hermes := `{{ range .Messages }}{{ if .ToolCalls }}<tool_call>{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}{{ end }}</tool_call>{{ end }}{{ end }}`
	mistral := `{{ range .Messages }}{{ if .ToolCalls }}[TOOL_CALLS]{{ range .ToolCalls }}{{ .Function.Name }}[ARGS]{{ .Function.Arguments }}{{ end }}{{ end }}{{ end }}`
	command := string(must(os.ReadFile(os.Args[1])))
	var declared []api.Tool
	for _, name := range []string{"create", "delete"} {
		declared = append(declared, api.Tool{Type: "function", Function: api.ToolFunction{Name: name}})
	}
	for _, reply := range [][2]string{
		{hermes, `<tool_call>{"arguments": {"text": "delete me"}, "name": "create"}</tool_call>`},
		{hermes, `<tool_call>{"name": "unknown", "arguments": {"text": "delete me"}}</tool_call>`},
		{command, "Action: ```json\n[\n    {\n        \"tool_name\": \"create\",\n        \"parameters\": {\"text\": \"x\"}\n    }\n]```"},
		{command, "Action: ```json\n[\n    {\n        \"tool_name\": \"create\",\n        \"parameters\": {\"name\": \"x\"}\n    }\n]```"},
		{mistral, `[TOOL_CALLS]create[ARGS]{"name": "x"}`},
		{hermes, `<tool_call>{"name": "create"}</tool_call><tool_call>{"name": "delete", "arguments": {"text": "x"}}</tool_call>`},
	} {
		parser := tools.NewParser(must(template.Parse(reply[0])).Template, declared)
		calls, content := parser.Add(reply[1])
		fmt.Printf("%q", content+parser.Content())
		for _, call := range calls {
			fmt.Printf(" %s %s", call.Function.Name, must(json.Marshal(call.Function.Arguments)))
		}
		fmt.Println()
	}
}
GO
{ go mod init example.com/calls && timeout 600 go get github.com/ollama/ollama@v0.17.4 && timeout 600 go build -o calls .; } >log 2>&1 || { cat log; exit 1; }
seen=$(./calls "$(go list -m -f '{{.Dir}}' github.com/ollama/ollama)/template/command-r.gotmpl")
echo "$seen"
[[ $seen == '"" delete {"text":"delete me"}
"" delete {"text":"delete me"}
"" create {"tool_name":"create","parameters":{"text":"x"}}
""
""
""' ]]
