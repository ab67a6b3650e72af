#!/usr/bin/env python3
"""A real llama_cpp.server, whose library is the llama.cpp inside of xllamacpp. usage: serve.py OPTIONS of llama_cpp.server"""
import ctypes


class Library(ctypes.CDLL):
    """xllamacpp was linked without what it does not use, such as quantization. This server does not use it either, but
    llama_cpp looks it up when it is imported."""

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            if not name.startswith(("llama_", "ggml_")):
                raise
            return ctypes.CFUNCTYPE(None)()


ctypes.CDLL = Library

from llama_cpp.server.__main__ import main  # after the replacement

main()
