#!/usr/bin/env python3
"""Writes the model of this server. usage: mkmodel.py DIRECTORY"""
import sys
from pathlib import Path

here = Path(__file__).parent
sys.path.append(str(here.parent))
from scripted_model import call, write

# The template of its prompt opens the reasoning.
scripts = {"<one>": ["First", " one.", "</think>", *call('touch one; echo "naïve 🦀"')]}
write(sys.argv[1], scripts, "<eos>", here / "chat.jinja")
