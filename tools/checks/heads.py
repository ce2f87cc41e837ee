#!/usr/bin/env python3
"""Every C file opens with a comment that says what it is, and every header has a guard named after its path."""

import source


def guard_of(path):
  """include/seccheckd/base/arena.h has SECCHECKD_BASE_ARENA_H, server/net/tick.h SCD_SERVER_NET_TICK_H; so in tests/."""
  parts = list(path.with_suffix("").parts)
  parts = parts[1:] if parts[0] == "include" else ["scd"] + parts
  return "_".join(parts).upper().replace("-", "_") + "_H"


def check(root):
  for path in source.files(root, source.CODE + source.TESTS):
    text = source.read(root, path)
    if not text.startswith(("/*", "//")):
      yield source.finding(path, 1, "no comment at the head of the file")
    if path.suffix == ".h":
      guard = guard_of(path)
      if f"#ifndef {guard}\n#define {guard}\n" not in text:
        yield source.finding(path, 1, f"no include guard {guard}")


if __name__ == "__main__":
  source.main(check)
