"""Times in OpenCV what sdk/examples/matte_speed.rs times in rotomask: the same pictures, the same stages.

Prints JSON: by stage the least of milliseconds of the same result (blending in linear light where rotomask does), the
mean of the processor's on all threads, and where there is one, the least of a quicker way with a coarser result (blending
of codes).
"""

import json
import sys
import time

import cv2
import numpy as np

REPETITIONS = 21
WIDTH, HEIGHT = 1920, 1080


def logits(width, height):
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    discs = [(0.5, 0.3, 0.12), (0.5, 0.7, 0.25), (0.3, 0.6, 0.1)]
    return np.float32(40) * np.max([r - np.sqrt((x - cx) ** 2 + (y - cy) ** 2) for cx, cy, r in discs], axis=0)


def timed(work):
    """The least of milliseconds, and the processor's mean."""
    work()
    times = []
    before = time.process_time()
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times), (time.process_time() - before) * 1e3 / REPETITIONS


class Light:
    """sRGB codes to linear light and back, by tables, as quickly as OpenCV and NumPy do it."""

    def __init__(self):
        code = np.arange(256) / 255
        self.decode = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)
        light = np.arange(65536) / 65535
        encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
        self.encode = np.round(encoded * 255).astype(np.uint8)

    def linear(self, picture):
        return cv2.LUT(picture, self.decode)

    def coded(self, picture):
        return self.encode[cv2.multiply(picture, 65535.0, dtype=cv2.CV_16U)]


def main():
    cv2.setNumThreads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    plate = ((np.arange(WIDTH * HEIGHT * 3, dtype=np.uint64) * 0x9E3779B9 & 0xFFFFFFFF) >> 24).astype(np.uint8)
    plate = plate.reshape(HEIGHT, WIDTH, 3)
    small = logits(256, 256)
    light = Light()
    tint = np.zeros_like(plate)
    tint[:] = (255, 26, 26)
    linear_tint = light.linear(tint)

    def coverage():
        full = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        return cv2.threshold(full, 0, 255, cv2.THRESH_BINARY)[1].astype(np.uint8)

    mask = coverage()
    soft = cv2.GaussianBlur(mask, (0, 0), 4)

    def grow(matte, px):
        """The exact distance, as rotomask has it, to an edge that is one pixel soft."""
        outside = cv2.distanceTransform(cv2.bitwise_not(matte), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return cv2.convertScaleAbs(cv2.max(cv2.subtract(px + 0.5, outside), 0), alpha=255)

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17))

    def weights(matte, share=1.0):
        over = cv2.multiply(matte, share / 255, dtype=cv2.CV_32F)
        return over, cv2.subtract(1.0, over)

    def blend(over, under, matte, share=1.0):
        a, b = weights(matte, share)
        return cv2.blendLinear(over, under, a, b)

    def overlay(matte):
        return light.coded(blend(linear_tint, light.linear(plate), matte, 0.5))

    def premultiplied():
        """Light times coverage, coded again; coverage as alpha."""
        over = cv2.merge([weights(soft)[0]] * 3)
        return cv2.merge([*cv2.split(light.coded(cv2.multiply(light.linear(plate), over))), soft])

    def premultiplied_codes():
        return cv2.merge([*cv2.split(cv2.multiply(plate, cv2.merge([soft] * 3), scale=1 / 255)), soft])

    def blurred(deviation):
        linear = light.linear(plate)
        return light.coded(blend(linear, cv2.GaussianBlur(linear, (0, 0), deviation), soft))

    def blurred_codes(deviation):
        return blend(plate, cv2.GaussianBlur(plate, (0, 0), deviation), soft)

    def whole():
        return overlay(cv2.GaussianBlur(grow(coverage(), 4), (0, 0), 3))

    cases = {
        "logits to coverage": (coverage, None),
        "feather, deviation 4": (lambda: cv2.GaussianBlur(mask, (0, 0), 4), None),
        "feather, deviation 16": (lambda: cv2.GaussianBlur(mask, (0, 0), 16), None),
        "grow by 8": (lambda: grow(mask, 8), lambda: cv2.dilate(mask, disc)),
        "overlay": (lambda: overlay(soft), lambda: blend(tint, plate, soft, 0.5)),
        "cutout, straight": (lambda: cv2.merge([*cv2.split(plate), soft]), None),
        "cutout, premultiplied": (premultiplied, premultiplied_codes),
        "blurred plate, deviation 4": (lambda: blurred(4), lambda: blurred_codes(4)),
        "blurred plate, deviation 16": (lambda: blurred(16), lambda: blurred_codes(16)),
        "logits, grow 4, feather 6, overlay": (whole, None),
    }
    told = {}
    for name, (same, quick) in cases.items():
        ms, processor_ms = timed(same)
        told[name] = {"ms": ms, "processor_ms": processor_ms}
        if quick is not None:
            told[name]["quick_ms"], _ = timed(quick)
    print(json.dumps({"version": cv2.__version__, "stages": told}))


main()
