"""JAX on the peers' work: a training step and a whole stretch of generation are each one compiled function.

One process, one measurement, one line of JSON (README.md: protocol).
"""

import functools

import measuring

options, size = measuring.arguments()
measuring.keep_to_cores(options.threads)  # before XLA counts the cores

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

import gpt_jax  # noqa: E402
import gru_jax  # noqa: E402
import pixelcnn_jax  # noqa: E402
import wavenet_jax  # noqa: E402

network = {"text": gru_jax, "gpt": gpt_jax, "image": pixelcnn_jax, "audio": wavenet_jax}[size["kind"]]


def loss_of(p, inputs, targets):
    """`inputs` to logits (N, V), `targets` (N)."""
    logits = network.logits_of(p, inputs)
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
    p = network.initial_parameters(jax.random.key(0), **size)
    m, v = jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)
    inputs, targets = network.batch(jax.random.key(1), **size)
    now, losses = {"p": p, "m": m, "v": v, "t": 0}, {}
    del p, m, v  # donated below

    def unit():
        now["t"] += 1
        now["p"], now["m"], now["v"], loss = training_step(now["p"], now["m"], now["v"], float(now["t"]), inputs, targets)
        losses.setdefault("first", loss)
        losses["last"] = jax.block_until_ready(loss)

    steps, seconds = meter.run(unit, warm_up=3)
    return {"symbols": steps * measuring.symbols_per_step(**size), "steps": steps, "seconds": seconds,
            "first_loss": float(losses["first"]), "last_loss": float(losses["last"])}


def sampled(uniform, logits):
    """A symbol from softmax(logits (V)): where the running sum passes `uniform` of the total; in two levels where V is large."""
    V = size["V"]
    weights = jnp.exp(logits - logits.max())
    if V <= 256:
        return jnp.sum(jnp.cumsum(weights) < uniform * jnp.sum(weights)).clip(0, V - 1).astype(jnp.int32)
    width = 100
    assert V % width == 0
    rows = weights.reshape(V // width, width)
    sums = jnp.cumsum(rows.sum(1))
    wanted = uniform * sums[-1]
    row = jnp.sum(sums < wanted).clip(0, V // width - 1)
    wanted = wanted - jnp.where(row > 0, sums[row - 1], 0.0)
    return (row * width + jnp.sum(jnp.cumsum(rows[row]) < wanted).clip(0, width - 1)).astype(jnp.int32)


def generate(meter):
    next_symbols = network.generator(network.initial_parameters(jax.random.key(0), **size), sampled, **size)
    chunks = []

    def unit():
        chunks.append(jax.block_until_ready(next_symbols()))

    calls, seconds = meter.run(unit, warm_up=2)
    symbols = calls * chunks[0].size
    generated = [int(symbol) for chunk in chunks for symbol in chunk.tolist()]
    return {"symbols": symbols, "steps": symbols, "seconds": seconds, "generated": generated, "V": size["V"]}


def main():
    meter = measuring.Meter(options.seconds)
    result = {"train": train, "generate": generate}[options.task](meter)
    measuring.report("jax", jax.__version__, options, meter, **result)


if __name__ == "__main__":
    main()
