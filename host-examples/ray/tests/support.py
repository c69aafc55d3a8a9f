"""The tests of Ray and Slurm share what the Python module's have."""

import importlib.util
import sys
from pathlib import Path

_python = Path(__file__).resolve().parents[2] / "python/tests/support.py"
_spec = importlib.util.spec_from_file_location("python_support", _python)
_module = importlib.util.module_from_spec(_spec)
sys.modules["python_support"] = _module
_spec.loader.exec_module(_module)
globals().update({name: value for name, value in vars(_module).items() if not name.startswith("__")})


def bytes_of(folder: Path) -> dict:
    """Every mask below a folder, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def made_list(folder: Path, shots: int = 3, frames: int = 8) -> Path:
    """Clips and a list of them."""
    for number in range(shots):
        clip = [_module.disc(50 + 2 * n, 50 + 5 * number) for n in range(frames)]
        _module.write_clip(folder / f"shot{number}.mkv", clip)
    path = folder / "list.txt"
    path.write_text("".join(f"shot{n}.mkv 56,{50 + 5 * n}@3\n" for n in range(shots)))
    return path
