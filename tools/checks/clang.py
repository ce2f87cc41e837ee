#!/usr/bin/env python3
"""clang, too, has no warning about any source that build/ compiles, with the options that gcc gets there."""

import json
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

import source

WARNING = re.compile(r"^(\S+?):(\d+):\d+: (?:fatal )?(?:warning|error): (.*)", re.M)


def clang_command(command):
  """The command of another compiler, behind a launcher or not, as one of clang that only looks."""
  words = shlex.split(command)
  first_option = next(index for index, word in enumerate(words) if word.startswith("-"))
  compiler = "clang++" if words[first_option - 1].endswith("++") else "clang"
  return [compiler, "-fsyntax-only", "-fno-caret-diagnostics"] + words[first_option:]


def look(root, entry):
  run = subprocess.run(
    clang_command(entry["command"]), cwd=entry["directory"], capture_output=True, text=True, check=False
  )
  for match in WARNING.finditer(run.stderr):
    path, line, message = match.groups()
    yield source.finding(os.path.relpath(os.path.join(entry["directory"], path), root), line, message)


def check(root):
  database = root / "build/compile_commands.json"
  if not database.is_file():
    raise SystemExit("build:1: there is no compile_commands.json; build first")
  build = str(root / "build")
  entries = [entry for entry in json.loads(database.read_text()) if not entry["file"].startswith(build)]
  with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
    results = pool.map(lambda entry: list(look(root, entry)), entries)
    yield from sorted({line for lines in results for line in lines})


if __name__ == "__main__":
  source.main(check)
