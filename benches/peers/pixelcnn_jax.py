"""The PixelCNN in JAX. Not a worker: worker_jax.py trains it and generates from it."""

import functools

import jax
import jax.numpy as jnp
from jax import lax


def mask(name, rows, kernel):
    """(rows, kernel, 1, 1): the rows above the centre, what is left of it, and under mask B the centre."""
    seen = kernel * kernel // 2 + (name == "B")
    return (jnp.arange(rows * kernel) < seen).astype(jnp.float32).reshape(rows, kernel, 1, 1)


def layer(key, inputs, outputs, kernel):
    """A kernel has only the rows that a pixel sees: the same numbers, and a training step a seventh faster."""
    bound = (inputs * kernel * kernel) ** -0.5
    w, b = jax.random.split(key)
    shape = (kernel // 2 + 1, kernel, inputs, outputs) if kernel > 1 else (inputs, outputs)
    return {"w": jax.random.uniform(w, shape, minval=-bound, maxval=bound), "b": jax.random.uniform(b, (outputs,), minval=-bound, maxval=bound)}


def initial_parameters(key, V, C, H, blocks, head, **_):
    keys = iter(jax.random.split(key, 3 + 3 * blocks))
    return {
        "first": layer(next(keys), 1, C, 7),
        "blocks": [[layer(next(keys), C, H, 1), layer(next(keys), H, H, 3), layer(next(keys), H, C, 1)] for _ in range(blocks)],
        "head": layer(next(keys), C, head, 1),
        "output": layer(next(keys), head, V, 1),
    }


def masked(p):
    """The same parameters with the masks multiplied in."""
    def under(name, layer):
        return {"w": layer["w"] * mask(name, *layer["w"].shape[:2]), "b": layer["b"]}

    blocks = [[narrow, under("B", middle), widen] for narrow, middle, widen in p["blocks"]]
    return p | {"first": under("A", p["first"]), "blocks": blocks}


def convolution(layer, x):
    around = layer["w"].shape[1] // 2
    padding = ((around, 0), (around, around))
    return lax.conv_general_dilated(x, layer["w"], (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")) + layer["b"]


def pointwise(layer, x):
    """A convolution of 1 × 1 as a product: with the convolutions a training step takes half as long again."""
    return x @ layer["w"] + layer["b"]


def network(p, x):
    """Of masked parameters: (B, side, side, 1) → logits (B, side, side, V)."""
    x = convolution(p["first"], x)
    for narrow, middle, widen in p["blocks"]:
        y = jax.nn.relu(pointwise(narrow, jax.nn.relu(x)))
        x = x + pointwise(widen, jax.nn.relu(convolution(middle, y)))
    return pointwise(p["output"], jax.nn.relu(pointwise(p["head"], jax.nn.relu(x))))


def logits_of(p, x):
    """(B, side, side, 1) → (B·side·side, V)."""
    logits = network(masked(p), x)
    return logits.reshape(-1, logits.shape[-1])


def batch(key, V, B, side, **_):
    """Inputs, levels scaled to −1 … 1, and targets, the levels."""
    levels = jax.random.randint(key, (B, side, side), 0, V)
    return levels[..., None] * (2 / (V - 1)) - 1.0, levels.reshape(-1)


@functools.partial(jax.jit, static_argnums=(0, 1))
def generate_image(sampled, side, p, key):
    key, sub = jax.random.split(key)

    def step(x, at):
        place, uniform = at
        logits = network(p, x.reshape(1, side, side, 1)).reshape(side * side, -1)
        level = sampled(uniform, logits[place])
        return x.at[place].set(level * (2 / (logits.shape[1] - 1)) - 1.0), level

    places = jnp.arange(side * side)
    _, levels = lax.scan(step, jnp.zeros(side * side), (places, jax.random.uniform(sub, (side * side,))))
    return key, levels


def generator(p, sampled, side, **_):
    """A function that gives the pixels of the next image, each from a pass over the whole; `sampled(uniform, logits)` draws one."""
    p, now = masked(p), [jax.random.key(1)]

    def unit():
        now[0], levels = generate_image(sampled, side, p, now[0])
        return levels

    return unit
