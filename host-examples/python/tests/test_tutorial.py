"""Every snippet of the tutorial, run in its order in a folder with a picture and a clip."""

import contextlib
import io
import os
import re
import tempfile
import unittest
from pathlib import Path

import support
from support import rotomask

TEXT = (support.ROOT / "docs/tutorials/python.md").read_text("utf-8")


class Tutorial(unittest.TestCase):
    def test_every_snippet_runs(self):
        snippets = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.S | re.M)
        self.assertGreater(len(snippets), 6)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            rotomask.write_png("photo.png", support.disc())
            support.write_clip(Path(folder) / "shot.mkv", support.clip(8))
            names: dict = {}
            told = io.StringIO()
            for number, snippet in enumerate(snippets, 1):
                with self.subTest(snippet=number), contextlib.redirect_stdout(told):
                    exec(compile(snippet, f"snippet {number} of python.md", "exec"), names)
            made = sorted(each.name for each in Path(folder).iterdir())
            mask = rotomask.read_image("mask.png")
            os.chdir(before)
        self.assertGreater(support.overlap(mask, support.inside()), 0.8)
        self.assertEqual(sum(name.startswith("disc-") for name in made), 8)
        self.assertEqual(sum(name.startswith("cutout-") for name in made), 8)
        self.assertIn("redone:", told.getvalue())

    def test_a_mask_takes_at_most_six_lines(self):
        first = re.search(r"^```python\n(.*?)^```", TEXT, flags=re.S | re.M)[1]
        self.assertLessEqual(len([line for line in first.splitlines() if line.strip()]), 6)

    def test_every_link_leads_somewhere(self):
        for link in re.findall(r"\]\(([^)#]+)", TEXT):
            self.assertTrue((support.ROOT / "docs/tutorials" / link).exists(), link)


if __name__ == "__main__":
    unittest.main()
