#!/usr/bin/env python3
"""A hand-made 'llama' (no training, no download): one-hot embeddings, a layer of zeros, and an output matrix in which each
token of a script is followed by the next. chat.jinja picks the script. usage: mkmodel.py DIRECTORY"""
import json, sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers


def call(command):
    """A call as Qwen's and Hermes' models write it, in pieces that end within the JSON."""
    arguments = json.dumps({"cmd": command}, ensure_ascii=False)
    return ["<tool_call>", '\n{"name": "exec_', f'command", "arguments": {arguments[:9]}', arguments[9:] + "}\n", "</tool_call>"]


SCRIPTS = {
    "<text>": ["Hello", " from", " naïve", " 你好", " 🦀."],
    "<one>": ["<think>", "First", " one.", "</think>", *call('touch one; echo "naïve 🦀"')],
    "<two>": ["Two", " at once.", *call("touch two"), "\n", *call("touch three")],
    "<end>": ["All", " done."],
    # The same token for ever.
    "<long>": [" on"],
    # A call that is no JSON.
    "<wrong>": ["Well.", "<tool_call>", "exec_command(", "</tool_call>"],
    # It ends within the call, which the server then leaves out.
    "<broken>": ["Well.", "<tool_call>", '\n{"name": "exec_command", "arguments": {"cmd": "touch bro'],
}
LETTERS = ["<unk>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>"]

# Each token once: those of the scripts carry a number, which the decoder takes away.
vocabulary, following = list(LETTERS), {}
for start, pieces in SCRIPTS.items():
    last = len(vocabulary)
    vocabulary.append(start)
    for piece in pieces:
        following[last] = len(vocabulary)
        last = len(vocabulary)
        vocabulary.append(f"⟨{last}⟩{piece}")
    following[last] = last if start == "<long>" else vocabulary.index("<|im_end|>")
size = len(vocabulary)
hidden = -size % 8 + size

directory = Path(sys.argv[1])
directory.mkdir(parents=True)
tokenizer = Tokenizer(models.WordLevel({token: n for n, token in enumerate(vocabulary)}, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer.decoder = decoders.Sequence([decoders.Replace(Regex("⟨[0-9]+⟩"), ""), decoders.Fuse()])
tokenizer.add_tokens([AddedToken(token, normalized=False) for token in (*LETTERS, *SCRIPTS)])
tokenizer.save(str(directory / "tokenizer.json"))
write = lambda name, value: (directory / name).write_text(json.dumps(value))
write("tokenizer_config.json", {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "unk_token": "<unk>", "eos_token": "<|im_end|>", "clean_up_tokenization_spaces": False,
    "chat_template": Path(__file__).with_name("chat.jinja").read_text(),
    # How the server reads a reply: as it does for Qwen, whose tokenizer class would not keep this vocabulary.
    "response_template": {
        "defaults": {"role": "assistant"},
        "start_anchor": list(SCRIPTS),
        "fields": {
            "reasoning_content": {"open": "<think>", "close": "</think>", "content": "text"},
            "tool_calls": {
                "open_pattern": r"\s*<tool_call>", "close": "</tool_call>", "repeats": True, "content": "json",
                "transform": {"type": "function", "function": "{content}"},
            },
            "content": {"close": "<|im_end|>", "content": "text"},
        },
    },
})
write("config.json", {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "dtype": "float32", "vocab_size": size, "hidden_size": hidden,
    "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 8,
    "max_position_embeddings": 131072, "tie_word_embeddings": False, "eos_token_id": vocabulary.index("<|im_end|>"),
})

output = np.zeros((size, hidden), np.float32)
for now in range(size):
    output[following.get(now, vocabulary.index("<|im_end|>"))][now] = 100
layer = "model.layers.0."
zeros = {
    **{f"self_attn.{name}_proj.weight": (8, hidden) for name in "qkv"},
    "self_attn.o_proj.weight": (hidden, 8),
    "mlp.gate_proj.weight": (8, hidden), "mlp.up_proj.weight": (8, hidden), "mlp.down_proj.weight": (hidden, 8),
}
save_file({
    "model.embed_tokens.weight": np.eye(size, hidden, dtype=np.float32),
    "model.norm.weight": np.ones(hidden, np.float32),
    "lm_head.weight": output,
    **{f"{layer}{name}": np.zeros(shape, np.float32) for name, shape in zeros.items()},
    **{f"{layer}{name}.weight": np.ones(hidden, np.float32) for name in ("input_layernorm", "post_attention_layernorm")},
}, directory / "model.safetensors", {"format": "pt"})
