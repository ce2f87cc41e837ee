#!/usr/bin/env python3
"""No words that mark unfinished work, and no code that is commented out, in sources, build files and programs."""

import re

import source

FOLDERS = source.CODE + source.TESTS + ("cmake", "proto", "docker", "rules")
SUFFIXES = (".c", ".h", ".cc", ".def", ".cmake", ".txt", ".proto", ".sh", ".yaml", ".json", ".py", "")
WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
# A line of a comment that ends as only a statement does: `name(…);`, `x = y;`, `return x;`.
DEAD_CODE = re.compile(r"^\s*(?:/\*+|//|\*)?\s*(?:\w+\([^)]*\)|[\w.>\-\[\]]+ = [^;\n]+|return [^;\n]+);\s*(?:\*/)?$", re.M)
TEXT_LIMIT = 4 << 20


def sources(root):
  for path in source.files(root, FOLDERS, SUFFIXES):
    if path.parts[:2] != ("tests", "data") and "corpus" not in path.parts and (root / path).stat().st_size < TEXT_LIMIT:
      yield path


def check(root):
  for path in sources(root):
    text = source.read(root, path)
    for match in WORDS.finditer(text):
      yield source.finding(path, source.line_of(text, match.start()), f"left over: {match.group()}")
    if path.suffix not in (".c", ".cc"):
      continue
    for comment in COMMENT.finditer(text):
      for match in DEAD_CODE.finditer(comment.group()):
        line = source.line_of(text, comment.start() + match.start())
        yield source.finding(path, line, f"commented-out code: {match.group().strip()}")


if __name__ == "__main__":
  source.main(check)
