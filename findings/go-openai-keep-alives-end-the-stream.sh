#!/usr/bin/env bash
# go-openai ends a healthy stream with an error after 150 keep-alives, because it counts comments as empty messages.
#
# Software: github.com/sashabaranov/go-openai v1.43.0 (Go module proxy) with its defaults. The server below streams Chat Completions, and sends
# comments before the first chunk, as OpenRouter, DeepSeek, llama.cpp and TGI do while a prompt waits or is read.
# Input: streams of three chunks, before each of which come 100, 149, 150 or 151 comments `: keep-alive`; or 59, 60 or 61 events without data, of
# four lines each.
# Expected by most readers: comments are there to keep a connection alive. A client ignores them, however many they are.
# Seen: the limit is of 300 lines between two chunks that do not begin with `data:`. A comment is two of them, itself and the blank line after
# it, an event of four lines is five. So 150 comments are fine before the first chunk but not between two, where the blank line of the chunk
# counts as well, and 151 never are: "stream has sent too many empty messages". A server with one comment a second ends every
# request that waits for two and a half minutes. No message was empty.
# `EmptyMessagesLimit` of the configuration raises the limit.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sashabaranov/go-openai"
)

func ask(pause string) string {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("content-type", "text/event-stream")
		for _, word := range []string{"It ", "is ", "sunny."} {
			fmt.Fprintf(writer, "%sdata: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": %q}}]}\n\n", pause, word)
		}
		fmt.Fprint(writer, "data: [DONE]\n\n")
	}))
	defer server.Close()
	config := openai.DefaultConfig("key")
	config.BaseURL = server.URL
	request := openai.ChatCompletionRequest{Model: "m", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "How is the weather?"}}}
	stream, err := openai.NewClientWithConfig(config).CreateChatCompletionStream(context.Background(), request)
	if err != nil {
		return err.Error()
	}
	defer stream.Close()
	text := ""
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return text
		}
		if err != nil {
			return fmt.Sprintf("%q, then %v", text, err)
		}
		text += chunk.Choices[0].Delta.Content
	}
}

func main() {
	for _, count := range []int{100, 149, 150, 151} {
		fmt.Printf("%d comments before each chunk: %s\n", count, ask(strings.Repeat(": keep-alive\n\n", count)))
	}
	for _, count := range []int{59, 60, 61} {
		fmt.Printf("%d events of four lines before each chunk: %s\n", count, ask(strings.Repeat("event: ping\nid: 1\nretry: 100\n: still here\n\n", count)))
	}
}
GO
{ go mod init example.com/wait && timeout 300 go get github.com/sashabaranov/go-openai@v1.43.0 && timeout 300 go build -o wait .; } >log 2>&1 || { cat log; exit 1; }
seen=$(timeout 60 ./wait)
echo "$seen"
error="then stream has sent too many empty messages"
[[ $seen == "100 comments before each chunk: It is sunny.
149 comments before each chunk: It is sunny.
150 comments before each chunk: \"It \", $error
151 comments before each chunk: \"\", $error
59 events of four lines before each chunk: It is sunny.
60 events of four lines before each chunk: \"It \", $error
61 events of four lines before each chunk: \"\", $error" ]]
