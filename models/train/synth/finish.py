"""What a camera and a codec do to a finished clip: light, colour, focus, noise, compression."""
import cv2
import numpy as np

from .motion import Path


def develop(frames, ticks, rng):
    """frames: list of BGR f32 [S,S,3] in 0..255; gives u8 [T,S,S,3]."""
    side = frames[0].shape[0]
    gain = rng.uniform(0.85, 1.15, 3) * rng.uniform(0.75, 1.25)
    lift, gamma = rng.uniform(-20, 20), rng.uniform(0.8, 1.25)
    saturation = 0.0 if rng.random() < 0.04 else rng.uniform(0.5, 1.3)
    changing = rng.random() < 0.4
    light = Path(rng, 0.02 if changing else 0.0, 0.12 if changing else 0.0)
    shade = None
    if rng.random() < 0.3:  # a light from one side
        ramp = cv2.resize(rng.uniform(0.65, 1.25, (2, 2)).astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
        shade = ramp[..., None]
    focus = rng.uniform(0.3, 1.3) if rng.random() < 0.25 else 0.0
    losing = rng.integers(1, len(frames) + 1) if rng.random() < 0.06 else None  # focus lost for one frame
    sharpen = rng.uniform(0.2, 0.8) if focus == 0 and rng.random() < 0.35 else 0.0
    noise = rng.uniform(0, 5) if rng.random() < 0.6 else 0.0
    quality = int(rng.integers(25, 92)) if rng.random() < 0.5 else None
    out = []
    for i, (f, t) in enumerate(zip(frames, ticks)):
        f = f * (gain * np.exp(np.clip(light.at(t), -0.5, 0.4)))
        if shade is not None:
            f = f * shade
        f = 255 * np.power(np.clip(f, 0, 255) / 255, gamma) + lift
        grey = f.mean(2, keepdims=True)
        f = (grey + (f - grey) * saturation).astype(np.float32)
        blur = rng.uniform(1, 2.5) if losing == i else focus
        if blur > 0:
            f = cv2.GaussianBlur(f, (0, 0), blur)
        if sharpen > 0:
            f = f + (f - cv2.GaussianBlur(f, (0, 0), 1.0)) * sharpen
        if noise > 0:
            f = f + rng.standard_normal(f.shape, dtype=np.float32) * noise
        f = np.clip(f, 0, 255).astype(np.uint8)
        if quality is not None:
            f = cv2.imdecode(cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
        out.append(f)
    return np.stack(out)
