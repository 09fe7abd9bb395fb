//! Tests of the training of a neural AR model: its examples, its resuming, and the Mackey-Glass series.

use super::*;
use crate::series::ar::mean_square;
use crate::series::config::{Lags, ModelConfig, ModelKind};
use crate::series::mackey_glass::{examples, mackey_glass, nrmse, rmse};
use crate::series::sunspots::YEARLY;
use crate::storage::metrics::Record;
use crate::storage::run_folder::RunFolder;
use crate::training::trainer::{End, Limits, Observer, Trainer};
use autograd::nn::Module;
use std::path::Path;
use std::sync::atomic::AtomicBool;

struct Silent;

impl Observer for Silent {
    fn step(&mut self, _: &Record, _: bool) {}
    fn saved(&mut self, _: &RunFolder) -> Result<()> {
        Ok(())
    }
}

fn config(lags: usize, stride: usize, steps: u64) -> SeriesConfig {
    let model = ModelConfig { model: ModelKind::NeuralAr, lags: Lags::Count(lags), stride, ..ModelConfig::default() };
    let mut config = SeriesConfig { model, ..SeriesConfig::default() };
    config.training.steps = steps;
    config
}

fn data(values: &[f64], config: &SeriesConfig) -> SeriesData {
    let split = config.data.split(values.len()).unwrap();
    SeriesData { name: "x".into(), values: values.to_vec(), split, notes: Vec::new() }
}

fn run(trainer: &mut Trainer<SeriesTask>, folder: &Path) {
    let mut folder = RunFolder::create(folder, true, "").unwrap();
    let stop = AtomicBool::new(false);
    let end = trainer.run(&mut folder, Limits { time: None, stop: &stop }, &mut Silent).unwrap();
    assert_eq!(end, End::Done);
}

fn bits(model: &NeuralAr<f32>) -> Vec<u32> {
    model.parameters().iter().flat_map(|(_, p)| p.values().iter().map(|x| x.to_bits())).collect()
}

#[test]
fn the_mackey_glass_series_is_predicted_to_a_fiftieth_of_its_deviation() {
    // From x(t−18), x(t−12), x(t−6), x(t) to x(t+6): four lags six apart. The first target is x(124).
    let mut config = config(4, 6, 1500);
    config.training.optimizer.learning_rate = 0.01;
    (config.data.validation, config.data.test) = (0.0, 500.0);
    let series = &mackey_glass(1124)[100..];
    let (task, model) = SeriesTask::on(data(series, &config), &config).unwrap();
    assert_eq!(task.targets.len(), 500);
    let mut trainer = Trainer::new(task, model).unwrap();
    let folder = tempfile::tempdir().unwrap();
    run(&mut trainer, folder.path());
    let predictor = NeuralPredictor::new(&trainer.model);
    let (_, test) = examples();
    let predicted = predictor.one_step(series, 524..1024).unwrap();
    let of_mean = nrmse(&test, |_| 1.0) / rmse(&test, |_| 1.0); // 1 / the deviation of the targets
    let means: Vec<f64> = predicted.iter().map(|gaussian| gaussian.mean).collect();
    let targets: Vec<f64> = test.iter().map(|example| example.target).collect();
    let error = mean_square(&means, &targets).sqrt() * of_mean;
    assert!(error <= 0.02, "NRMSE {error}");
}

#[test]
fn an_interrupted_training_goes_on_bit_for_bit_as_if_it_had_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for batch in [0, 32] {
        let mut config = config(3, 1, 40);
        config.data.batch = batch;
        config.training.optimizer.average = 0.9;
        let new = || SeriesTask::on(data(&YEARLY, &config), &config).unwrap();
        let (task, model) = new();
        let mut whole = Trainer::new(task, model).unwrap();
        run(&mut whole, folder.path());

        let (task, model) = new();
        let mut first = Trainer::new(task, model).unwrap();
        let mut run_folder = RunFolder::create(folder.path(), true, "").unwrap();
        let stop = AtomicBool::new(false);
        struct StopAt<'a>(u64, &'a AtomicBool);
        impl Observer for StopAt<'_> {
            fn step(&mut self, record: &Record, _: bool) {
                self.1.store(record.step >= self.0, std::sync::atomic::Ordering::Relaxed);
            }
            fn saved(&mut self, _: &RunFolder) -> Result<()> {
                Ok(())
            }
        }
        let limits = Limits { time: None, stop: &stop };
        assert_eq!(first.run(&mut run_folder, limits, &mut StopAt(17, &stop)).unwrap(), End::Interrupted);
        drop(run_folder);
        let checkpoint = first.checkpoint().unwrap();
        let model = NeuralAr::from_checkpoint(&checkpoint).unwrap();
        let task = SeriesTask::with_model(data(&YEARLY, &config), &config, &model).unwrap();
        let mut second = Trainer::new(task, model).unwrap();
        second.restore(&checkpoint).unwrap();
        run(&mut second, folder.path());
        assert_eq!(bits(&second.model), bits(&whole.model), "batch {batch}");
        assert_eq!(second.checkpoint().unwrap().tensors, whole.checkpoint().unwrap().tensors, "batch {batch}");
    }
}

#[test]
fn standardisation_knows_the_training_part_alone() {
    let config = config(3, 1, 1);
    let mut other = YEARLY.to_vec();
    other[280..].fill(1e6);
    let (_, a) = SeriesTask::on(data(&YEARLY, &config), &config).unwrap();
    let (_, b) = SeriesTask::on(data(&other, &config), &config).unwrap();
    assert_eq!(a.standardize, b.standardize);
}

#[test]
fn every_example_comes_once_an_epoch_in_an_order_of_its_own() {
    let mut config = config(3, 1, 1);
    (config.data.batch, config.data.validation, config.data.test) = (34, 0.0, 0.0);
    let (mut task, _) = SeriesTask::on(data(&YEARLY, &config), &config).unwrap();
    let mut epoch = || (0..9).flat_map(|_| task.next_batch().1.to_vec()).collect::<Vec<f32>>();
    let (first, second) = (epoch(), epoch());
    assert_ne!(first, second);
    let sorted = |mut x: Vec<f32>| {
        x.sort_by(f32::total_cmp);
        x
    };
    let all = sorted(task.targets.clone());
    assert_eq!((sorted(first), sorted(second)), (all.clone(), all));
}

#[test]
fn what_cannot_be_trained_on_is_refused_by_name() {
    let refusal = |values: &[f64], config: &SeriesConfig| {
        SeriesTask::on(data(values, config), config).err().expect("it cannot be trained on").to_string()
    };
    let constant = [3.0; 100];
    assert!(refusal(&constant, &config(3, 1, 1)).contains("constant"));
    assert!(refusal(&YEARLY, &config(200, 1, 1)).contains("at most"));
    let mut wide = config(3, 1, 1);
    wide.data.batch = 1000;
    assert!(refusal(&YEARLY, &wide).contains("data.batch"));
    assert!(refusal(&YEARLY, &config(0, 1, 1)).contains("model.lags"));
}
