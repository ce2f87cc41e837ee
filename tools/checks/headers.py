#!/usr/bin/env python3
"""Every header compiles alone, as C: whoever includes it need not know what it needs."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import source

PACKAGES = ["libuv", "libprotobuf-c", "yaml-0.1", "jansson", "libcurl", "libxxhash"]
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c"]


def flags(root):
  packages = subprocess.run(["pkg-config", "--cflags", *PACKAGES], check=True, capture_output=True, text=True)
  folders = [root / "include", root / "server"]
  return FLAGS + [f"-I{folder}" for folder in folders] + ["-isystem", str(root / "build/proto")] + packages.stdout.split()


def compile_header(root, path, options):
  """The compiler's first error, as a finding; None when it is content."""
  # Through standard input: a header as the main file would be warned of its `#pragma once`, and this is how it is used.
  run = subprocess.run(
    ["gcc", *options, "-"], input=f'#include "{root / path}"\n', capture_output=True, text=True, check=False
  )
  if run.returncode == 0:
    return None
  errors = [line for line in run.stderr.splitlines() if " error: " in line]
  return source.finding(path, 1, "does not compile alone: " + (errors or run.stderr.splitlines())[0])


def check(root):
  options = flags(root)
  paths = source.files(root, ("include", "server"), (".h",))
  with ThreadPoolExecutor(max_workers=2) as pool:
    yield from filter(None, pool.map(lambda path: compile_header(root, path, options), paths))


if __name__ == "__main__":
  source.main(check)
