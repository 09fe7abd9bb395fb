//! `autoreg doctor`: the machine, and its limits as measured: what every timing is read against.

use crate::terminal::Context;
use crate::terminal::console::say;
use crate::terminal::table::{Align, Table};
use autograd::kernels::isa::Isa;
use autograd::kernels::limits::{self, Limits};
use clap::Args;
use models::error::{Error, Kind, Result};
use models::memory::Needs;
use models::pages::numbers::{bytes, counted};
use serde::Serialize;
use std::sync::{PoisonError, RwLock};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// Describe the machine and measure its limits: multiply-add peak, matrix product, read bandwidth. Takes a few seconds.
///
/// Each figure is the best of many short repetitions, but other work on the machine still lowers it: measure while idle.
#[derive(Args)]
pub struct Arguments {
    /// Print one JSON object, with all digits
    #[arg(long)]
    json: bool,
}

/// What was found; the fields of `--json`. A rate without a suffix is that of all threads together.
#[derive(Serialize)]
struct Findings {
    version: &'static str,
    cpu: String,
    features: Vec<&'static str>,
    /// The instruction set that the kernels use, and that the limits were measured with.
    isa: &'static str,
    /// Those that `--isa` can name on this machine, best first.
    isa_available: Vec<&'static str>,
    system: String,
    cores: usize,
    threads: usize,
    memory_bytes: u64,
    memory_available_bytes: u64,
    fma_gflops: f64,
    fma_gflops_one_thread: f64,
    gemm_gflops: f64,
    gemm_gflops_one_thread: f64,
    /// Smallest working set first.
    read_bandwidth: Vec<Reading>,
}

/// How fast a working set is read again and again.
#[derive(Serialize)]
struct Reading {
    bytes: usize,
    gb_per_second: f64,
    gb_per_second_one_thread: f64,
}

/// Runs the subcommand.
///
/// # Errors
/// A disk error if stdout cannot be written.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let threads = rayon::current_num_threads();
    // An allocation that fails would end the process.
    let largest = limits::WORKING_SETS.into_iter().max().unwrap_or(0);
    let needs = Needs::default().and("stacks of threads", threads as u128, 2 << 20, "--threads");
    let needs = needs.and("what is read again and again", 1, largest, "");
    needs.check().map_err(|error| error.help("raise the limit on memory, or end other programs"))?;
    startable(threads)?;
    say("measuring the machine's limits…");
    let findings = Findings::of(&limits::measure());
    if arguments.json { context.results.json(&findings) } else { context.results.line(findings.shown()) }
}

/// Tries that so many threads run at once: what is measured needs them, and could only panic.
///
/// # Errors
/// [`Kind::Failed`] where the system refuses one.
fn startable(threads: usize) -> Result<()> {
    let door = RwLock::new(());
    let closed = door.write().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        let wait = || drop(door.read().unwrap_or_else(PoisonError::into_inner));
        let started = (1..threads).try_for_each(|_| std::thread::Builder::new().spawn_scoped(scope, wait).map(|_| ()));
        drop(closed);
        started.map_err(|error| {
            Error::new(Kind::Failed, format!("cannot start {}", counted(threads as u64, "thread")))
                .cause(error)
                .help("give a smaller --threads")
        })
    })
}

impl Findings {
    fn of(limits: &Limits) -> Self {
        let about = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(about);
        let name = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default();
        Findings {
            version: env!("CARGO_PKG_VERSION"),
            cpu: if name.is_empty() { "unknown".to_owned() } else { name },
            features: features(),
            isa: Isa::in_use().name(),
            isa_available: Isa::available().map(Isa::name).collect(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            threads: limits.threads,
            memory_bytes: system.total_memory(),
            memory_available_bytes: system.available_memory(),
            fma_gflops: limits.fma.all,
            fma_gflops_one_thread: limits.fma.one,
            gemm_gflops: limits.gemm.all,
            gemm_gflops_one_thread: limits.gemm.one,
            read_bandwidth: limits
                .read
                .iter()
                .map(|read| Reading {
                    bytes: read.bytes,
                    gb_per_second: read.rate.all,
                    gb_per_second_one_thread: read.rate.one,
                })
                .collect(),
        }
    }

    fn shown(&self) -> String {
        let features = if self.features.is_empty() { "none that is used".to_owned() } else { self.features.join(", ") };
        let memory = format!("{}, {} available", bytes(self.memory_bytes), bytes(self.memory_available_bytes));
        let mut table = Table::new(&[
            ("limit", Align::Left),
            ("one thread", Align::Right),
            (&format!("{} threads", self.threads), Align::Right),
            ("", Align::Left),
        ]);
        let mut row = |name: String, one: f64, all: f64, unit: &str| {
            table.row([name, format!("{one:.1}"), format!("{all:.1}"), unit.to_owned()]);
        };
        row("multiply-add peak, f32".into(), self.fma_gflops_one_thread, self.fma_gflops, "GFLOP/s");
        row("matrix product 512³, f32".into(), self.gemm_gflops_one_thread, self.gemm_gflops, "GFLOP/s");
        for read in &self.read_bandwidth {
            let name = format!("reading {} again and again", bytes(read.bytes as u64));
            row(name, read.gb_per_second_one_thread, read.gb_per_second, "GB/s");
        }
        format!(
            "autoreg  {}\nsystem   {}\nCPU      {}\nfeatures {features}\nkernels  {}, of {}\ncores    {}\nmemory   {memory}\n\n{table}",
            self.version,
            self.system,
            self.cpu,
            self.isa,
            self.isa_available.join(", "),
            self.cores
        )
    }
}

/// What the kernels choose by at run time, of what this CPU has.
#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    let found = [
        ("SSE4.1", is_x86_feature_detected!("sse4.1")),
        ("AVX", is_x86_feature_detected!("avx")),
        ("AVX2", is_x86_feature_detected!("avx2")),
        ("FMA", is_x86_feature_detected!("fma")),
        ("AVX-512F", is_x86_feature_detected!("avx512f")),
        ("AVX-512VL", is_x86_feature_detected!("avx512vl")),
    ];
    found.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
}

/// What the kernels choose by at run time: nothing here, they take the portable path.
#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
