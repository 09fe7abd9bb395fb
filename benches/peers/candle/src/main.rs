//! candle on the peers' work. One process, one measurement, one line of JSON (README.md: protocol).

mod gpt;
mod gru;
mod pixelcnn;

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use protocol::{Meter, Options, Size};

const VERSION: &str = "0.11.1";

fn train(options: &Options, meter: &Meter) -> Result<()> {
    let vars = VarMap::new();
    let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
    let loss: Box<dyn Fn() -> Result<Tensor>> = match options.size {
        Size::Text(size) => Box::new(gru::loss(size, vb)?),
        Size::Gpt(size) => Box::new(gpt::loss(size, vb)?),
        Size::Image(size) => Box::new(pixelcnn::loss(size, vb)?),
    };
    // AdamW without decay is Adam.
    let adam = ParamsAdamW {
        lr: protocol::LEARNING_RATE,
        beta1: protocol::BETA_1,
        beta2: protocol::BETA_2,
        eps: protocol::EPSILON,
        weight_decay: 0.0,
    };
    let parameters: Vec<Var> = vars.all_vars();
    let mut optimizer = AdamW::new(parameters, adam)?;

    let (mut first, mut last) = (None, None);
    let mut step = || -> Result<()> {
        let loss = loss()?;
        optimizer.backward_step(&loss)?;
        let loss = loss.detach();
        first.get_or_insert(loss.clone());
        last = Some(loss);
        Ok(())
    };
    let timed = meter.run(|| step().expect("a training step"), 2);
    let value = |loss: Option<Tensor>| loss.expect("at least one step").to_scalar::<f32>();
    protocol::report_training("candle", VERSION, options, meter, &timed, value(first)?, value(last)?);
    Ok(())
}

fn generate(options: &Options, meter: &Meter) -> Result<()> {
    let generator = |vb| -> Result<Box<dyn FnMut() -> Result<u32>>> {
        Ok(match options.size {
            Size::Text(size) => Box::new(gru::generator(size, vb)?),
            Size::Gpt(size) => Box::new(gpt::generator(size, vb)?),
            Size::Image(size) => Box::new(pixelcnn::generator(size, vb)?),
        })
    };
    let vars = VarMap::new();
    drop(generator(VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?); // fills `vars`
    // Out of the `Var`s: what is computed from them would be recorded for a backward pass that never comes.
    let variables = vars.data().lock().expect("the variables");
    let tensors: HashMap<_, _> = variables.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor())).collect();
    let mut next = generator(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))?;

    let mut generated = Vec::new();
    let timed = meter.run(|| generated.push(next().expect("a step of generation")), options.size.warm_up());
    protocol::report_generation("candle", VERSION, options, meter, &timed, &generated);
    Ok(())
}

fn main() -> Result<()> {
    let options = Options::from_arguments();
    let meter = Meter::new(options.seconds);
    match options.task.as_str() {
        "train" => train(&options, &meter),
        "generate" => generate(&options, &meter),
        other => panic!("--task is train or generate, not {other:?}"),
    }
}
