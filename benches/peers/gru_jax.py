"""The GRU language model in JAX, which has no GRU. Not a worker: worker_jax.py trains it and generates from it."""

import functools

import jax
import jax.numpy as jnp
from jax import lax

CHUNK = 256  # symbols per call of the compiled generation loop


def initial_parameters(key, V, C, H, **_):
    keys = jax.random.split(key, 7)
    uniform = functools.partial(jax.random.uniform, minval=-(H**-0.5), maxval=H**-0.5)
    return {
        "embedding": jax.random.normal(keys[0], (V, C)),
        "w_ih": uniform(keys[1], (C, 3 * H)), "b_ih": uniform(keys[2], (3 * H,)),
        "w_hh": uniform(keys[3], (H, 3 * H)), "b_hh": uniform(keys[4], (3 * H,)),
        "w_head": uniform(keys[5], (H, V)), "b_head": uniform(keys[6], (V,)),
    }


def gates(from_input, from_state, h):
    """Gate order r, z, n. Returns the next state and what its derivative needs."""
    (i_r, i_z, i_n), (s_r, s_z, s_n) = jnp.split(from_input, 3, axis=-1), jnp.split(from_state, 3, axis=-1)
    r, z = jax.nn.sigmoid(i_r + s_r), jax.nn.sigmoid(i_z + s_z)
    n = jnp.tanh(i_n + r * s_n)
    return (1 - z) * n + z * h, (r, z, n, s_n)


@jax.custom_vjp
def recurrence(w_hh, b_hh, from_input):
    return recurrence_forward(w_hh, b_hh, from_input)[0]


def recurrence_forward(w_hh, b_hh, from_input):
    def step(h, i):
        h_next, saved = gates(i, h @ w_hh + b_hh, h)
        return h_next, (h_next, h, saved)

    start = jnp.zeros((from_input.shape[1], w_hh.shape[0]))
    _, (states, before, saved) = lax.scan(step, start, from_input)
    return states, (w_hh, before, saved)


def recurrence_backward(kept, d_states):
    """The weight's gradient is one product over all T·B rows at the end; left to JAX it would be T small ones."""
    w_hh, before, saved = kept

    def step(dh, at):
        d_state, h, (r, z, n, s_n) = at
        dh = dh + d_state
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (h - n) * z * (1 - z)
        dr = dn * s_n * r * (1 - r)
        d_from_state = jnp.concatenate([dr, dz, dn * r], axis=-1)
        return dh * z + d_from_state @ w_hh.T, (jnp.concatenate([dr, dz, dn], axis=-1), d_from_state)

    H = w_hh.shape[0]
    _, (d_from_input, d_from_state) = lax.scan(step, jnp.zeros(before.shape[1:]), (d_states, before, saved), reverse=True)
    d_rows = d_from_state.reshape(-1, 3 * H)
    return before.reshape(-1, H).T @ d_rows, d_rows.sum(0), d_from_input


recurrence.defvjp(recurrence_forward, recurrence_backward)


def logits_of(p, symbols):
    """(T, B) → (T·B, V)."""
    from_input = p["embedding"][symbols] @ p["w_ih"] + p["b_ih"]
    states = recurrence(p["w_hh"], p["b_hh"], from_input)
    return states.reshape(-1, states.shape[-1]) @ p["w_head"] + p["b_head"]


def batch(key, V, B, T, **_):
    """Inputs, time-major (T, B), and the targets of their logits."""
    symbols = jax.random.randint(key, (T + 1, B), 0, V)
    return symbols[:-1], symbols[1:].reshape(-1)


@functools.partial(jax.jit, static_argnums=0)
def generate_chunk(sampled, p, symbol, h, key):
    key, sub = jax.random.split(key)

    def step(carry, uniform):
        symbol, h = carry
        from_input = p["embedding"][symbol] @ p["w_ih"] + p["b_ih"]
        h, _ = gates(from_input, h @ p["w_hh"] + p["b_hh"], h)
        symbol = sampled(uniform, p["rows_of_head"] @ h + p["b_head"])
        return (symbol, h), symbol

    (symbol, h), symbols = lax.scan(step, (symbol, h), jax.random.uniform(sub, (CHUNK,)))
    return symbol, h, key, symbols


def generator(p, sampled, H, **_):
    """A function that gives the next symbols; `sampled(uniform, logits)` draws one of them."""
    p["rows_of_head"] = p.pop("w_head").T.copy()  # (V, H): faster by a tenth in gru-seed, as fast in gru-char
    now = [jnp.int32(0), jnp.zeros(H), jax.random.key(1)]

    def unit():
        *now[:], symbols = generate_chunk(sampled, p, *now)
        return symbols

    return unit
