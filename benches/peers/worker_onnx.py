"""ONNX Runtime on the peers' work: generation of text and sound only, for it does not train here.

The graph is one step: symbol and state in, sampled symbol and state out. Two bindings hand each other their buffers,
so nothing is copied or allocated between steps. One process, one measurement, one line of JSON (README.md: protocol).
"""

import numpy
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import measuring


def one_step_graph(size, recurrent):
    """Embedding → GRU (PyTorch's, by `linear_before_reset`) → linear → softmax → sample: the place where the running sum passes u.

    `recurrent` is "gru" for the GRU operator, "matmul" for its parts written out.
    """
    V, C, H = size["V"], size["C"], size["H"]
    random = numpy.random.default_rng(0)

    def weight(name, *shape, scale=H**-0.5):
        return numpy_helper.from_array(random.uniform(-scale, scale, shape).astype(numpy.float32), name)

    constants = [
        weight("embedding", V, C, scale=1.0), weight("w_head", H, V), weight("b_head", V),
        numpy_helper.from_array(numpy.array([1], numpy.int64), "last_axis"),
        numpy_helper.from_array(numpy.array(V - 1, numpy.int64), "last_symbol"),
    ]
    node = helper.make_node
    if recurrent == "gru":
        constants += [weight("w_ih", 1, 3 * H, C), weight("w_hh", 1, 3 * H, H), weight("bias", 1, 6 * H),
                      numpy_helper.from_array(numpy.array([0], numpy.int64), "first_axis")]
        nodes = [
            node("Unsqueeze", ["embedded", "first_axis"], ["sequence"]),
            node("Unsqueeze", ["state_in", "first_axis"], ["state_before"]),
            node("GRU", ["sequence", "w_ih", "w_hh", "bias", "", "state_before"], ["", "state_after"], hidden_size=H, linear_before_reset=1),
            node("Squeeze", ["state_after", "first_axis"], ["state_out"]),
        ]
    else:
        constants += [weight("w_ih", C, 3 * H), weight("w_hh", H, 3 * H), weight("b_ih", 3 * H), weight("b_hh", 3 * H)]
        nodes = [
            node("Gemm", ["embedded", "w_ih", "b_ih"], ["from_input"]), node("Gemm", ["state_in", "w_hh", "b_hh"], ["from_state"]),
            node("Split", ["from_input"], ["i_r", "i_z", "i_n"], axis=1, num_outputs=3),
            node("Split", ["from_state"], ["s_r", "s_z", "s_n"], axis=1, num_outputs=3),
            node("Add", ["i_r", "s_r"], ["a_r"]), node("Sigmoid", ["a_r"], ["r"]),
            node("Add", ["i_z", "s_z"], ["a_z"]), node("Sigmoid", ["a_z"], ["z"]),
            node("Mul", ["r", "s_n"], ["r_s"]), node("Add", ["i_n", "r_s"], ["a_n"]), node("Tanh", ["a_n"], ["n"]),
            node("Sub", ["state_in", "n"], ["h_less_n"]), node("Mul", ["z", "h_less_n"], ["kept"]), node("Add", ["n", "kept"], ["state_out"]),
        ]
    nodes = [
        node("Gather", ["embedding", "symbol_in"], ["embedded"]),
        *nodes,
        node("Gemm", ["state_out", "w_head", "b_head"], ["logits"]),
        *sampling(),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "step",
        [value("symbol_in", TensorProto.INT64, [1]), value("state_in", TensorProto.FLOAT, [1, H])],
        [value("symbol_out", TensorProto.INT64, [1]), value("state_out", TensorProto.FLOAT, [1, H])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


def sampling():
    """From the logits to a symbol: the place where the running sum of their softmax passes a uniform number."""
    node = helper.make_node
    return [
        node("Softmax", ["logits"], ["probabilities"], axis=1),
        node("CumSum", ["probabilities", "last_axis"], ["cumulative"]),
        node("RandomUniform", [], ["uniform"], shape=[1, 1], seed=1.0),
        node("Less", ["cumulative", "uniform"], ["below"]),
        node("Cast", ["below"], ["ones"], to=TensorProto.INT64),
        node("ReduceSum", ["ones", "last_axis"], ["place"], keepdims=0),
        node("Min", ["place", "last_symbol"], ["symbol_out"]),
    ]


def wavenet_graph(size):
    """A sample: what each layer hears of the past comes in as a row of the state, and what it will remember goes out as one."""
    V, R, S = size["V"], size["R"], size["S"]
    layers = size["layers"] * size["stacks"]
    random = numpy.random.default_rng(0)

    def weight(name, inputs, *shape):
        scale = inputs**-0.5
        return numpy_helper.from_array(random.uniform(-scale, scale, shape).astype(numpy.float32), name)

    node = helper.make_node
    constants = [
        weight("embedding", 1, V, R), weight("w_head", S, S, S), weight("b_head", S, S), weight("w_output", S, S, V), weight("b_output", S, V),
        numpy_helper.from_array(numpy.array([1], numpy.int64), "last_axis"),
        numpy_helper.from_array(numpy.array(V - 1, numpy.int64), "last_symbol"),
        numpy_helper.from_array(numpy.array([R, S], numpy.int64), "back_and_skip"),
    ]
    nodes = [node("Gather", ["embedding", "symbol_in"], ["x0"]), node("Split", ["state_in"], [f"past{i}" for i in range(layers)], axis=0, num_outputs=layers)]
    for i in range(layers):
        last = i + 1 == layers
        constants += [weight(f"w{i}", 2 * R, 2 * R, 2 * R), weight(f"b{i}", 2 * R, 2 * R),
                      weight(f"w_out{i}", R, R, S + (0 if last else R)), weight(f"b_out{i}", R, S + (0 if last else R))]
        nodes += [
            node("Concat", [f"past{i}", f"x{i}"], [f"pair{i}"], axis=1), node("Gemm", [f"pair{i}", f"w{i}", f"b{i}"], [f"gates{i}"]),
            node("Split", [f"gates{i}"], [f"a{i}", f"g{i}"], axis=1, num_outputs=2),
            node("Tanh", [f"a{i}"], [f"t{i}"]), node("Sigmoid", [f"g{i}"], [f"s{i}"]), node("Mul", [f"t{i}", f"s{i}"], [f"z{i}"]),
            node("Gemm", [f"z{i}", f"w_out{i}", f"b_out{i}"], [f"skip{i}" if last else f"out{i}"]),
        ]
        if not last:
            nodes += [node("Split", [f"out{i}", "back_and_skip"], [f"back{i}", f"skip{i}"], axis=1), node("Add", [f"x{i}", f"back{i}"], [f"x{i + 1}"])]
    nodes += [
        node("Concat", [f"x{i}" for i in range(layers)], ["state_out"], axis=0),
        node("Sum", [f"skip{i}" for i in range(layers)], ["skips"]), node("Relu", ["skips"], ["open"]),
        node("Gemm", ["open", "w_head", "b_head"], ["head"]), node("Relu", ["head"], ["hidden"]),
        node("Gemm", ["hidden", "w_output", "b_output"], ["logits"]),
        *sampling(),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "sample",
        [value("symbol_in", TensorProto.INT64, [1]), value("state_in", TensorProto.FLOAT, [layers, R])],
        [value("symbol_out", TensorProto.INT64, [1]), value("state_out", TensorProto.FLOAT, [layers, R])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


class Rings:
    """What the layers of a WaveNet remember: of each as many rows as its dilation, all in one array."""

    def __init__(self, size):
        self.dilations = numpy.array([2**layer for _ in range(size["stacks"]) for layer in range(size["layers"])])
        self.first = numpy.concatenate([[0], numpy.cumsum(self.dilations)[:-1]])
        self.rows = numpy.zeros((self.dilations.sum(), size["R"]), numpy.float32)
        self.t = 0

    def turn(self, remembered, heard):
        """Puts a row of each layer where its oldest was, and takes what the next sample hears."""
        self.rows[self.first + self.t % self.dilations] = remembered
        self.t += 1
        numpy.take(self.rows, self.first + self.t % self.dilations, axis=0, out=heard)


def main():
    options, size = measuring.arguments(recurrent={"choices": ["gru", "matmul"], "default": "gru"})
    assert options.task == "generate" and size["kind"] != "image", "ONNX Runtime is measured in generation of text and sound only"
    rings = Rings(size) if size["kind"] == "audio" else None
    graph = wavenet_graph(size) if rings else one_step_graph(size, options.recurrent)
    meter = measuring.Meter(options.seconds)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])

    # ONNX Runtime uses the memory of these arrays itself, so the sampled symbol is read where it was written.
    symbols = [numpy.zeros(1, numpy.int64) for _ in range(2)]
    shape = (len(rings.dilations), size["R"]) if rings else (1, size["H"])
    states = [numpy.zeros(shape, numpy.float32) for _ in range(2)]
    held = [[onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in arrays] for arrays in (symbols, states)]
    bindings = []
    for source in range(2):
        binding = session.io_binding()
        for name, values in zip(["symbol", "state"], held):
            binding.bind_ortvalue_input(f"{name}_in", values[source])
            binding.bind_ortvalue_output(f"{name}_out", values[1 - source])
        bindings.append(binding)

    generated, turn = [], 0

    def unit():
        nonlocal turn
        session.run_with_iobinding(bindings[turn])
        turn = 1 - turn
        if rings:
            rings.turn(states[turn], heard=states[turn])
        generated.append(int(symbols[turn][0]))

    steps, seconds = meter.run(unit, warm_up=200)
    measuring.report("onnxruntime", onnxruntime.__version__, options, meter, steps, steps, seconds, generated=generated, V=size["V"])


if __name__ == "__main__":
    main()
