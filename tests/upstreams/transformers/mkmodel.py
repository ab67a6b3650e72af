#!/usr/bin/env python3
"""Writes the model of this server. usage: mkmodel.py DIRECTORY"""
import sys
from pathlib import Path

here = Path(__file__).parent
sys.path.append(str(here.parent))
from scripted_model import SCRIPTS, call, write

END = "<|im_end|>"
scripts = {
    "<one>": ["<think>", "First", " one.", "</think>", *call('touch one; echo "naïve 🦀"')],
    "<long>": [" on"],
    # A call that is not JSON.
    "<wrong>": ["Well.", "<tool_call>", "exec_command(", "</tool_call>"],
}
# The server reads replies as it does for Qwen, whose tokenizer class would not keep this vocabulary.
template = {
    "defaults": {"role": "assistant"},
    "start_anchor": [*SCRIPTS, *scripts],
    "fields": {
        "reasoning_content": {"open": "<think>", "close": "</think>", "content": "text"},
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>", "close": "</tool_call>", "repeats": True, "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close": END, "content": "text"},
    },
}
write(sys.argv[1], scripts, END, here / "chat.jinja", {"response_template": template}, endless=["<long>"])
