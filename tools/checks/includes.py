#!/usr/bin/env python3
"""Every #include of server/ and include/ follows the table in docs/ARCHITECTURE.md: modules, and libraries per file."""

import re
from fnmatch import fnmatch

import source

TABLE = re.compile(r"<!-- include-table -->\n(.*?)<!-- /include-table -->", re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
LIBRARY_CELL = re.compile(r"([\w-]+)(?: \(([^)]+)\))?$")

LIBRARIES = {
  "libuv": ["uv.h"],
  "protobuf-c": ["protobuf-c/*", "*.pb-c.h"],
  "libyaml": ["yaml.h"],
  "libcurl": ["curl/*"],
  "jansson": ["jansson.h"],
  "xxhash": ["xxhash.h"],
  "libseccomp": ["seccomp.h"],
  "re2": ["re2/*"],
}

# What the C library and the kernel bring along.
SYSTEM = re.compile(
  r"(sys|linux|netinet|net|arpa|asm)/\w+\.h$|"
  r"(alloca|assert|ctype|dirent|dlfcn|endian|errno|fcntl|fnmatch|getopt|glob|grp|inttypes|libgen|limits|locale|"
  r"malloc|math|netdb|poll|pthread|pwd|regex|sched|semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|"
  r"stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios|threads|time|ucontext|unistd|wchar)\.h$"
)


class Row:
  """One line of the table: what a module may include."""

  def __init__(self, cells):
    self.name = cells[0]
    self.modules = {self.name, "base"} | {name for name in re.split(r",\s*", cells[1]) if name}
    self.libraries = {}
    for cell in re.split(r",\s*", cells[2]):
      if cell:
        library, pattern = LIBRARY_CELL.match(cell).groups()
        self.libraries[library] = pattern or "*"


def read_table(root):
  table = TABLE.search(source.read(root, "docs/ARCHITECTURE.md"))
  if not table:
    raise SystemExit("docs/ARCHITECTURE.md:1: there is no include table")
  lines = [line for line in table.group(1).splitlines() if line.startswith("|")]
  rows = [Row([cell.strip() for cell in line.strip("|").split("|")]) for line in lines[2:]]
  return {row.name: row for row in rows}


def module_of(path):
  """server/NAME/… and include/seccheckd/NAME/… belong to NAME, server/main.c to main."""
  parts = path.parts
  if parts[0] == "include":
    return parts[2]
  return parts[1] if len(parts) > 2 else path.stem


def library_of(header):
  for library, patterns in LIBRARIES.items():
    if any(fnmatch(header, pattern) for pattern in patterns):
      return library
  return None


def check_include(path, row, quote, header, rows):
  """What is wrong with one include, or None."""
  library = library_of(header)
  if library:
    if library not in row.libraries:
      return f"{row.name} may not use {library}"
    if not fnmatch(path.name, row.libraries[library]):
      return f"{row.name} may use {library} in {row.libraries[library]} only"
    return None
  if quote == "<":
    return None if SYSTEM.match(header) else f"<{header}> belongs to no library that the table knows"
  parts = header.split("/")
  if parts[0] == "seccheckd":
    return None if parts[1] in row.modules else f"{row.name} may not include {parts[1]}"
  if len(parts) > 1 and parts[0] in rows and parts[0] != row.name:
    return f"{header} is private to {parts[0]}"
  if path.parts[0] == "include":
    return f'"{header}": public headers include public headers only'
  return None


def check(root):
  rows = read_table(root)
  for path in source.files(root, ("server", "include")):
    row = rows.get(module_of(path))
    if not row:
      yield source.finding(path, 1, f"module {module_of(path)} is not in the table of docs/ARCHITECTURE.md")
      continue
    text = source.without(source.read(root, path), strings=False)
    for include in INCLUDE.finditer(text):
      wrong = check_include(path, row, *include.groups(), rows)
      if wrong:
        yield source.finding(path, source.line_of(text, include.start()), wrong)


if __name__ == "__main__":
  source.main(check)
