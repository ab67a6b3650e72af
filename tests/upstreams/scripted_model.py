"""Writes a 'llama' that says what a script has (no training, no download): one-hot embeddings, a layer of zeros, and an output
matrix in which each token of a script is followed by the next. The chat template ends a prompt with the name of a script."""
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

MARKUP = ["<think>", "</think>", "<tool_call>", "</tool_call>"]


def call(command):
    """A call as the models of Qwen and Hermes write it, in pieces that end within the JSON."""
    arguments = json.dumps({"cmd": command}, ensure_ascii=False)
    return ["<tool_call>", '\n{"name": "exec_', f'command", "arguments": {arguments[:9]}', arguments[9:] + "}\n", "</tool_call>"]


# The scripts that the tests of every server need. Each server adds others, such as the first call, `<one>`.
SCRIPTS = {
    "<text>": ["Hello", " from", " naïve", " 你好", " 🦀."],
    "<two>": ["Two", " at once.", *call("touch two"), "\n", *call("touch three")],
    "<end>": ["All", " done."],
    # It ends within the call, which the servers then omit.
    "<broken>": ["Well.", "<tool_call>", '\n{"name": "exec_command", "arguments": {"cmd": "touch bro'],
}


def write(directory, scripts, end, template, tokenizer_config={}, endless=()):
    """Writes the model, with `end` as the token that ends a reply. The scripts in `endless` repeat their last token."""
    scripts = SCRIPTS | scripts
    directory = Path(directory)
    directory.mkdir(parents=True)
    special = ["<unk>", end, *MARKUP]
    vocabulary, following = linked(scripts, special, end, endless)
    tokenizer = Tokenizer(models.WordLevel({token: n for n, token in enumerate(vocabulary)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.Sequence([decoders.Replace(Regex("⟨[0-9]+⟩"), ""), decoders.Fuse()])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in (*special, *scripts)])
    tokenizer.save(str(directory / "tokenizer.json"))
    size = len(vocabulary)
    hidden = -size % 8 + size
    configurations = {
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "unk_token": "<unk>", "eos_token": end, "clean_up_tokenization_spaces": False,
            "chat_template": Path(template).read_text(),
            **tokenizer_config,
        },
        "config.json": {
            "model_type": "llama", "architectures": ["LlamaForCausalLM"], "dtype": "float32", "vocab_size": size,
            "hidden_size": hidden, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
            "num_key_value_heads": 1, "head_dim": 8, "rms_norm_eps": 1e-5, "max_position_embeddings": 131072,
            "tie_word_embeddings": False, "eos_token_id": vocabulary.index(end),
        },
    }
    for name, configuration in configurations.items():
        (directory / name).write_text(json.dumps(configuration))
    output = np.zeros((size, hidden), np.float32)
    for now in range(size):
        output[following.get(now, vocabulary.index(end))][now] = 100
    save_file(weights(output), directory / "model.safetensors", {"format": "pt"})


def linked(scripts, special, end, endless):
    """The tokens, and which one follows each. Tokens of scripts carry a number, which the decoder removes, so all differ."""
    vocabulary, following = list(special), {}
    for name, pieces in scripts.items():
        last = len(vocabulary)
        vocabulary.append(name)
        for piece in pieces:
            following[last] = len(vocabulary)
            last = len(vocabulary)
            vocabulary.append(f"⟨{last}⟩{piece}")
        following[last] = last if name in endless else vocabulary.index(end)
    return vocabulary, following


def weights(output):
    """The tensors of a llama that only knows this output matrix."""
    size, hidden = output.shape
    zeros = {
        **{f"self_attn.{name}_proj": (8, hidden) for name in "qkv"},
        "self_attn.o_proj": (hidden, 8),
        "mlp.gate_proj": (8, hidden), "mlp.up_proj": (8, hidden), "mlp.down_proj": (hidden, 8),
    }
    norms = ("input_layernorm", "post_attention_layernorm")
    return {
        "model.embed_tokens.weight": np.eye(size, hidden, dtype=np.float32),
        "model.norm.weight": np.ones(hidden, np.float32),
        "lm_head.weight": output,
        **{f"model.layers.0.{name}.weight": np.zeros(shape, np.float32) for name, shape in zeros.items()},
        **{f"model.layers.0.{name}.weight": np.ones(hidden, np.float32) for name in norms},
    }
