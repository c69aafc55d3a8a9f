"""Three nodes on loopback, one of them killed midway: all shots are done, and their masks are one machine's.

It needs PyPI's `ray` and NumPy: ROTOMASK_RAY_PYTHON=/some/venv/bin/python3 python3 -m unittest test_cluster."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import support


class Cluster(unittest.TestCase):
    def test_a_node_that_is_killed_midway_costs_no_finished_frame(self):
        python = os.environ.get("ROTOMASK_RAY_PYTHON", sys.executable)
        if subprocess.run([python, "-c", "import ray, numpy"], capture_output=True).returncode:
            self.skipTest(f"{python} has no ray: pip install ray numpy into a venv, ROTOMASK_RAY_PYTHON names it")
        with tempfile.TemporaryDirectory() as held:
            folder = Path(held)
            listed = support.made_list(folder, shots=4, frames=16)
            whole = support.script("batch.py", listed, "-o", folder / "whole", "--threads", 1)
            self.assertEqual(whole.returncode, 0, whole.stderr)
            script = str(support.ROOT / "host-examples/ray/ray_shots.py")
            done = subprocess.run(
                [python, "-B", script, str(listed), "-o", str(folder / "ray"), "--local-nodes", "3", "--kill-after", "16"],
                capture_output=True, text=True,
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("killed a node after", done.stdout)
            self.assertIn("4 of 4 shots, 64 frames", done.stdout)
            self.assertNotIn("started again: none", done.stdout)
            print(done.stdout, file=sys.stderr)
            had = re.search(r"it had \{'shot\d': (\d+)\}", done.stdout)
            found = re.search(r"which found (\d+) frames finished", done.stdout)
            self.assertGreaterEqual(int(found[1]), int(had[1]))
            loads, workers = re.search(r"(\d+) models loaded by (\d+) workers", done.stdout).groups()
            self.assertEqual(loads, workers)
            self.assertEqual(support.bytes_of(folder / "ray"), support.bytes_of(folder / "whole"))


if __name__ == "__main__":
    unittest.main()
