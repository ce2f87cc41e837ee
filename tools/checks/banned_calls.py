#!/usr/bin/env python3
"""No calls that invite mistakes in the code, and no sleeps in the tests, which wait for a condition instead."""

import re

import source

UNBOUNDED = "the size of the destination is not checked: use scd_buf, scd_arena or memcpy"
SHARED_BUFFER = "its result lies in a buffer that all threads share: use the _r form, or inet_ntop"
BANNED = {
  "strcpy": UNBOUNDED,
  "strcat": UNBOUNDED,
  "stpcpy": UNBOUNDED,
  "sprintf": UNBOUNDED,
  "vsprintf": UNBOUNDED,
  "gets": UNBOUNDED,
  "strncpy": "it pads, and does not terminate what it cuts",
  "strncat": UNBOUNDED,
  "strtok": "it keeps state between calls and writes into its argument",
  "atoi": "it reports no error: use scd_str_to_…",
  "atol": "it reports no error: use scd_str_to_…",
  "atof": "it reports no error",
  "alloca": "the stack is not for sizes that somebody else chose",
  "signal": "use sigaction, signalfd or libuv",
  "rand": "use getrandom, or a seeded generator in a test",
  "system": "it runs a shell",
  "popen": "it runs a shell",
}
BANNED |= {
  name: SHARED_BUFFER
  for name in ("localtime", "gmtime", "ctime", "asctime", "inet_ntoa", "getpwnam", "getpwuid", "getgrnam", "getgrgid")
}
SLEEPS = {name: "drive to a condition with a deadline instead of sleeping" for name in ("sleep", "usleep", "nanosleep")}
SLEEPLESS = ("tests/unit", "tests/component", "tests/e2e", "tests/fuzz")


def calls(root, folders, banned):
  call = re.compile(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(")
  for path in source.files(root, folders):
    text = source.without(source.read(root, path))
    for match in call.finditer(text):
      name = match.group(1)
      yield source.finding(path, source.line_of(text, match.start()), f"{name}() is banned: {banned[name]}")


def check(root):
  yield from calls(root, source.CODE, BANNED)
  yield from calls(root, SLEEPLESS, SLEEPS)


if __name__ == "__main__":
  source.main(check)
