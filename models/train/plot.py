"""Draws a run's curves as SVG: python -m train.plot OUT.svg CURVES.jsonl [more, of runs that went on from it]

Left the IoU reached by prompt and by frame, right the loss; both over minutes of training.
"""
import argparse
import json

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
WIDE, HIGH, MARGIN = 460, 260, 44
# How much of each new value counts: single lines of a log are batches of one kind or another.
SMOOTHING = 0.2
IOUS = {"mask1": "tracked one frame from a mask", "mask5": "tracked five frames from a mask", "click": "first frame, one click", "box": "first frame, box", "click1": "tracked one frame from a click"}


def read(paths):
    """{name: [(minutes, value)]}, runs one after another."""
    curves, before = {}, 0.0
    for path in paths:
        with open(path) as f:
            lines = [json.loads(line) for line in f]
        for line in lines:
            for name in ("loss", *IOUS):
                if name in line:
                    curves.setdefault(name, []).append((before + line["minutes"], line[name]))
        before += lines[-1]["minutes"]
    return curves


def smooth(points):
    out, level = [], None
    for x, y in points:
        level = y if level is None else level + SMOOTHING * (y - level)
        out.append((x, level))
    return out


def panel(curves, names, left, low, high, title, end):
    at = lambda x, y: (left + MARGIN + x / end * (WIDE - 1.5 * MARGIN), HIGH - MARGIN - (min(max(y, low), high) - low) / (high - low) * (HIGH - 2 * MARGIN))
    text = lambda x, y, s, anchor="middle", colour="#333": f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">{s}</text>'
    parts = [text(left + WIDE / 2, 20, title)]
    for i in range(5):
        value = low + (high - low) * i / 4
        (x0, y), (x1, _) = at(0, value), at(end, value)
        parts += [f'<path d="M{x0:.1f} {y:.1f}H{x1:.1f}" stroke="#ddd"/>', text(x0 - 6, y + 4, f"{value:.2g}", "end")]
        parts.append(text(at(end * i / 4, low)[0], HIGH - MARGIN + 16, f"{end * i / 4:.0f}"))
    parts.append(text(left + WIDE / 2, HIGH - 8, "minutes"))
    for i, name in enumerate(n for n in names if n in curves):
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in smooth(curves[name])))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[i]}" stroke-width="1.6"/>')
        if name in IOUS:
            parts.append(text(left + MARGIN + 8, 40 + 14 * i, IOUS[name], "start", COLOURS[i]))
    return parts


def draw(curves):
    end = max(x for points in curves.values() for x, _ in points)
    top = 1.1 * max(y for _, y in smooth(curves["loss"]))
    parts = panel(curves, list(IOUS), 0, 0.0, 1.0, "IoU on training clips", end) + panel(curves, ["loss"], WIDE, 0.0, top, "loss", end)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDE} {HIGH}" font-family="sans-serif" font-size="11">'
    return "\n".join([head, f'<rect width="{2 * WIDE}" height="{HIGH}" fill="white"/>', *parts, "</svg>"]) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("curves", nargs="+")
    a = p.parse_args()
    with open(a.out, "w") as f:
        f.write(draw(read(a.curves)))


if __name__ == "__main__":
    main()
