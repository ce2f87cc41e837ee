"""What the checks share: which files there are, their text without comments or strings, and how findings are told.

A check is a program `CHECK [ROOT]`. It prints one line `file:line: message` for each finding and exits with 1 if there
was any; lines with `note:` are for the reader and fail nothing.
"""

import re
import sys
from pathlib import Path

CODE = ("server", "include", "probe")
TESTS = ("tests",)

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def files(root, folders, suffixes=(".c", ".h", ".cc")):
  """The sorted files of some folders, as paths relative to the root."""
  found = []
  for folder in folders:
    found += [path for path in (root / folder).rglob("*") if path.suffix in suffixes and path.is_file()]
  return sorted(path.relative_to(root) for path in found)


def read(root, path):
  return (root / path).read_text(encoding="utf-8", errors="surrogateescape")


def without(text, comments=True, strings=True):
  """The text with blanks in place of its comments and of what is between quotes; every line keeps its number."""

  def blank(match):
    token = match.group()
    quoted = token[0] in "\"'"
    if not (strings if quoted else comments):
      return token
    return re.sub(r"[^\n]", " ", token)

  return TOKEN.sub(blank, text)


def line_of(text, offset):
  return text.count("\n", 0, offset) + 1


def finding(path, line, message):
  return f"{path}:{line}: {message}"


def note(path, line, message):
  return f"{path}:{line}: note: {message}"


def main(check):
  """Runs check(root), which yields findings and notes, and exits."""
  root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
  failed = False
  for line in check(root):
    print(line)
    failed = failed or ": note: " not in line
  sys.exit(1 if failed else 0)
