"""ONNX Runtime on the peers' work: generation of text only, for it does not train here.

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
        node("Softmax", ["logits"], ["probabilities"], axis=1),
        node("CumSum", ["probabilities", "last_axis"], ["cumulative"]),
        node("RandomUniform", [], ["uniform"], shape=[1, 1], seed=1.0),
        node("Less", ["cumulative", "uniform"], ["below"]),
        node("Cast", ["below"], ["ones"], to=TensorProto.INT64),
        node("ReduceSum", ["ones", "last_axis"], ["place"], keepdims=0),
        node("Min", ["place", "last_symbol"], ["symbol_out"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "step",
        [value("symbol_in", TensorProto.INT64, [1]), value("state_in", TensorProto.FLOAT, [1, H])],
        [value("symbol_out", TensorProto.INT64, [1]), value("state_out", TensorProto.FLOAT, [1, H])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


def main():
    options, size = measuring.arguments(recurrent={"choices": ["gru", "matmul"], "default": "gru"})
    assert options.task == "generate" and size["kind"] == "text", "ONNX Runtime is measured in generation of text only"
    meter = measuring.Meter(options.seconds)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(one_step_graph(size, options.recurrent), settings, providers=["CPUExecutionProvider"])

    # ONNX Runtime uses the memory of these arrays itself, so the sampled symbol is read where it was written.
    symbols = [numpy.zeros(1, numpy.int64) for _ in range(2)]
    states = [numpy.zeros((1, size["H"]), numpy.float32) for _ in range(2)]
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
        generated.append(int(symbols[turn][0]))

    steps, seconds = meter.run(unit, warm_up=200)
    measuring.report("onnxruntime", onnxruntime.__version__, options, meter, steps, steps, seconds, generated=generated, V=size["V"])


if __name__ == "__main__":
    main()
