#!/usr/bin/env bash
# Ollama reads the schema of a tool into a type of its own: references and combinations are gone, and `true` as a schema is refused.
#
# Software: Ollama 0.17.4, `api.Tool` (Go module github.com/ollama/ollama), into which every API of the server decodes tools.
# Input: tools with the schemas below, as generators write them.
# Expected by most readers: the schema reaches the template, and so the model, as it was sent, or is refused.
# Seen: `$defs` stays but the `$ref` to it is gone, so the model sees a parameter without a type. So it is with `oneOf`, `allOf`, `const`
# and `pattern`; `required` is gone within a property, but stays within `items`. A root of `anyOf` loses everything. A property whose
# schema is `true`, which JSON Schema treats like {}, fails the whole request with status 400.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/ollama/ollama/api"
)

func main() {
	for _, schema := range []string{
		`{"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "string"}}}`,
		`{"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}, "b": {"type": "string", "pattern": "x"}}}`,
		`{"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}}}`,
		`{"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}]}`,
		`{"type": "object", "properties": {"a": true}}`,
	} {
		var tool api.Tool
		if json.Unmarshal([]byte(`{"type": "function", "function": {"name": "f", "parameters": `+schema+`}}`), &tool) != nil {
			fmt.Println("refused")
			continue
		}
		fmt.Println(tool.Function.Parameters.String())
	}
}
GO
{ go mod init example.com/schemas && timeout 600 go get github.com/ollama/ollama@v0.17.4 && timeout 600 go build -o schemas .; } >log 2>&1 || { cat log; exit 1; }
seen=$(./schemas)
echo "$seen"
[[ $seen == '{"type":"object","$defs":{"x":{"type":"string"}},"properties":{"a":{}}}
{"type":"object","properties":{"a":{},"b":{"type":"string"}}}
{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"string"}}}}}
{"type":"","properties":null}
refused' ]]
