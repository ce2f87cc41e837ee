#!/usr/bin/env python3
"""Every global symbol of build/libscd_MODULE.a carries the prefix of its module and is declared in one of its headers.

scd_NOUN_… for a NOUN that is the module, one of its public headers, or a struct or enum declared there, in those
headers; or scd__…, in a header beside the sources. Libraries without public headers (libscd_proto) are left out.
"""

import re
import subprocess

import source

NOUN = re.compile(r"\b(?:struct|enum) (scd_\w+)\s*[;{]")


class Module:
  """What a module's headers declare."""

  def __init__(self, root, name):
    self.name = name
    public = [root / path for path in source.files(root, [f"include/seccheckd/{name}"])]
    private = [root / path for path in source.files(root, [f"server/{name}"], (".h",))]
    self.public_text = self.text(public)
    self.private_text = self.text(private)
    self.nouns = {f"scd_{name}"} | {f"scd_{path.stem}" for path in public}
    self.nouns |= set(NOUN.findall(self.public_text))
    self.sources = [path for path in source.files(root, [f"server/{name}"]) if path.suffix != ".h"]

  @staticmethod
  def text(paths):
    return "\n".join(source.without(path.read_text(encoding="utf-8")) for path in paths)

  def has_prefix(self, symbol):
    return any(symbol == noun or symbol.startswith(noun + "_") for noun in self.nouns)

  def complaint(self, symbol):
    if symbol.startswith("scd__"):
      text, where = self.private_text, f"a header of server/{self.name}"
    elif self.has_prefix(symbol):
      text, where = self.public_text, f"include/seccheckd/{self.name}"
    else:
      return f"{symbol} is exported without the prefix scd_{self.name}_, scd_HEADER_ or scd__"
    return None if re.search(rf"\b{symbol}\b", text) else f"{symbol} is not declared in {where}"


def exported(library):
  output = subprocess.run(
    ["nm", "-g", "--defined-only", "-f", "posix", str(library)], check=True, capture_output=True, text=True
  ).stdout
  symbols = [line.split() for line in output.splitlines()]
  # Weak ones are what C++ headers have in every object.
  return sorted({symbol[0] for symbol in symbols if len(symbol) >= 3 and symbol[1] not in "WV"})


def place(root, module, symbol):
  """File and line of the definition, as far as a search for the name at the start of a declaration can tell."""
  definition = re.compile(rf"^[a-z][^\n;=]*\b{symbol}\b", re.M)
  for path in module.sources:
    text = source.read(root, path)
    match = definition.search(text)
    if match:
      return path, source.line_of(text, match.start())
  return f"server/{module.name}", 1


def check(root):
  libraries = sorted((root / "build").glob("libscd_*.a"))
  if not libraries:
    raise SystemExit("build:1: there is no libscd_*.a; build first")
  for library in libraries:
    name = library.stem.removeprefix("libscd_")
    if not (root / "include/seccheckd" / name).is_dir():
      continue
    module = Module(root, name)
    for symbol in exported(library):
      wrong = module.complaint(symbol)
      if wrong:
        yield source.finding(*place(root, module, symbol), wrong)


if __name__ == "__main__":
  source.main(check)
