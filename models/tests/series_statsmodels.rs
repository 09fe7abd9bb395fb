//! The linear AR model beside statsmodels 0.15 on the yearly sunspot numbers; `fixtures/series` has the script.

use approx::assert_relative_eq;
use models::series::ar::Ar;
use models::series::exposure::exposure;
use models::series::model::SeriesModel;
use models::series::order::{Criterion, best, candidates};
use models::series::sunspots::YEARLY;
use serde_json::Value;

/// As near as two double-precision computations of a well-conditioned fit can be expected to come.
const RELATIVE: f64 = 1e-8;

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/series/statsmodels.json")).expect("a JSON fixture")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn lags(value: &Value) -> usize {
    value["lags"].as_u64().expect("a count") as usize
}

#[track_caller]
fn assert_same(ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_relative_eq!(*ours, *theirs, max_relative = RELATIVE);
    }
}

#[track_caller]
fn assert_is(ours: f64, theirs: &Value) {
    assert_relative_eq!(ours, theirs.as_f64().expect("a number"), max_relative = RELATIVE);
}

#[test]
fn least_squares_gives_the_parameters_errors_and_criteria_of_statsmodels() {
    for expected in fixture()["least_squares"].as_array().expect("a list") {
        let fit = Ar::least_squares(&YEARLY, lags(expected)).expect("a fit");
        let mut parameters = fit.model.coefficients.clone();
        parameters.insert(0, fit.model.constant);
        assert_same(&parameters, &numbers(&expected["parameters"]));
        assert_same(&fit.standard_errors, &numbers(&expected["standard_errors"]));
        assert_is(fit.model.variance, &expected["variance"]);
        assert_is(fit.log_likelihood, &expected["log_likelihood"]);
        assert_is(fit.aic, &expected["aic"]);
        assert_is(fit.bic, &expected["bic"]);
        let score = fit.model.score(&YEARLY, fit.model.lags()..309).expect("a likelihood");
        assert_relative_eq!(-score.nats * fit.observations as f64, fit.log_likelihood, max_relative = 1e-12);
    }
}

#[test]
fn the_table_of_the_sunspot_fits_is_reproduced() {
    // Lags; c, φ; σ², log-likelihood, AIC, BIC.
    let table: [(usize, &[f64], [f64; 4]); 3] = [
        (1, &[8.7869418373, 0.8237872492], [524.2300657837, -1401.3703875267, 2808.7407750534, 2819.9310744023]),
        (
            2,
            &[14.9071483366, 1.3918052478, -0.6902869280],
            [275.4363196486, -1298.0318458777, 2604.0636917554, 2618.9710827457],
        ),
        (
            9,
            &[
                6.7430535917,
                1.1649421971,
                -0.4053574226,
                -0.1665393425,
                0.1498062942,
                -0.0946241706,
                0.0049100124,
                0.0504665931,
                -0.0863534919,
                0.2534910319,
            ],
            [221.2257757418, -1235.5591284195, 2493.1182568391, 2533.8598640603],
        ),
    ];
    for (lags, parameters, figures) in table {
        let fit = Ar::least_squares(&YEARLY, lags).expect("a fit");
        assert_relative_eq!(fit.model.constant, parameters[0], max_relative = RELATIVE);
        for (ours, theirs) in fit.model.coefficients.iter().zip(&parameters[1..]) {
            // The table has ten decimals.
            assert_relative_eq!(ours, theirs, max_relative = RELATIVE, epsilon = 6e-11);
        }
        assert_same(&[fit.model.variance, fit.log_likelihood, fit.aic, fit.bic], &figures);
    }
}

