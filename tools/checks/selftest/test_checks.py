#!/usr/bin/env python3
"""Each check is quiet about a good example and finds the fault in each bad one: a check that cannot fail is no check."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

CHECKS = Path(__file__).resolve().parent.parent
ROOT = CHECKS.parent.parent

TABLE = """<!-- include-table -->

| module | may include | libraries |
| --- | --- | --- |
| base | | libyaml (yaml*.c) |
| wire | | |
| net | wire | libuv |
| main | net | |

<!-- /include-table -->
"""
LONG = "/* x */\nint f(void)\n{\n" + "\tg();\n" * 81 + "}\n"
HEAD = "/* An example. */\n"


def header(guard, body=""):
  return f"{HEAD}#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"


def include_row(name, path, line, expected):
  return ("includes", name, {"docs/ARCHITECTURE.md": TABLE, path: HEAD + line + "\n"}, expected)


# (check, what the example shows, files, what the output must have; None: no finding)
ROWS = [
  ("format", "good", {"server/a.c": HEAD + "int f(int a)\n{\n\treturn a + 1;\n}\n"}, None),
  ("format", "spaces", {"server/a.c": HEAD + "int f(int a)\n{\n  return a+1;\n}\n"}, "server/a.c:4: not as"),
  ("scripts", "good", {"tools/a": "#!/usr/bin/env bash\nset -eu\necho \"$1\"\n", "tools/lib.sh": "# shellcheck shell=sh\n"}, None),
  ("scripts", "does not parse", {"tools/a": "#!/bin/sh\nif true\n", "tools/lib.sh": "# shellcheck shell=sh\n"}, "tools/a:3: "),
  ("scripts", "unquoted", {"tools/a": "#!/bin/sh\nrm $1\n", "tools/lib.sh": "# shellcheck shell=sh\n"}, "SC2086"),
  ("scripts", "Python", {"tools/a": "#!/usr/bin/python3\nif\n", "tools/lib.sh": "# shellcheck shell=sh\n"}, "tools/a:2: "),
  ("heads", "good", {"include/seccheckd/base/x.h": header("SECCHECKD_BASE_X_H"), "server/base/x.c": HEAD}, None),
  ("heads", "no comment", {"server/base/x.c": "int x;\n"}, "server/base/x.c:1: no comment"),
  ("heads", "wrong guard", {"include/seccheckd/base/x.h": header("X_H")}, "SECCHECKD_BASE_X_H"),
  ("heads", "wrong private guard", {"server/base/x.h": header("X_H")}, "SCD_SERVER_BASE_X_H"),
  ("lengths", "good", {"server/a.c": LONG.replace("\tg();\n", "", 31)}, None),
  ("lengths", "a function too long", {"server/a.c": LONG}, "server/a.c:3: the function has 81 lines"),
  ("lengths", "a file too long", {"server/a.c": "int x;\n" * 901}, "server/a.c:1: the file has 901 lines"),
  ("lengths", "a line too long", {"server/a.c": "/* " + "x" * 115 + " */\n"}, "server/a.c:1: more than"),
  ("lengths", "tabs count eight", {"server/a.c": "\t" * 15 + "x\n"}, "server/a.c:1: more than"),
  ("ascii", "good", {"server/a.c": "/* … */ int x; // …\nchar *s = \"\\xc3\";\n"}, None),
  ("ascii", "in a string", {"server/a.c": "\nchar *s = \"é\";\n"}, "server/a.c:2: not ASCII"),
  ("leftovers", "good", {"server/a.c": "/* The x = y of a rule; f(x) of another. */\n"}, None),
  ("leftovers", "word", {"server/a.c": "int x;\n/* TODO: y */\n"}, "server/a.c:2: left over"),
  ("leftovers", "word in a build file", {"cmake/a.cmake": "# FIXME\n"}, "cmake/a.cmake:1: left over"),
  ("leftovers", "dead statement", {"server/a.c": "/* a */\n// free(x);\n"}, "server/a.c:2: commented-out"),
  ("leftovers", "dead block", {"server/a.c": "/*\n * a = b + 1;\n */\n"}, "server/a.c:2: commented-out"),
  ("banned_calls", "good", {"server/a.c": "/* strcpy(a, b) */ char *s = \"rand()\"; int x = my_strcpy(a) + a->rand();\n"}, None),
  ("banned_calls", "strcpy", {"server/a.c": "\nvoid f(void) { strcpy (a, b); }\n"}, "server/a.c:2: strcpy() is banned"),
  ("banned_calls", "shared buffer", {"server/a.c": "struct tm *t = gmtime(&x);\n"}, "server/a.c:1: gmtime() is banned"),
  ("banned_calls", "in a header", {"include/seccheckd/base/a.h": "#define F(x) atoi(x)\n"}, "a.h:1: atoi() is banned"),
  ("banned_calls", "sleep", {"tests/unit/a/test_a.c": "\n\nvoid f(void) { usleep(1); }\n"}, "test_a.c:3: usleep() is banned"),
  include_row("good: base", "server/net/a.c", '#include "seccheckd/base/str.h"', None),
  include_row("good: row", "server/net/a.c", '#include "seccheckd/wire/frame.h"', None),
  include_row("good: library", "server/net/a.c", "#include <uv.h>", None),
  include_row("good: library in its file", "server/base/yaml_tree.c", "#include <yaml.h>", None),
  include_row("good: private", "server/net/a.c", '#include "net/drain.h"', None),
  include_row("good: C library", "server/net/a.c", "#include <sys/socket.h>", None),
  include_row("good: in a comment", "server/wire/a.c", '/*\n#include "seccheckd/net/net.h"\n*/', None),
  include_row("upwards", "server/wire/a.c", '#include "seccheckd/net/net.h"', "server/wire/a.c:2: wire may not include net"),
  include_row("in a public header", "include/seccheckd/wire/a.h", '#include "seccheckd/net/net.h"', "wire may not"),
  include_row("main", "server/main.c", '#include "seccheckd/wire/frame.h"', "main may not include wire"),
  include_row("library", "server/wire/a.c", "# include <uv.h>", "wire may not use libuv"),
  include_row("library in another file", "server/base/str.c", "#include <yaml.h>", "base may use libyaml in yaml*.c only"),
  include_row("generated header", "server/net/a.c", '#include "gvisor/sentry.pb-c.h"', "net may not use protobuf-c"),
  include_row("unknown library", "server/net/a.c", "#include <zlib.h>", "<zlib.h> belongs to no library"),
  include_row("private to another", "server/net/a.c", '#include "wire/inner.h"', "wire/inner.h is private to wire"),
  include_row("private in public", "include/seccheckd/net/a.h", '#include "net/inner.h"', "public headers only"),
  include_row("unknown module", "server/shadow/a.c", "", "module shadow is not in the table"),
  ("includes", "no table", {"docs/ARCHITECTURE.md": "# x\n"}, "there is no include table"),
  ("headers", "good", {"server/net/x.h": "#include <stddef.h>\nsize_t f(void);\n"}, None),
  ("headers", "needs another", {"server/net/x.h": "size_t f(void);\n"}, "server/net/x.h:1: does not compile alone"),
]

PUBLIC = "struct scd_ring;\nint scd_net_open(void);\nint scd_drain_run(void);\nint scd_ring_size(void);\n"
# (what the library shows, its code, what the output must have)
SYMBOLS = [
  ("good", "int scd_net_open(void) { return 0; }\nint scd_drain_run(void) { return 0; }\nint scd_ring_size(void) { return 0; }\n"
   "int scd__inner(void) { return 0; }\nstatic int f(void) { return 0; }\nint (*scd__p)(void) = f;\n", None),
  ("no prefix", "int other(void) { return 0; }\n", "server/net/a.c:1: other is exported without"),
  ("another module's prefix", "\nint scd_wire_open(void) { return 0; }\n", "server/net/a.c:2: scd_wire_open is exported without"),
  ("data", "int table[2] = { 1, 2 };\n", "server/net/a.c:1: table is exported without"),
  ("not declared", "int scd_net_close(void) { return 0; }\n", "scd_net_close is not declared in include/seccheckd/net"),
  ("not declared inside", "int scd__other(void) { return 0; }\n", "scd__other is not declared in a header of server/net"),
]

TIDY = [
  ("good", "int f(const int *p)\n{\n\treturn p ? *p : 0;\n}\n", None),
  ("null", "int f(const int *p)\n{\n\tif (!p)\n\t\treturn *p;\n\treturn 0;\n}\n", "server/a.c:5:"),
  ("compared with itself", "int f(int a)\n{\n\treturn a == a;\n}\n", "[misc-redundant-expression"),
  ("leak", "#include <stdlib.h>\nint f(void)\n{\n\tchar *p = malloc(1);\n\treturn p != 0;\n}\n", "[clang-analyzer-unix.Malloc"),
]

CLANG = [
  ("good", "int f(int a)\n{\n\treturn a;\n}\n", None),
  ("warning", "int f(int a)\n{\n\tint b = 0;\n\treturn a;\n}\n", "server/a.c:4: unused variable 'b'"),
  ("only clang warns", "struct s { int n; int a[]; };\nstruct t { struct s s; int b; };\n", "server/a.c:3: field 's'"),
]


class ChecksTest(unittest.TestCase):
  def setUp(self):
    self.root = Path(tempfile.mkdtemp(prefix="seccheckd-checks-"))
    self.addCleanup(shutil.rmtree, self.root)

  def write(self, files):
    for name, text in files.items():
      path = self.root / name
      path.parent.mkdir(parents=True, exist_ok=True)
      path.write_text(text, encoding="utf-8")

  def expect(self, check, files, expected):
    """Runs the check on these files alone."""
    for name in (".clang-format", ".clang-tidy"):
      shutil.copy(ROOT / name, self.root)
    self.write(files)
    program = next(CHECKS.glob(check + ".*"))
    run = subprocess.run([program, self.root], capture_output=True, text=True, check=False)
    if expected is None:
      self.assertEqual((run.stdout + run.stderr, run.returncode), ("", 0))
    else:
      self.assertIn(expected, run.stdout + run.stderr)
      self.assertEqual(run.returncode, 1)

  def run_isolated(self, name, check, files, expected):
    with self.subTest(check=check, name=name):
      self.expect(check, files, expected)
    shutil.rmtree(self.root)
    self.root.mkdir()

  def test_text_checks(self):
    for check, name, files, expected in ROWS:
      self.run_isolated(name, check, files, expected)

  def test_notes_fail_nothing(self):
    self.write({"server/a.c": LONG.replace("\tg();\n", "", 1)})
    run = subprocess.run([CHECKS / "lengths.py", self.root], capture_output=True, text=True, check=False)
    self.assertEqual(run.stdout, "server/a.c:3: note: the function has 80 lines, over 50 is a smell\n")
    self.assertEqual(run.returncode, 0)

  def test_symbols(self):
    for name, code, expected in SYMBOLS:
      library = self.root / "build/libscd_net.a"
      files = {
        "include/seccheckd/net/net.h": PUBLIC,
        "include/seccheckd/net/drain.h": "",
        "server/net/inner.h": "int scd__inner(void);\nextern int (*scd__p)(void);\n",
        "server/net/a.c": code,
        "build/.keep": "",
      }
      self.write(files)
      subprocess.run(["gcc", "-c", "-o", self.root / "a.o", self.root / "server/net/a.c"], check=True)
      subprocess.run(["ar", "rc", library, self.root / "a.o"], check=True)
      self.run_isolated(name, "symbols", files, expected)

  def test_what_compiles(self):
    command = "ccache /usr/bin/cc -Wall -Wextra -o a.o -c server/a.c"
    database = f'[{{"directory": "{self.root}", "file": "{self.root}/server/a.c", "command": "{command}"}}]'
    for check, rows in (("tidy", TIDY), ("clang", CLANG)):
      for name, code, expected in rows:
        files = {"server/a.c": HEAD + code, "build/compile_commands.json": database}
        self.run_isolated(name, check, files, expected)

  def test_every_check_is_tested(self):
    tested = {row[0] for row in ROWS} | {"symbols", "tidy", "clang"}
    programs = {path.stem for path in CHECKS.iterdir() if path.is_file() and path.stem != "source"}
    self.assertEqual(programs, tested)


if __name__ == "__main__":
  unittest.main()
