"""llama.cpp on the peers' generation of GPTs. One process, one measurement, one line of JSON (README.md: protocol).

The model is written as a GGUF file of the architecture "gpt2", which wants biases: they are zeros. Weights of matrices are stored as
--weights says (f32, f16 or q8_0: 32 numbers of 8 bits and their common f16 scale), what is added or looked up by position as f32.
"""

import multiprocessing
import pathlib
import tempfile

import gguf
import llama_cpp
import numpy as np

import measuring

STORED = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}


def tensors(V, C, L, T):
    """Names and random f32 arrays, outputs first. The output layer is the table of symbols, as llama.cpp has it where there is none."""
    random = np.random.default_rng(0)

    def weight(*shape, deviation=0.02):
        return (deviation * random.standard_normal(shape)).astype(np.float32)

    def norm(name):
        return {f"{name}.weight": np.ones(C, np.float32), f"{name}.bias": np.zeros(C, np.float32)}

    def linear(name, outputs, inputs, **more):
        return {f"{name}.weight": weight(outputs, inputs, **more), f"{name}.bias": np.zeros(outputs, np.float32)}

    residual = 0.02 / (2 * L) ** 0.5
    made = {"token_embd.weight": weight(V, C), "position_embd.weight": weight(T, C)} | norm("output_norm")
    for block in (f"blk.{i}." for i in range(L)):
        made |= norm(block + "attn_norm") | linear(block + "attn_qkv", 3 * C, C) | linear(block + "attn_output", C, C, deviation=residual)
        made |= norm(block + "ffn_norm") | linear(block + "ffn_up", 4 * C, C) | linear(block + "ffn_down", C, 4 * C, deviation=residual)
    return made


def write(path, stored, V, C, N, L, T):
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(T)
    writer.add_embedding_length(C)
    writer.add_feed_forward_length(4 * C)
    writer.add_block_count(L)
    writer.add_head_count(N)
    writer.add_layer_norm_eps(1e-5)
    writer.add_tokenizer_model("none")  # symbols without texts
    writer.add_vocab_size(V)
    for name, values in tensors(V, C, L, T).items():
        of_matrix = values.ndim == 2 and not name.startswith("position")
        kind = stored if of_matrix else STORED["f32"]
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def loaded(stored, size, threads):
    """A model and its context."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "gpt.gguf"
        # In a process of its own, so that the arrays do not count as memory of generation.
        shape = [size[letter] for letter in "VCNLT"]
        writing = multiprocessing.get_context("fork").Process(target=write, args=(path, stored, *shape))
        writing.start()
        writing.join()
        assert writing.exitcode == 0, "the model is not written"
        settings = llama_cpp.llama_model_default_params()
        settings.use_mmap = False  # the file goes away
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), settings)
    assert model, "llama.cpp does not load the model"
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = settings.n_batch = size["T"]
    settings.n_threads = settings.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(model, settings)
    assert context, "llama.cpp makes no context"
    return model, context


def generator(context, T):
    """A function that gives the next symbol, from an empty context again when it is full."""
    sampler = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    llama_cpp.llama_sampler_chain_add(sampler, llama_cpp.llama_sampler_init_dist(0))  # from the softmax as it is: temperature 1
    memory = llama_cpp.llama_get_memory(context)
    symbol, t = (llama_cpp.llama_token * 1)(0), 0

    def unit():
        nonlocal t
        if t == T:
            llama_cpp.llama_memory_clear(memory, False)
            t = 0
        assert llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(symbol, 1)) == 0, "llama.cpp decodes nothing"
        symbol[0] = llama_cpp.llama_sampler_sample(sampler, context, -1)
        t += 1
        return symbol[0]

    return unit


@llama_cpp.llama_log_callback
def quiet(level, text, user):
    """Says nothing."""


def main():
    options, size = measuring.arguments(weights={"choices": STORED, "default": "f32"})
    assert options.task == "generate" and size["kind"] == "gpt", "llama.cpp generates text by GPTs"
    llama_cpp.llama_log_set(quiet, None)
    llama_cpp.llama_backend_init()
    meter = measuring.Meter(options.seconds)
    _, context = loaded(STORED[options.weights], size, options.threads)
    next_symbol, generated = generator(context, size["T"]), []
    steps, seconds = meter.run(lambda: generated.append(next_symbol()), warm_up=200)
    engine = "llama.cpp" if options.weights == "f32" else f"llama.cpp-{options.weights}"
    measuring.report(engine, llama_cpp.__version__, options, meter, steps, steps, seconds, generated=generated, V=size["V"])


if __name__ == "__main__":
    main()
