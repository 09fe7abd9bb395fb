"""WaveNet in JAX. Not a worker: worker_jax.py trains it and generates from it."""

import functools

import jax
import jax.numpy as jnp
from jax import lax

CHUNK = 1000  # codes per call of the compiled generation loop


def dilations(layers, stacks):
    return [2**layer for _ in range(stacks) for layer in range(layers)]


def affine(key, inputs, outputs, places=1):
    """(places · inputs, outputs): the inputs of the places lie side by side."""
    w, b = jax.random.split(key)
    bound = (places * inputs) ** -0.5
    return {"w": jax.random.uniform(w, (places * inputs, outputs), minval=-bound, maxval=bound),
            "b": jax.random.uniform(b, (outputs,), minval=-bound, maxval=bound)}


def initial_parameters(key, V, R, S, layers, stacks, **_):
    count = layers * stacks
    keys = iter(jax.random.split(key, 3 + 2 * count))
    return {
        "embedding": jax.random.normal(next(keys), (V, R)),
        # Residual and skip are one product, whose outputs lie side by side; the last layer has no residual.
        "layers": [(affine(next(keys), R, 2 * R, places=2), affine(next(keys), R, S + (R if i + 1 < count else 0))) for i in range(count)],
        "head": affine(next(keys), S, S),
        "output": affine(next(keys), S, V),
    }


def apply(p, x):
    return x @ p["w"] + p["b"]


def logits_of(p, inputs):
    """The codes before each position, −1 before the first, (B, T), and the dilations → (B·T, V). Channels last."""
    before, steps = inputs
    R = p["embedding"].shape[1]
    x = jnp.where((before >= 0)[..., None], p["embedding"][before.clip(0)], 0.0)
    skips = 0.0
    for (dilated, out), dilation in zip(p["layers"], steps):
        past = jnp.pad(x, ((0, 0), (dilation, 0), (0, 0)))[:, : x.shape[1]]
        # Two products: of a convolution, or of the two inputs side by side, a training step takes longer.
        gates = past @ dilated["w"][:R] + x @ dilated["w"][R:] + dilated["b"]
        made = apply(out, jnp.tanh(gates[..., :R]) * jax.nn.sigmoid(gates[..., R:]))
        back = made.shape[-1] - p["head"]["w"].shape[0]
        x = x + made[..., :back] if back else x
        skips = skips + made[..., back:]
    logits = apply(p["output"], jax.nn.relu(apply(p["head"], jax.nn.relu(skips))))
    return logits.reshape(-1, logits.shape[-1])


class Steps(tuple):
    """Numbers that a compiled function knows."""


jax.tree_util.register_static(Steps)


def batch(key, V, B, T, layers, stacks, **_):
    """Inputs, the codes moved by one with the dilations, and targets, the codes."""
    codes = jax.random.randint(key, (B, T), 0, V)
    return (jnp.pad(codes[:, :-1], ((0, 0), (1, 0)), constant_values=-1), Steps(dilations(layers, stacks))), codes.reshape(-1)


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=(3, 4, 5, 6))
def generate_chunk(sampled, steps, p, code, t, rings, key):
    key, sub = jax.random.split(key)
    R = p["embedding"].shape[1]

    def step(carry, uniform):
        code, t, rings = carry
        x, skips, after = p["embedding"][code], 0.0, []
        for (dilated, out), dilation, ring in zip(p["layers"], steps, rings):
            place = t % dilation
            gates = apply(dilated, jnp.concatenate([lax.dynamic_index_in_dim(ring, place, keepdims=False), x]))
            after.append(lax.dynamic_update_index_in_dim(ring, x, place, 0))
            made = apply(out, jnp.tanh(gates[:R]) * jax.nn.sigmoid(gates[R:]))
            back = made.shape[0] - p["head"]["w"].shape[0]
            x = x + made[:back] if back else x
            skips = skips + made[back:]
        code = sampled(uniform, apply(p["output"], jax.nn.relu(apply(p["head"], jax.nn.relu(skips)))))
        return (code, t + 1, after), code

    (code, t, rings), codes = lax.scan(step, (code, t, rings), jax.random.uniform(sub, (CHUNK,)))
    return code, t, rings, key, codes


def generator(p, sampled, R, layers, stacks, **_):
    """A function that gives the next codes; `sampled(uniform, logits)` draws one of them."""
    steps = tuple(dilations(layers, stacks))
    now = [jnp.int32(0), jnp.int32(0), [jnp.zeros((dilation, R)) for dilation in steps], jax.random.key(1)]

    def unit():
        *now[:], codes = generate_chunk(sampled, steps, p, *now)
        return codes

    return unit