#[test]
fn forecasts_intervals_and_roots_are_those_of_statsmodels() {
    for expected in fixture()["least_squares"].as_array().expect("a list") {
        let model = Ar::least_squares(&YEARLY, lags(expected)).expect("a fit").model;
        let forecast = model.forecast(&YEARLY, 20).expect("a forecast");
        assert_same(&forecast.iter().map(|f| f.mean).collect::<Vec<_>>(), &numbers(&expected["forecast"]));
        let errors: Vec<f64> = forecast.iter().map(|f| f.standard_error).collect();
        assert_same(&errors, &numbers(&expected["forecast_errors"]));
        for (level, key) in [(0.8, "interval_80"), (0.95, "interval_95")] {
            for (forecast, bounds) in forecast.iter().zip(expected[key].as_array().expect("a list")) {
                let (low, high) = forecast.interval(level);
                assert_same(&[low, high], &numbers(bounds));
            }
        }
        let moduli: Vec<f64> = model.roots().iter().map(|root| root.modulus()).collect();
        assert_same(&moduli, &numbers(&expected["moduli"]));
    }
}

#[test]
fn two_lags_see_the_sunspot_cycle_of_10_87_years() {
    let model = Ar::least_squares(&YEARLY, 2).expect("a fit").model;
    let [(period, _)] = model.periods()[..] else { panic!("one pair of complex roots") };
    assert_relative_eq!(period, 10.8718, epsilon = 5e-5);
    assert!(model.is_stationary());
}

#[test]
fn criteria_over_the_common_sample_choose_nine_of_twelve_lags() {
    let candidates = candidates(&YEARLY, 12).expect("candidates");
    for (criterion, key) in [(Criterion::Aic, "aic"), (Criterion::Bic, "bic")] {
        let expected = &fixture()[key];
        let values: Vec<f64> = candidates.iter().map(|candidate| candidate.value(criterion)).collect();
        assert_same(&values, &numbers(&expected["values"]));
        let chosen = best(&candidates, criterion).expect("a best one").lags;
        assert_eq!(chosen, 9);
        assert_eq!(expected["best"], chosen);
    }
}

#[test]
fn yule_walker_and_burg_are_those_of_statsmodels() {
    for expected in fixture()["moments"].as_array().expect("a list") {
        let yule_walker = Ar::yule_walker(&YEARLY, lags(expected)).expect("a fit");
        assert_same(&yule_walker.coefficients, &numbers(&expected["yule_walker"]["coefficients"]));
        assert_is(yule_walker.variance.sqrt(), &expected["yule_walker"]["sigma"]);
        let burg = Ar::burg(&YEARLY, lags(expected)).expect("a fit");
        assert_same(&burg.coefficients, &numbers(&expected["burg"]["coefficients"]));
        assert_is(burg.variance, &expected["burg"]["variance"]);
        let mean = YEARLY.iter().sum::<f64>() / 309.0;
        for model in [yule_walker, burg] {
            assert!(model.is_stationary());
            assert_relative_eq!(model.mean(), mean, max_relative = 1e-10);
        }
    }
    let yule_walker = Ar::yule_walker(&YEARLY, 2).expect("a fit");
    assert_same(&yule_walker.coefficients, &[1.3752269313, -0.6766944172]);
    assert_relative_eq!(yule_walker.variance.sqrt(), 17.0109690944, max_relative = RELATIVE);
    let burg = Ar::burg(&YEARLY, 2).expect("a fit");
    assert_same(&burg.coefficients, &[1.3920424069, -0.6901282082]);
    assert_relative_eq!(burg.variance, 275.3786303252, max_relative = RELATIVE);
}

#[test]
fn exposure_bias_on_the_last_thirty_years_is_two_numbers() {
    let model = Ar::least_squares(&YEARLY[..279], 9).expect("a fit").model;
    let exposure = exposure(&model, &YEARLY, 279..309).expect("errors");
    assert_relative_eq!(exposure.one_step_rmse, 16.1707, epsilon = 5e-5);
    assert_relative_eq!(exposure.free_running_rmse, 27.8047, epsilon = 5e-5);
    let expected = &fixture()["exposure"];
    assert_is(exposure.one_step_rmse, &expected["one_step_rmse"]);
    assert_is(exposure.free_running_rmse, &expected["free_running_rmse"]);
}
