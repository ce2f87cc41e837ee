#!/usr/bin/env python3
"""No function over 80 lines, no source file over 900, no line over 120 columns; over 50 and 600 lines there is a note.

A function is what clang-format puts between `{` and `}` in the first column; its length is that of the lines between.
"""

import source

FUNCTION_NOTE, FUNCTION_MAX = 50, 80
FILE_NOTE, FILE_MAX = 600, 900
COLUMNS_MAX = 120
TAB = 8


def functions(lines):
  """(line of the opening brace, lines in the body) of each function."""
  opened = None
  for number, line in enumerate(lines, 1):
    if line == "{":
      opened = number
    elif opened and line.startswith("}"):
      yield opened, number - opened - 1
      opened = None


def judge(path, line, what, count, note_over, most):
  if count > most:
    yield source.finding(path, line, f"{what} has {count} lines, at most {most} are allowed")
  elif count > note_over:
    yield source.note(path, line, f"{what} has {count} lines, over {note_over} is a smell")


def check(root):
  for path in source.files(root, source.CODE + source.TESTS):
    lines = source.read(root, path).split("\n")
    yield from judge(path, 1, "the file", len(lines) - 1, FILE_NOTE, FILE_MAX)
    for line, count in functions(lines):
      yield from judge(path, line, "the function", count, FUNCTION_NOTE, FUNCTION_MAX)
    for number, line in enumerate(lines, 1):
      if len(line.expandtabs(TAB)) > COLUMNS_MAX:
        yield source.finding(path, number, f"more than {COLUMNS_MAX} columns")


if __name__ == "__main__":
  source.main(check)
