#!/usr/bin/env python3
"""A hand-made 'llama' GGUF (no training, no download): one-hot embeddings, a layer of zeros, and an output matrix in which
each token of a script is followed by the next. chat.jinja picks the script. usage: mkmodel.py OUT.gguf"""
import json, sys
from pathlib import Path

import gguf
import numpy as np


def call(command, first):
    """A call as Hermes' and Qwen's models write it, in pieces that end within the JSON. The server's buffer for the text of a
    token has 32 bytes, and what is longer is lost."""
    arguments = json.dumps({"cmd": command}, ensure_ascii=False)
    text = f'<tool_call>\n{{"name": "exec_command", "arguments": {arguments}}}\n</tool_call>'
    return [text[:first], *(text[at : at + 20] for at in range(first, len(text), 20))]


# Each piece is a token, so no two may be equal. Therefore each call begins with a piece of a different length.
SCRIPTS = {
    "<text>": ["Hello", " from", " naïve", " 你好", " 🦀."],
    "<one>": ["First one.\n", *call('touch one; echo "naïve 🦀"', 13)],
    "<two>": ["Two at once.\n", *call("touch two", 14), "\n", *call("touch three", 15)],
    "<end>": ["All", " done."],
    "<broken>": ["Well.", *call("touch broken", 16)[:-2]],
}
KIND = gguf.TokenType
tokens = {"<unk>": KIND.UNKNOWN, "<s>": KIND.CONTROL, "<eos>": KIND.CONTROL}
tokens |= {f"<0x{byte:02X}>": KIND.BYTE for byte in range(256)}
tokens |= {start: KIND.USER_DEFINED for start in SCRIPTS}
tokens |= {piece: KIND.USER_DEFINED for pieces in SCRIPTS.values() for piece in pieces}
number = {token: at for at, token in enumerate(tokens)}
SIZE = -len(tokens) % 64 + len(tokens)
assert len(tokens) == 3 + 256 + len(SCRIPTS) + sum(map(len, SCRIPTS.values())), "two pieces are equal"

output = np.zeros((len(tokens), SIZE), np.float32)
output[number["<eos>"], : len(tokens)] = 50
# Where a grammar allows it, a string ends.
output[number["<0x22>"], : len(tokens)] = 10
for start, pieces in SCRIPTS.items():
    for now, following in zip([start, *pieces], pieces):
        output[number[following], number[now]] = 100

model = gguf.GGUFWriter(sys.argv[1], "llama")
model.add_name("scripted")
model.add_context_length(65536)
model.add_embedding_length(SIZE)
model.add_block_count(1)
model.add_feed_forward_length(64)
model.add_head_count(SIZE // 64)
model.add_head_count_kv(1)
model.add_layer_norm_rms_eps(1e-5)
model.add_rope_dimension_count(64)
model.add_vocab_size(len(tokens))
model.add_file_type(0)
model.add_tokenizer_model("llama")
model.add_tokenizer_pre("default")
model.add_token_list(list(tokens))
model.add_token_scores([0.0] * len(tokens))
model.add_token_types(list(tokens.values()))
model.add_bos_token_id(number["<s>"])
model.add_eos_token_id(number["<eos>"])
model.add_unk_token_id(number["<unk>"])
model.add_add_bos_token(False)
model.add_add_space_prefix(False)
model.add_chat_template(Path(__file__).with_name("chat.jinja").read_text())
zeros = {
    "attn_q": (SIZE, SIZE), "attn_k": (64, SIZE), "attn_v": (64, SIZE), "attn_output": (SIZE, SIZE),
    "ffn_gate": (64, SIZE), "ffn_up": (64, SIZE), "ffn_down": (SIZE, 64),
}
model.add_tensor("token_embd.weight", np.eye(len(tokens), SIZE, dtype=np.float32))
model.add_tensor("output_norm.weight", np.ones(SIZE, np.float32))
# The norm scales a one-hot vector by the square root of its size.
model.add_tensor("output.weight", output / np.float32(np.sqrt(SIZE)))
for name, shape in zeros.items():
    model.add_tensor(f"blk.0.{name}.weight", np.zeros(shape, np.float32))
for name in ("attn_norm", "ffn_norm"):
    model.add_tensor(f"blk.0.{name}.weight", np.ones(SIZE, np.float32))
model.write_header_to_file()
model.write_kv_data_to_file()
model.write_tensors_to_file()
model.close()
