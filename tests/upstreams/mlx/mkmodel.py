#!/usr/bin/env python3
"""A hand-made 'llama' for MLX (no training, no download): one-hot embeddings, a layer of zeros, and an output matrix in
which each token of a script is followed by the next. chat.jinja picks the script. usage: mkmodel.py DIRECTORY"""
import json, sys
from pathlib import Path

import mlx.core as mx
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers


def call(command):
    """A call as Qwen's and Hermes' models write it, in pieces that end within the JSON."""
    arguments = json.dumps({"cmd": command}, ensure_ascii=False)
    return ["<tool_call>", '\n{"name": "exec_', f'command", "arguments": {arguments[:9]}', arguments[9:] + "}\n", "</tool_call>"]


SCRIPTS = {
    "<text>": ["Hello", " from", " naïve", " 你好", " 🦀."],
    "<one>": ["First", " one.", "</think>", *call('touch one; echo "naïve 🦀"')],
    "<two>": ["Two", " at once.", *call("touch two"), "\n", *call("touch three")],
    "<end>": ["All", " done."],
    # It ends within the call, which the server then leaves out.
    "<broken>": ["Well.", "<tool_call>", '\n{"name": "exec_command", "arguments": {"cmd": "touch bro'],
}
LETTERS = ["<unk>", "<eos>", "<think>", "</think>", "<tool_call>", "</tool_call>"]

# Each token once: those of the scripts carry a number, which the decoder takes away.
vocabulary, following = list(LETTERS), {}
for start, pieces in SCRIPTS.items():
    last = len(vocabulary)
    vocabulary.append(start)
    for piece in pieces:
        following[last] = len(vocabulary)
        last = len(vocabulary)
        vocabulary.append(f"⟨{last}⟩{piece}")
    following[last] = vocabulary.index("<eos>")
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
    "unk_token": "<unk>", "eos_token": "<eos>", "clean_up_tokenization_spaces": False,
    "chat_template": Path(__file__).with_name("chat.jinja").read_text(),
})
write("config.json", {
    "model_type": "llama", "hidden_size": hidden, "num_hidden_layers": 1, "intermediate_size": 8, "num_attention_heads": 1,
    "head_dim": 8, "rms_norm_eps": 1e-5, "vocab_size": size, "max_position_embeddings": 131072,
    "tie_word_embeddings": False, "eos_token_id": vocabulary.index("<eos>"),
})

embedding = mx.eye(size, hidden)
output = [[0.0] * hidden for _ in range(size)]
for now in range(size):
    output[following.get(now, vocabulary.index("<eos>"))][now] = 100.0
layer = "model.layers.0."
zeros = {
    "self_attn.q_proj": (8, hidden), "self_attn.k_proj": (8, hidden), "self_attn.v_proj": (8, hidden),
    "self_attn.o_proj": (hidden, 8), "mlp.gate_proj": (8, hidden), "mlp.up_proj": (8, hidden), "mlp.down_proj": (hidden, 8),
}
mx.save_safetensors(str(directory / "model.safetensors"), {
    "model.embed_tokens.weight": embedding,
    "model.norm.weight": mx.ones(hidden),
    "lm_head.weight": mx.array(output),
    **{f"{layer}{name}.weight": mx.zeros(shape) for name, shape in zeros.items()},
    **{f"{layer}{name}.weight": mx.ones(hidden) for name in ("input_layernorm", "post_attention_layernorm")},
})
