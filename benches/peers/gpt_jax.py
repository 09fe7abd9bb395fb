"""GPT in JAX. Not a worker: worker_jax.py trains it and generates from it."""

import functools

import jax
import jax.numpy as jnp
from jax import lax


def initial_parameters(key, V, C, N, L, T, **_):
    keys = iter(jax.random.split(key, 2 + 4 * L))

    def normal(*shape, deviation=0.02):
        return deviation * jax.random.normal(next(keys), shape)

    residual = 0.02 / (2 * L) ** 0.5
    return {
        "tokens": normal(V, C), "positions": normal(T, C), "ln_f": jnp.ones(C),
        # The shape of `qkv` tells queries, keys and values, and the number of heads.
        "blocks": [{"ln_1": jnp.ones(C), "qkv": normal(C, 3, N, C // N), "proj": normal(C, C, deviation=residual),
                    "ln_2": jnp.ones(C), "fc": normal(C, 4 * C), "out": normal(4 * C, C, deviation=residual)} for _ in range(L)],
    }


def layer_norm(scale, x):
    centred = x - x.mean(-1, keepdims=True)
    return scale * centred * lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)


def projected(block, x):
    """(…, C) → queries, keys and values (…, N, C/N) of one product."""
    weight = block["qkv"]
    made = (layer_norm(block["ln_1"], x) @ weight.reshape(weight.shape[0], -1)).reshape(*x.shape[:-1], *weight.shape[1:])
    return made[..., 0, :, :], made[..., 1, :, :], made[..., 2, :, :]


def rest(block, x, z):
    x = x + z.reshape(x.shape) @ block["proj"]
    return x + jax.nn.gelu(layer_norm(block["ln_2"], x) @ block["fc"], approximate=True) @ block["out"]


def logits_of(p, symbols):
    """(B, T) → logits (B·T, V)."""
    x = p["tokens"][symbols] + p["positions"][: symbols.shape[1]]
    for block in p["blocks"]:
        q, k, v = projected(block, x)
        x = rest(block, x, jax.nn.dot_product_attention(q, k, v, is_causal=True))
    return (layer_norm(p["ln_f"], x) @ p["tokens"].T).reshape(-1, p["tokens"].shape[0])


def batch(key, V, B, T, **_):
    """Inputs (B, T) and the targets of their logits."""
    symbols = jax.random.randint(key, (B, T + 1), 0, V)
    return symbols[:, :-1], symbols[:, 1:].reshape(-1)


@functools.partial(jax.jit, static_argnums=0)
def generate_context(sampled, p, symbol, key):
    """A whole context, from the empty one; the caches live in the loop's state."""
    key, sub = jax.random.split(key)
    T, C = p["positions"].shape
    N = p["blocks"][0]["qkv"].shape[2]
    places = jnp.arange(T)

    def step(carry, at):
        symbol, caches = carry
        t, uniform = at
        x, after = p["tokens"][symbol] + p["positions"][t], []
        for block, (keys, values) in zip(p["blocks"], caches):
            q, k, v = projected(block, x)
            keys = lax.dynamic_update_index_in_dim(keys, k, t, 1)
            values = lax.dynamic_update_index_in_dim(values, v, t, 1)
            after.append((keys, values))
            scores = jnp.einsum("nd,ntd->nt", q * (C // N) ** -0.5, keys)
            weights = jax.nn.softmax(jnp.where(places <= t, scores, -jnp.inf), axis=-1)
            x = rest(block, x, jnp.einsum("nt,ntd->nd", weights, values))
        symbol = sampled(uniform, p["tokens"] @ layer_norm(p["ln_f"], x))
        return (symbol, after), symbol

    # A head's places lie together: a third faster than a place's heads.
    empty = [(jnp.zeros((N, T, C // N)), jnp.zeros((N, T, C // N))) for _ in p["blocks"]]
    (symbol, _), symbols = lax.scan(step, (symbol, empty), (places, jax.random.uniform(sub, (T,))))
    return symbol, key, symbols


def generator(p, sampled, **_):
    """A function that gives the next context's symbols; `sampled(uniform, logits)` draws one of them."""
    now = [jnp.int32(0), jax.random.key(1)]

    def unit():
        *now[:], symbols = generate_context(sampled, p, *now)
        return symbols

    return unit
