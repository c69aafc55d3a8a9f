"""The ctypes signatures against the headers: every function, struct and constant, read by a small parser and asked of a C
compiler."""

import ctypes
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import support
from support import rotomask

NUMBERS = {
    "uint8_t": ctypes.c_uint8, "uint32_t": ctypes.c_uint32, "int32_t": ctypes.c_int32, "uint64_t": ctypes.c_uint64,
    "int64_t": ctypes.c_int64, "size_t": ctypes.c_size_t, "float": ctypes.c_float, "double": ctypes.c_double,
}


class Header:
    """What a header declares."""

    def __init__(self, name: str) -> None:
        text = (support.ROOT / "include" / name).read_text()
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
        self.constants = dict(re.findall(r"^#define (ROTOMASK_\w+) (\S+)$", text, flags=re.M))
        self.structs = {
            name: [self.field(line) for line in body.split(";") if line.strip()]
            for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", text, flags=re.S)
        }
        self.numbers = {name: kind for kind, name in re.findall(r"typedef (u?int\d+_t) (\w+);", text)}
        self.callbacks = {
            name: (result, self.types(takes))
            for result, name, takes in re.findall(r"typedef (\w+) \(\*(\w+)\)\(([^)]*)\);", text)
        }
        declared = re.findall(r"^([\w ]+[ *])(rotomask_\w+)\(([^)]*)\);", text, flags=re.M)
        self.functions = {name: (result.strip(), self.types(takes)) for result, name, takes in declared}

    @staticmethod
    def field(line: str):
        kind, name, count = re.fullmatch(r"\s*(.*?)(\w+)(?:\[(\w+)\])?\s*", line, flags=re.S).groups()
        return name, kind.strip(), count

    @classmethod
    def types(cls, takes: str):
        return [] if takes.strip() == "void" else [cls.field(one)[1] for one in takes.split(",")]


STABLE, DRAFT = Header("rotomask.h"), Header("rotomask_draft.h")


def as_ctypes(kind: str):
    """What a C type is in ctypes."""
    kind = re.sub(r"\b(const|struct)\b", "", kind).replace(" ", "")
    base, stars = kind.rstrip("*"), kind.count("*")
    base = {**STABLE.numbers, **DRAFT.numbers}.get(base, base)
    if base in STABLE.callbacks:
        return rotomask.CALLBACKS[base]
    if base == "char" and stars == 1:
        return ctypes.c_char_p
    if base == "void":
        return ctypes.c_void_p if stars else None
    if base in NUMBERS:
        return ctypes.POINTER(NUMBERS[base]) if stars else NUMBERS[base]
    if base in STABLE.structs:
        return ctypes.POINTER(rotomask.STRUCTS[base])
    # A handle, or where one is written.
    return ctypes.c_void_p if stars == 1 else ctypes.POINTER(ctypes.c_void_p)


class Signatures(unittest.TestCase):
    def test_the_parser_sees_the_whole_header(self):
        text = (support.ROOT / "include/rotomask.h").read_text()
        self.assertEqual(len(STABLE.functions), len(re.findall(r"^(?!typedef)[\w ]+[ *]rotomask_\w+\(", text, flags=re.M)))
        self.assertEqual(len(STABLE.structs), len(re.findall(r"^typedef struct rotomask_\w+ \{", text, flags=re.M)))
        self.assertGreater(len(STABLE.functions), 80)
        self.assertEqual(len(STABLE.callbacks), 5)

    def test_every_function_of_the_header_is_there_and_no_other(self):
        self.assertEqual({"rotomask_" + name for name in rotomask.FUNCTIONS}, set(STABLE.functions))

    def test_every_function_takes_and_returns_what_the_header_says(self):
        drafts = {name: form for name, form in DRAFT.functions.items() if name[9:] in rotomask.DRAFTS}
        for name, (result, takes) in {**STABLE.functions, **drafts}.items():
            found = {**rotomask.FUNCTIONS, **rotomask.DRAFTS}[name[9:]]
            self.assertEqual(found[0], as_ctypes(result), name)
            self.assertEqual(found[1], [as_ctypes(kind) for kind in takes], name)

    def test_every_draft_that_is_declared_here_is_in_the_draft_header(self):
        self.assertLessEqual({"rotomask_" + name for name in rotomask.DRAFTS}, set(DRAFT.functions))

    def test_every_callback_takes_and_returns_what_the_header_says(self):
        self.assertEqual(set(rotomask.CALLBACKS), set(STABLE.callbacks))
        for name, (result, takes) in STABLE.callbacks.items():
            found = rotomask.CALLBACKS[name]
            self.assertEqual(found._restype_, as_ctypes(result), name)
            self.assertEqual(list(found._argtypes_), [as_ctypes(kind) for kind in takes], name)

    def test_every_constant_has_the_headers_number(self):
        number = lambda text: 2**64 - 1 if text == "UINT64_MAX" else int(text)
        drafts = {name: text for name, text in DRAFT.constants.items() if name in rotomask.CONSTANTS}
        declared = {name: number(text) for name, text in {**STABLE.constants, **drafts}.items()}
        self.assertEqual(rotomask.CONSTANTS, declared)

    def test_every_struct_has_the_headers_fields_in_their_order(self):
        self.assertEqual(set(rotomask.STRUCTS), set(STABLE.structs))
        for name, fields in STABLE.structs.items():
            found = rotomask.STRUCTS[name]._fields_
            self.assertEqual([field[0] for field in found], [field[0] for field in fields], name)
            for (_, mine), (field, kind, count) in zip(found, fields):
                wanted = as_ctypes(kind)
                if count is not None:
                    wanted = wanted * int(STABLE.constants.get(count, count))
                self.assertEqual(mine, wanted, f"{name}.{field}")

    def test_every_struct_lies_in_memory_as_the_c_compiler_lays_it_out(self):
        compiler = shutil.which("cc")
        self.assertIsNotNone(compiler, "there is no C compiler")
        lines = ['#include "rotomask.h"', "#include <stdio.h>", "int main(void) {"]
        for name, fields in STABLE.structs.items():
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            lines += [f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));' for field, _, _ in fields]
        with tempfile.TemporaryDirectory() as folder:
            source, program = Path(folder) / "layout.c", Path(folder) / "layout"
            source.write_text("\n".join([*lines, "return 0; }"]))
            subprocess.run([compiler, "-I", support.ROOT / "include", source, "-o", program], check=True)
            told = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        mine = {}
        for name, struct in rotomask.STRUCTS.items():
            mine[name] = ctypes.sizeof(struct)
            mine.update({f"{name}.{field}": getattr(struct, field).offset for field, *_ in struct._fields_})
        self.assertEqual(mine, {name: int(number) for name, number in map(str.split, told.splitlines())})


if __name__ == "__main__":
    unittest.main()
