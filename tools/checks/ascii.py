#!/usr/bin/env python3
"""Nothing but ASCII in code outside comments: what a reader cannot tell apart must not decide what runs."""

import source


def check(root):
  for path in source.files(root, source.CODE + source.TESTS):
    lines = source.without(source.read(root, path), strings=False).split("\n")
    for number, line in enumerate(lines, 1):
      if not line.isascii():
        yield source.finding(path, number, "not ASCII outside a comment: write an escape")


if __name__ == "__main__":
  source.main(check)
