#!/usr/bin/env bash
# MCP's SDK for Go infers schemas that its own decoder contradicts: a json.Number or a big.Int can never be passed.
#
# Software: github.com/modelcontextprotocol/go-sdk v1.8.0 (Go module proxy), the official SDK: `AddTool` with a struct as input, from which the SDK infers the
# schema, checks each call by it and decodes the call; its own client over a transport in memory.
# Input: one field a type. Each is passed in the two forms that a reader would try: what encoding/json writes for the type, and the other.
# Expected by most readers: the inferred schema describes what encoding/json reads and writes for the type, so that at least this is accepted.
# Seen: `json.RawMessage`, any JSON, is "an array of integers from 0 to 255", so a tool for any JSON is only given arrays of bytes: objects and strings are
# refused. `[]byte` is that as well, so the base64 that encoding/json writes and documents is refused. `json.Number`, `*big.Int` and an `int`
# with the option `string` are impossible: the schema refuses one form and the decoder the other. `netip.Addr` is an object without
# properties. `time.Time` is well. The results are no better: a tool whose output has a `[]byte` fails after it ran, since its
# own result does not fit the schema. The parameter can be `any` or a string, or the tool has to bring its own schema.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >main.go <<'GO'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type input struct {
	Any     json.RawMessage `json:"any,omitempty"`
	Bytes   []byte          `json:"bytes,omitempty"`
	Number  json.Number     `json:"number,omitempty"`
	Big     *big.Int        `json:"big,omitempty"`
	Quoted  int             `json:"quoted,string,omitempty"`
	Address netip.Addr      `json:"address,omitzero"`
	Time    time.Time       `json:"time,omitzero"`
}

type output struct {
	Bytes []byte `json:"bytes"`
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	server := mcp.NewServer(&mcp.Implementation{Name: "server", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "take"}, func(_ context.Context, _ *mcp.CallToolRequest, taken input) (*mcp.CallToolResult, any, error) {
		text := must(json.Marshal(taken))
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "taken as " + string(text)}}}, nil, nil
	})
	ran := false
	mcp.AddTool(server, &mcp.Tool{Name: "give"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, output, error) {
		ran = true
		return nil, output{[]byte("hi")}, nil
	})
	here, there := mcp.NewInMemoryTransports()
	must(server.Connect(ctx, there, nil))
	session := must(mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, nil).Connect(ctx, here, nil))

	call := func(name, arguments string) string {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(arguments)})
		if err != nil {
			return "failed: " + err.Error()
		}
		text := result.Content[0].(*mcp.TextContent).Text
		switch {
		case !result.IsError:
			return text
		case strings.Contains(text, "validating"):
			return "refused by the schema"
		default:
			return "refused by the decoder"
		}
	}

	tools := must(session.ListTools(ctx, nil)).Tools
	var schema struct{ Properties map[string]json.RawMessage }
	for _, tool := range tools {
		if tool.Name == "take" {
			if err := json.Unmarshal(must(json.Marshal(tool.InputSchema)), &schema); err != nil {
				panic(err)
			}
		}
	}
	for _, field := range [][]string{
		{"any", `{"a":1}`, `[104,105]`},
		{"bytes", `"aGk="`, `[104,105]`},
		{"number", `5`, `"5"`},
		{"big", `5`, `"5"`},
		{"quoted", `"5"`, `5`},
		{"address", `"192.0.2.1"`, `{}`},
		{"time", `"2026-11-29T09:00:00Z"`, `{}`},
	} {
		name := field[0]
		fmt.Printf("%s: %s\n", name, schema.Properties[name])
		for _, value := range field[1:] {
			fmt.Printf("  %s %s\n", value, call("take", fmt.Sprintf("{%q: %s}", name, value)))
		}
	}
	fmt.Println("give:", call("give", "{}"), "after it ran:", ran)
}
GO
{ go mod init example.com/tools && timeout 300 go get github.com/modelcontextprotocol/go-sdk/mcp@v1.8.0 && timeout 400 go build -o tools .; } >log 2>&1 || { cat log; exit 1; }
seen=$(timeout 60 ./tools)
echo "$seen"
bytes='{"items":{"maximum":255,"minimum":0,"type":"integer"},"type":["null","array"]}'
[[ $seen == "any: $bytes
  {\"a\":1} refused by the schema
  [104,105] taken as {\"any\":[104,105]}
bytes: $bytes
  \"aGk=\" refused by the schema
  [104,105] taken as {\"bytes\":\"aGk=\"}
number: {\"type\":\"string\"}
  5 refused by the schema
  \"5\" refused by the decoder
big: {\"type\":[\"null\",\"string\"]}
  5 refused by the schema
  \"5\" refused by the decoder
quoted: {\"type\":\"integer\"}
  \"5\" refused by the schema
  5 refused by the decoder
address: {\"additionalProperties\":false,\"properties\":{},\"type\":\"object\"}
  \"192.0.2.1\" refused by the schema
  {} refused by the decoder
time: {\"type\":\"string\"}
  \"2026-11-29T09:00:00Z\" taken as {\"time\":\"2026-11-29T09:00:00Z\"}
  {} refused by the schema
give: failed: "*"validating tool output"*" after it ran: true" ]]
