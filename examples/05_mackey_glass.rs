//! The Mackey-Glass series: written as CSV, and predicted by the best linear map. Where a straight model stops; no network yet.
//!
//! `cargo run --release --example 05_mackey_glass [FILE.csv]`; without a file the series goes to the folder of temporary files.

use std::fmt::Write;
use std::path::PathBuf;

use models::series::mackey_glass::{examples, linear_weights, mackey_glass, nrmse, rmse};

fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).map_or_else(|| std::env::temp_dir().join("mackey-glass.csv"), PathBuf::from);
    let series = mackey_glass(1124);
    let mut csv = String::from("t,x\n");
    for (t, x) in series.iter().enumerate() {
        let _ = writeln!(csv, "{t},{x}"); // writing to a string cannot fail
    }
    std::fs::write(&path, csv)?;
    println!("{} values, t = 0 … {}, in {}\n", series.len(), series.len() - 1, path.display());

    // A strip of the series: chaos with a rhythm of about fifty units.
    for t in (118..218).step_by(4) {
        println!("{t:>5} {:.4} {:>width$}", series[t], '•', width = 1 + (60.0 * (series[t] - 0.2)) as usize);
    }

    let (train, test) = examples();
    let w = linear_weights(&train);
    let linear = |x: &[f64; 4]| x.iter().zip(&w[1..]).fold(w[0], |sum, (x, w)| sum + x * w);
    println!("\nSix units ahead from four values six apart, {} examples to fit, {} to test:", train.len(), test.len());
    println!("  x(t+6) ≈ {:.4} {:+.4}·x(t−18) {:+.4}·x(t−12) {:+.4}·x(t−6) {:+.4}·x(t)", w[0], w[1], w[2], w[3], w[4]);
    println!("  persistence     NRMSE {:.4}", nrmse(&test, |x| x[3]));
    println!("  linear          NRMSE {:.4}   RMSE {:.5}", nrmse(&test, linear), rmse(&test, linear));
    assert!((nrmse(&test, linear) - 0.4325).abs() < 5e-5);
    println!("\nThe law is not linear, so what is left here is for a network with the same four inputs.");
    Ok(())
}
