"""JAX on the peers' work: a training step and a whole stretch of generation are each one compiled function.

One process, one measurement, one line of JSON (README.md: protocol). The GRU is written here: JAX has none.
"""

import functools

import measuring

options, size = measuring.arguments()
measuring.keep_to_cores(options.threads)  # before XLA counts the cores

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402

V, C, H, B, T = (size[letter] for letter in "VCHBT")
CHUNK = 256  # symbols per call of the compiled generation loop


def initial_parameters(key):
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

    _, (states, before, saved) = lax.scan(step, jnp.zeros((B, H)), from_input)
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

    _, (d_from_input, d_from_state) = lax.scan(step, jnp.zeros((B, H)), (d_states, before, saved), reverse=True)
    d_rows = d_from_state.reshape(T * B, 3 * H)
    return before.reshape(T * B, H).T @ d_rows, d_rows.sum(0), d_from_input


recurrence.defvjp(recurrence_forward, recurrence_backward)


def loss_of(p, inputs, targets):
    """`inputs` and `targets` are time-major, (T, B)."""
    from_input = p["embedding"][inputs] @ p["w_ih"] + p["b_ih"]
    logits = recurrence(p["w_hh"], p["b_hh"], from_input).reshape(T * B, H) @ p["w_head"] + p["b_head"]
    picked = jnp.take_along_axis(logits, targets.reshape(-1, 1), axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - picked)


@functools.partial(jax.jit, donate_argnums=(0, 1, 2))
def training_step(p, m, v, t, inputs, targets):
    loss, gradient = jax.value_and_grad(loss_of)(p, inputs, targets)
    beta_1, beta_2 = measuring.BETA_1, measuring.BETA_2
    m = jax.tree.map(lambda m, g: beta_1 * m + (1 - beta_1) * g, m, gradient)
    v = jax.tree.map(lambda v, g: beta_2 * v + (1 - beta_2) * g * g, v, gradient)
    rate, scale = measuring.LEARNING_RATE / (1 - beta_1**t), 1 / (1 - beta_2**t)
    p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v * scale) + measuring.EPSILON), p, m, v)
    return p, m, v, loss


def train(meter):
    p = initial_parameters(jax.random.key(0))
    m, v = jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)
    symbols = jax.random.randint(jax.random.key(1), (T + 1, B), 0, V)
    inputs, targets = symbols[:-1], symbols[1:]
    now, losses = {"p": p, "m": m, "v": v, "t": 0}, {}
    del p, m, v  # donated below

    def unit():
        now["t"] += 1
        now["p"], now["m"], now["v"], loss = training_step(now["p"], now["m"], now["v"], float(now["t"]), inputs, targets)
        losses.setdefault("first", loss)
        losses["last"] = jax.block_until_ready(loss)

    steps, seconds = meter.run(unit, warm_up=3)
    return {"symbols": steps * B * T, "steps": steps, "seconds": seconds,
            "first_loss": float(losses["first"]), "last_loss": float(losses["last"])}


def place_of(uniform, weights):
    """The index where the running sum of `weights` passes `uniform` of its total; in two levels where V is large."""
    if V <= 256:
        return jnp.sum(jnp.cumsum(weights) < uniform * jnp.sum(weights)).clip(0, V - 1)
    width = 100
    assert V % width == 0
    rows = weights.reshape(V // width, width)
    sums = jnp.cumsum(rows.sum(1))
    wanted = uniform * sums[-1]
    row = jnp.sum(sums < wanted).clip(0, V // width - 1)
    wanted = wanted - jnp.where(row > 0, sums[row - 1], 0.0)
    return row * width + jnp.sum(jnp.cumsum(rows[row]) < wanted).clip(0, width - 1)


@jax.jit
def generate_chunk(p, symbol, h, key):
    key, sub = jax.random.split(key)

    def step(carry, uniform):
        symbol, h = carry
        from_input = p["embedding"][symbol] @ p["w_ih"] + p["b_ih"]
        h, _ = gates(from_input, h @ p["w_hh"] + p["b_hh"], h)
        logits = p["rows_of_head"] @ h + p["b_head"]
        symbol = place_of(uniform, jnp.exp(logits - logits.max())).astype(jnp.int32)
        return (symbol, h), symbol

    (symbol, h), symbols = lax.scan(step, (symbol, h), jax.random.uniform(sub, (CHUNK,)))
    return symbol, h, key, symbols


def generate(meter):
    p = initial_parameters(jax.random.key(0))
    p["rows_of_head"] = p.pop("w_head").T.copy()  # (V, H): faster by a tenth in gru-seed, as fast in gru-char
    now = [jnp.int32(0), jnp.zeros(H), jax.random.key(1)]
    chunks = []

    def unit():
        *now[:], symbols = generate_chunk(p, *now)
        chunks.append(jax.block_until_ready(symbols))

    calls, seconds = meter.run(unit, warm_up=2)
    generated = [int(symbol) for chunk in chunks for symbol in chunk.tolist()]
    return {"symbols": calls * CHUNK, "steps": calls * CHUNK, "seconds": seconds, "generated": generated, "V": V}


def main():
    meter = measuring.Meter(options.seconds)
    result = {"train": train, "generate": generate}[options.task](meter)
    measuring.report("jax", jax.__version__, options, meter, **result)


if __name__ == "__main__":
    main()
