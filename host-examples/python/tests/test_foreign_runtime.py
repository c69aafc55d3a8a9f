"""PyPI's onnxruntime of another version in the same process: ours still loads its own, and both work.

By hand, with a package folder that has it: ROTOMASK_FOREIGN_PYTHON=/some/venv/bin/python3 python3 -m unittest
test_foreign_runtime."""

import os
import subprocess
import sys
import unittest

import support

SCRIPT = '''
import os, sys
import numpy as np
if sys.argv[3] == "global":             # their symbols come first in every later search
    sys.setdlopenflags(os.RTLD_GLOBAL | os.RTLD_NOW)
import onnxruntime
sys.path[:0] = sys.argv[1:3]
import support
from support import rotomask

graph = support.ROOT / "models/rotomask-nano.rotomodel"
graph = next(path for path in sorted(graph.glob("*.onnx")) if "encoder" in path.name)

def foreign():
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    shape = [side if isinstance(side, int) else 1 for side in given.shape]
    rows = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return session, lambda: session.run(None, {given.name: rows})[0]

def ours(model):
    with model.image(support.disc()) as image:
        return image.predict([(62, 55)], multimask=False)[0].binary()

first, run = foreign()
before = run()
with rotomask.Model(threads=1) as model:
    mask = ours(model)
    after = run()                       # with ours loaded
    again = ours(model)                 # after the other has run
    second, run_second = foreign()      # a session of its own made after ours
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(before, run_second())
    np.testing.assert_array_equal(mask, again)
    assert support.overlap(mask, support.inside()) > 0.8
loaded = sorted({line.split()[-1] for line in open("/proc/self/maps") if "onnxruntime" in line and ".so" in line})
print("theirs:", onnxruntime.__version__, "ours:", rotomask.info()["onnxruntime"])
print("\\n".join(loaded))
ours_lies = [path for path in loaded if os.path.realpath(path) == os.path.realpath(rotomask.info()["onnxruntime"]["path"])]
assert ours_lies and len(loaded) > 1, loaded
assert rotomask.info()["onnxruntime"]["version"] != onnxruntime.__version__
'''


def foreign_python():
    """An interpreter whose onnxruntime isn't the version that rotomask loads, or why there is none."""
    python = os.environ.get("ROTOMASK_FOREIGN_PYTHON", sys.executable)
    asked = subprocess.run([python, "-c", "import onnxruntime, numpy; print(onnxruntime.__version__)"], capture_output=True, text=True)
    if asked.returncode:
        return None, f"{python} has no onnxruntime: pip install onnxruntime==1.22.1 numpy into a venv, ROTOMASK_FOREIGN_PYTHON names it"
    ours = support.rotomask.info()["onnxruntime"]["version"]
    if asked.stdout.strip() == ours:
        return None, f"{python} has onnxruntime {ours}, as rotomask: wanted another version"
    return python, ""


class Foreign(unittest.TestCase):
    def test_both_runtimes_work_side_by_side_in_one_process(self):
        python, why = foreign_python()
        if python is None:
            self.skipTest(why)
        folders = [str(support.PYTHON / "tests"), str(support.PYTHON)]
        for symbols in ("local", "global"):
            with self.subTest(symbols=symbols):
                done = subprocess.run([python, "-c", SCRIPT, *folders, symbols], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                print(symbols, done.stdout, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
